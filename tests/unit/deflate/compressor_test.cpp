#include "deflate/compressor.hpp"

#include <deque>
#include <string>

#include <catch2/catch.hpp>

namespace wsproxy::deflate {
namespace {

/// Two receivers of a feed, and what becomes of a small message for the first of them alone.
Bypass private_between_broadcasts(bool context_takeover) {
  Codecs codecs{Codecs::Plan{}};
  const CompressorSettings settings{.context_takeover = context_takeover};
  std::deque<Compressor> receivers;
  for (int i = 0; i < 2; ++i) receivers.emplace_back(settings, codecs);
  base::ByteQueue scratch;
  const auto send = [&](Compressor& to, const std::string& text) {
    scratch.clear();
    return to.compress(base::as_bytes(text), scratch).bypass;
  };
  for (int i = 0; i < 40; ++i) {
    // The second leads, so that the first knows what comes first to it as private.
    const std::string text = "a broadcast, a broadcast, the number of which is " + std::to_string(i);
    send(receivers[1], text);
    send(receivers[0], text);
  }
  return send(receivers[0], "a private word, a private word, a private word, of no more than a line");
}

TEST_CASE("A small private message goes raw between broadcasts, which keeps histories equal") {
  CHECK(private_between_broadcasts(true) == Bypass::keeps_shared);
}

TEST_CASE("Without context takeover there is no history to keep equal: a private message is compressed") {
  CHECK(private_between_broadcasts(false) == Bypass::none);
}

}  // namespace
}  // namespace wsproxy::deflate
