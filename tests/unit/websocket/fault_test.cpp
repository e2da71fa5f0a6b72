#include "websocket/fault.hpp"

#include <set>

#include <catch2/catch.hpp>

#include "websocket/close_code.hpp"
#include "websocket/close_payload.hpp"

namespace wsproxy::websocket {
namespace {

constexpr unsigned kFaults = static_cast<unsigned>(Fault::corrupt_deflate) + 1;

TEST_CASE("7.4.1: each fault has the code that the RFC has for it") {
  for (unsigned i = 1; i < kFaults; ++i) {
    const Fault fault{static_cast<std::uint8_t>(i)};
    INFO(describe(fault));
    switch (fault) {
      case Fault::invalid_utf8:
      case Fault::close_reason_not_utf8:
      case Fault::corrupt_deflate:
        CHECK(close_code_for(fault) == 1007);
        break;
      case Fault::message_too_big:
      case Fault::too_many_empty_fragments:
        CHECK(close_code_for(fault) == 1009);
        break;
      default:
        CHECK(close_code_for(fault) == 1002);
    }
  }
}

TEST_CASE("each fault is described by a sentence of its own that fits into a close frame") {
  std::set<std::string_view> sentences;
  for (unsigned i = 0; i < kFaults; ++i) {
    const std::string_view sentence = describe(Fault{static_cast<std::uint8_t>(i)});
    INFO(sentence);
    CHECK(sentences.insert(sentence).second);
    CHECK_FALSE(sentence.empty());
    CHECK(sentence.size() <= kMaxCloseReason);
    CHECK(sentence != "unknown fault");
  }
}

}  // namespace
}  // namespace wsproxy::websocket
