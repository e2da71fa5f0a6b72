#include "support/manual_names.hpp"

#include <condition_variable>
#include <map>
#include <mutex>

#include <boost/asio/error.hpp>

#include "net/name_lookup.hpp"

namespace wsproxy {

namespace {

struct Name {
  std::vector<net::asio::ip::address> addresses;
  unsigned look_ups = 0;
  bool is_held = false;
};

/// Never destroyed: a thread that looks names up may outlive main().
struct Book {
  std::mutex mutex;
  std::condition_variable has_changed;
  std::map<std::string, Name> names;
};

Book& book() {
  static Book& book = *new Book;
  return book;
}

void set_held(const std::string& name, bool is_held) {
  const std::lock_guard lock{book().mutex};
  book().names[name].is_held = is_held;
  book().has_changed.notify_all();
}

}  // namespace

net::FoundAddresses net::look_up(const std::string& name) {
  std::unique_lock lock{book().mutex};
  Name& entry = book().names[name];
  ++entry.look_ups;
  book().has_changed.wait(lock, [&] { return !entry.is_held; });
  if (entry.addresses.empty()) return {asio::error::host_not_found, {}};
  return {{}, entry.addresses};
}

void test::set_name(const std::string& name, const std::vector<std::string>& addresses) {
  const std::lock_guard lock{book().mutex};
  Name& entry = book().names[name];
  entry.addresses.clear();
  for (const std::string& address : addresses) {
    entry.addresses.push_back(net::asio::ip::make_address(address));
  }
}

unsigned test::look_ups(const std::string& name) {
  const std::lock_guard lock{book().mutex};
  return book().names[name].look_ups;
}

test::HeldName::HeldName(std::string name) : name_(std::move(name)) {
  set_held(name_, true);
}

test::HeldName::~HeldName() {
  set_held(name_, false);
}

}  // namespace wsproxy
