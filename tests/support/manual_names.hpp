#pragma once

#include <string>
#include <vector>

/// Linked into an executable, manual_names.cpp takes the place of net/system_names.cpp: a name means what a
/// test says, and nobody outside is asked. From any thread.
namespace wsproxy::test {

/// No addresses: the name is not found, as at the beginning.
void set_name(const std::string& name, const std::vector<std::string>& addresses);
/// How often the name has been looked up.
unsigned look_ups(const std::string& name);

/// While it lives, answers for the name do not come.
class HeldName {
 public:
  explicit HeldName(std::string name);
  ~HeldName();
  HeldName(const HeldName&) = delete;
  HeldName& operator=(const HeldName&) = delete;

 private:
  std::string name_;
};

}  // namespace wsproxy::test
