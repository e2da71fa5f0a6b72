#include "websocket/close_payload.hpp"

#include <array>
#include <cstring>

#include "base/utf8.hpp"
#include "websocket/utf8.hpp"

namespace wsproxy::websocket {

Fault parse_close_payload(base::Bytes payload, ClosePayload& result) {
  result = {};
  if (payload.empty()) return Fault::none;
  if (payload.size() == 1) return Fault::close_payload_of_one;
  const std::uint16_t code = base::load_be16(payload.data());
  if (!may_be_on_the_wire(code)) return Fault::close_code_illegal;
  const base::Bytes reason = payload.subspan(2);
  if (!is_valid_utf8(reason)) return Fault::close_reason_not_utf8;
  result = {code, base::as_text(reason)};
  return Fault::none;
}

void append_close_frame(FrameHeader header, std::uint16_t code, std::string_view reason,
                        base::ByteQueue& to) {
  header.fin = true;
  header.rsv1 = false;
  header.opcode = Opcode::close;
  if (code == close_code::no_status) return append_frame(header, {}, to);

  const std::string_view kept = base::cut_between_characters(reason, kMaxCloseReason);
  std::array<std::byte, kMaxControlPayload> payload;
  base::store_be16(payload.data(), code);
  if (!kept.empty()) std::memcpy(payload.data() + 2, kept.data(), kept.size());
  append_frame(header, base::Bytes{payload}.first(2 + kept.size()), to);
}

}  // namespace wsproxy::websocket
