#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wsproxy::server {

enum class SideMethod : std::uint8_t { get, head, post };

/// One request to the side port. The views are valid during the call of its handler.
struct SideRequest {
  SideMethod method = SideMethod::get;
  std::string_view path;   // not decoded
  std::string_view query;  // without its '?'
  std::string_view accept;
  std::string_view body;
  std::size_t waiting = 0;  // others whose answer has not been given yet
  /// From this machine, or from the pod itself by its own address; and asked of an address or of localhost,
  /// since a name of somebody's may lead a browser here (DNS rebinding).
  bool is_local = false;
  bool is_from_page = false;  // a browser's page sent it (Origin, Referer, Sec-Fetch-Site)
};

struct SideAnswer {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> fields = {};
};

/// Answers a request, from any thread, as long as the side port is there; the first call counts. When the
/// client has gone meanwhile nothing happens.
using SideReply = std::function<void(SideAnswer)>;

/// What the table of `name=value&...` in a query says of a name, not decoded; the first one counts. Empty
/// when it is not there.
std::string_view query_value(std::string_view query, std::string_view name);

}  // namespace wsproxy::server
