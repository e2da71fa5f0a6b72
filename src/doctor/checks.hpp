#pragma once

#include <initializer_list>
#include <span>

#include "doctor/examination.hpp"

namespace wsproxy::doctor {

/// The checks by group; each span is a table in a file of its own.
std::span<const Check> tls_checks();
std::span<const Check> handshake_checks();
std::span<const Check> request_checks();
std::span<const Check> framing_checks();
std::span<const Check> broken_frame_checks();
std::span<const Check> closing_checks();
std::span<const Check> deflate_checks();
std::span<const Check> deflate_answer_checks();
std::span<const Check> limit_checks();
std::span<const Check> deep_checks();

/// Sends bytes that no client may send, and a ping: the server has to fail the connection (RFC 6455 section
/// 7.1.7) with one of the codes. `offer` is for the handshake before.
Finding must_be_refused(Subject& subject, std::string_view offer, std::string_view bytes,
                        std::initializer_list<std::uint16_t> codes);
/// What came of bytes that every server has to bear: passed when a ping behind them is answered.
Finding must_be_taken(Conversation& conversation);
/// With an echo: that the last messages are these.
Finding must_be_echoed(const Subject& subject, Conversation& conversation,
                       std::initializer_list<std::string_view> texts);
Finding no_handshake(const Conversation& conversation);

}  // namespace wsproxy::doctor
