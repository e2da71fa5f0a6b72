#include <deque>

#include <catch2/catch.hpp>

#include "deflate/compressor.hpp"
#include "unit/deflate/plain_zlib.hpp"

namespace wsproxy::deflate {
namespace {

using test::Texts;

TEST_CASE("A feed whose messages come several at a time is compressed for a few of its members only") {
  for (const std::size_t at_once : {std::size_t{1}, std::size_t{3}, std::size_t{12}, std::size_t{30}}) {
    for (const bool by_turns : {false, true}) {
      INFO(at_once << " at once, by turns: " << by_turns);
      Codecs codecs{{}};
      const CompressorSettings settings{.is_history_auto = true};
      std::deque<Compressor> members;
      for (int i = 0; i < 20; ++i) members.emplace_back(settings, codecs);
      Texts texts{1};
      std::size_t compressed = 0;
      std::size_t raw = 0;
      constexpr std::size_t kUntilSettled = 80;
      constexpr std::size_t kMeasured = 40;
      for (std::size_t batch = 0; batch < kUntilSettled + kMeasured; ++batch) {
        std::vector<std::string> messages(at_once);
        for (std::string& message : messages) message = texts.chat();
        for (std::size_t i = 0; i < members.size(); ++i) {
          // The one that is read first is ahead of the others.
          Compressor& member = members[by_turns ? (i + batch) % members.size() : i];
          for (const std::string& message : messages) {
            base::ByteQueue scratch;
            const auto outcome = member.compress(base::as_bytes(message), scratch);
            if (batch < kUntilSettled) continue;
            raw += outcome.bypass != Bypass::none ? 1 : 0;
            compressed += outcome.bypass == Bypass::none && !outcome.is_shared ? 1 : 0;
          }
        }
      }
      CHECK(compressed <= 3 * kMeasured * at_once);
      CHECK(raw == 0);
    }
  }
}

TEST_CASE("A member's private messages go raw for an eighth of its bytes at most") {
  for (const std::size_t one_in : {std::size_t{40}, std::size_t{3}}) {
    Codecs codecs{{}};
    const CompressorSettings settings{.is_history_auto = true};
    std::deque<Compressor> members;
    for (int i = 0; i < 10; ++i) members.emplace_back(settings, codecs);
    Texts texts{2};
    std::size_t all = 0;
    std::size_t raw = 0;
    std::size_t private_count = 0;
    std::size_t raw_count = 0;
    for (int i = 0; i < 1000; ++i) {
      const auto send = [&](Compressor& member, const std::string& text, bool is_private) {
        base::ByteQueue scratch;
        const bool goes_raw = member.compress(base::as_bytes(text), scratch).bypass == Bypass::keeps_shared;
        if (i < 200) return;
        all += text.size();
        raw += goes_raw ? text.size() : 0;
        private_count += is_private ? 1 : 0;
        raw_count += goes_raw && is_private ? 1 : 0;
      };
      const auto text = texts.chat();
      for (Compressor& member : members) {
        if (texts.one_in(one_in)) send(member, texts.chat() + "only you", true);
        send(member, text, false);
      }
    }
    INFO("one in " << one_in << ": " << raw_count << " of " << private_count);
    CHECK(raw < all / 7);
    if (one_in == 40) CHECK(raw_count > private_count * 9 / 10);
  }
}

}  // namespace
}  // namespace wsproxy::deflate
