#include "http/head_writer.hpp"

#include <algorithm>
#include <array>

#include "base/ascii.hpp"

namespace wsproxy::http {
namespace {

bool is_control(char c) {
  const auto code = static_cast<unsigned char>(c);
  return code < 0x20 || code == 0x7f;
}

bool is_field_value(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) { return is_control(c) && c != '\t'; });
}

bool is_end_to_end_of_handshake(std::string_view name) {
  constexpr std::string_view kPrefix = "sec-websocket-";
  return base::iequals(name, "host") || base::iequals(name.substr(0, kPrefix.size()), kPrefix);
}

}  // namespace

HeadWriter& HeadWriter::first_line(std::string_view line) {
  std::copy_if(line.begin(), line.end(), std::back_inserter(text_), [](char c) { return !is_control(c); });
  text_ += "\r\n";
  return *this;
}

HeadWriter& HeadWriter::field(std::string_view name, std::string_view value) {
  if (!base::is_token(name) || !is_field_value(value)) return *this;
  text_.append(name).append(": ").append(value).append("\r\n");
  return *this;
}

std::string HeadWriter::finish() && {
  text_ += "\r\n";
  return std::move(text_);
}

bool HopByHop::covers(std::string_view name) const {
  constexpr std::array<std::string_view, 7> kWellKnown = {
      "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"};
  const auto is_name = [name](std::string_view known) { return base::iequals(known, name); };
  if (std::any_of(kWellKnown.begin(), kWellKnown.end(), is_name)) return true;
  return base::list_has_token(connection_, name) && !is_end_to_end_of_handshake(name);
}

}  // namespace wsproxy::http
