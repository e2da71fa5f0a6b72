#include "doctor/exact_inflater.hpp"

#include <catch2/catch.hpp>

#include "doctor/client_deflate.hpp"

namespace wsproxy::doctor {
namespace {

using Result = ExactInflater::Result;

constexpr std::size_t kMost = 1 << 20;

std::string inflated(ExactInflater& inflater, const std::string& message) {
  std::string text;
  REQUIRE(inflater.inflate(base::as_bytes(message), text, kMost) == Result::good);
  return text;
}

std::string text_of(std::size_t size) {
  std::string text;
  for (unsigned i = 0; text.size() < size; ++i) text += std::to_string(i * 7919U) + ",";
  text.resize(size);
  return text;
}

TEST_CASE("each window takes a reference of its own size, and not one byte more") {
  for (unsigned bits = 8; bits <= 15; ++bits) {
    INFO("window bits " << bits);
    const std::string text = text_of(std::size_t{1} << bits);
    ExactInflater inflater{static_cast<std::uint8_t>(bits), true};
    CHECK(inflated(inflater, stored_message(text, 65535)) == text);
    CHECK(inflated(inflater, far_reference_message(bits)) == text.substr(0, kFarReferenceSize));
    if (bits == 15) continue;
    // The same text in one message with a reference of twice the window: zlib alone lets that pass.
    std::string twice = stored_message(text_of(std::size_t{2} << bits), 65535);
    twice.pop_back();
    std::string out;
    ExactInflater other{static_cast<std::uint8_t>(bits), true};
    CHECK(other.inflate(base::as_bytes(twice + far_reference_message(bits + 1)), out, kMost) ==
          Result::corrupt);
  }
}

TEST_CASE("without takeover nothing before the message may be referred to") {
  const std::string text = text_of(512);
  for (const bool takeover : {true, false}) {
    ExactInflater inflater{15, takeover};
    inflated(inflater, stored_message(text, 65535));
    std::string out;
    const auto result = inflater.inflate(base::as_bytes(far_reference_message(9)), out, kMost);
    CHECK((result == Result::good) == takeover);
  }
}

TEST_CASE("blocks with BFINAL end no stream, and the window stays") {
  ExactInflater inflater{15, true};
  const std::string final = final_block_message("hello hello hello");
  CHECK(inflated(inflater, final) == "hello hello hello");
  // Without the octet that section 7.2.3.4 wants behind it, and with a block behind it.
  CHECK(inflated(inflater, final.substr(0, final.size() - 1)) == "hello hello hello");
  CHECK(inflated(inflater, final.substr(0, final.size() - 1) + stored_message("more", 9)) ==
        "hello hello hellomore");
  CHECK(inflated(inflater, std::string(1, '\0')).empty());
}

TEST_CASE("what is no message is corrupt") {
  const std::string good = stored_message("hello", 5);
  for (const std::string& bad :
       {std::string{"\x06"}, std::string{"\x07garbage"}, good.substr(0, 4), good.substr(0, 8)}) {
    ExactInflater inflater{15, true};
    std::string text;
    CHECK(inflater.inflate(base::as_bytes(bad), text, kMost) == Result::corrupt);
  }
}

TEST_CASE("a bomb ends at the bound") {
  ExactInflater inflater{15, true};
  std::string text;
  CHECK(inflater.inflate(base::as_bytes(bomb_message(kMost)), text, kMost - 1) == Result::too_big);
  CHECK(text.size() == kMost - 1);
}

TEST_CASE("what the doctor's client compresses keeps to its window") {
  for (unsigned bits = 8; bits <= 15; ++bits) {
    for (const bool takeover : {true, false}) {
      ClientDeflate deflate{static_cast<std::uint8_t>(bits), takeover};
      ExactInflater inflater{static_cast<std::uint8_t>(bits), takeover};
      for (const std::size_t size : {0U, 1U, 5000U, 70'000U, 5000U}) {
        CHECK(inflated(inflater, deflate.compress(text_of(size))) == text_of(size));
      }
    }
  }
}

}  // namespace
}  // namespace wsproxy::doctor
