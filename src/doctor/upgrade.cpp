#include "doctor/upgrade.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "websocket/handshake.hpp"

namespace wsproxy::doctor {
namespace {

/// The key's bytes need not be random here: nothing between us and the server is to be protected from
/// (RFC 6455 section 10.3), and a repeated run asks the same.
constexpr std::string_view kKey = "d3Nwcm94eSBkb2N0b3IuLg==";

bool offers(std::string_view list, std::string_view item) {
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    if (base::trim(list.substr(begin, end - begin)) == item) return true;
    begin = end + 1;
  }
  return false;
}

/// The header may come several times (RFC 6455 section 11.3.4).
bool offers_protocol(const UpgradeRequest& request, std::string_view protocol) {
  return std::any_of(request.fields.begin(), request.fields.end(), [&](const auto& field) {
    return base::iequals(field.first, "Sec-WebSocket-Protocol") && offers(field.second, protocol);
  });
}

}  // namespace

UpgradeRequest::UpgradeRequest(const Target& target) : path(target.path) {
  fields = {{"Host", target.authority},      {"Upgrade", "websocket"},
            {"Connection", "Upgrade"},       {"Sec-WebSocket-Key", std::string{kKey}},
            {"Sec-WebSocket-Version", "13"}, {"User-Agent", "wsproxy-doctor"}};
  const std::size_t own = fields.size();
  for (const auto& header : target.headers) {
    const auto end = fields.begin() + static_cast<std::ptrdiff_t>(own);
    const auto found = std::find_if(
        fields.begin(), end, [&](const auto& field) { return base::iequals(field.first, header.first); });
    if (found == end) {
      fields.push_back(header);
    } else {
      found->second = header.second;
    }
  }
}

UpgradeRequest& UpgradeRequest::add(std::string name, std::string value) {
  fields.emplace_back(std::move(name), std::move(value));
  return *this;
}

UpgradeRequest& UpgradeRequest::set(std::string_view name, std::string value, std::string_view new_name) {
  for (auto& [field, content] : fields) {
    if (!base::iequals(field, name)) continue;
    content = std::move(value);
    if (!new_name.empty()) field = new_name;
    break;
  }
  return *this;
}

UpgradeRequest& UpgradeRequest::remove(std::string_view name) {
  std::erase_if(fields, [&](const auto& field) { return base::iequals(field.first, name); });
  return *this;
}

std::string_view UpgradeRequest::value(std::string_view name) const {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const auto& field) { return base::iequals(field.first, name); });
  return found == fields.end() ? std::string_view{} : found->second;
}

std::string UpgradeRequest::text() const {
  std::string text = method + " " + path + " " + version + "\r\n";
  for (const auto& [name, value] : fields) text.append(name).append(": ").append(value).append("\r\n");
  return text + "\r\n";
}

std::string problem_with_answer(const UpgradeRequest& request, const http::ResponseHead& answer) {
  const auto& fields = answer.fields;
  if (!base::iequals(fields.joined("Upgrade"), "websocket"))
    return "Upgrade is \"" + fields.joined("Upgrade") + "\" and not websocket";
  if (!base::list_has_token(fields.joined("Connection"), "upgrade"))
    return "Connection is \"" + fields.joined("Connection") + "\" and does not list upgrade";
  const std::string accept = websocket::accept_for(request.value("Sec-WebSocket-Key"));
  if (fields.joined("Sec-WebSocket-Accept") != accept)
    return "Sec-WebSocket-Accept is \"" + fields.joined("Sec-WebSocket-Accept") + "\" and not " + accept;
  const std::string protocol = fields.joined("Sec-WebSocket-Protocol");
  if (!protocol.empty() && !offers_protocol(request, protocol))
    return "the subprotocol \"" + protocol + "\" is none of those offered";
  return {};
}

}  // namespace wsproxy::doctor
