#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "doctor/server_reader.hpp"
#include "doctor/target.hpp"
#include "http/response_head.hpp"

namespace wsproxy::doctor {

/// A client's opening handshake (RFC 6455 section 4.1), of which a check may change any part.
struct UpgradeRequest {
  /// A header of the target takes the place of our own of its name, which stays spelt as ours.
  explicit UpgradeRequest(const Target& target);

  std::string method = "GET";
  std::string path;
  std::string version = "HTTP/1.1";
  std::vector<std::pair<std::string, std::string>> fields;

  UpgradeRequest& add(std::string name, std::string value);
  /// Changes the field's value, or its name as well. Fields are found by their names in any case.
  UpgradeRequest& set(std::string_view name, std::string value, std::string_view new_name = {});
  UpgradeRequest& remove(std::string_view name);
  /// The value of the first field of that name, empty when there is none.
  std::string_view value(std::string_view name) const;

  std::string text() const;
};

/// What is wrong with a 101 as the answer to `request`, empty when nothing is (sections 4.1 and 4.2.2):
/// what a client must fail the connection for, but for extensions.
std::string problem_with_answer(const UpgradeRequest& request, const http::ResponseHead& answer);

}  // namespace wsproxy::doctor
