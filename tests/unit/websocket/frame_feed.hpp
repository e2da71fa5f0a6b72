#pragma once

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "support/frame_bytes.hpp"
#include "support/splits.hpp"
#include "websocket/frame_parser.hpp"

namespace wsproxy::websocket {

struct Frame {
  FrameHeader header;
  std::string payload;
  bool complete = false;
};

struct Seen {
  std::vector<Frame> frames;
  Fault fault = Fault::none;
};

/// Feeds one read and checks what holds for every step.
inline void feed(FrameParser& parser, base::MutableBytes input, std::size_t max_payload, Seen& seen) {
  while (true) {
    const FrameParser::Step step = parser.feed(input, max_payload);
    REQUIRE(step.used <= input.size());
    switch (step.event) {
      case FrameParser::Event::need_more:
        REQUIRE(step.used == input.size());
        return;
      case FrameParser::Event::fault:
        seen.fault = parser.fault();
        return;
      case FrameParser::Event::header:
        REQUIRE((seen.frames.empty() || seen.frames.back().complete));
        REQUIRE_FALSE(parser.between_frames());
        seen.frames.push_back({parser.header(), "", false});
        break;
      case FrameParser::Event::payload: {
        REQUIRE_FALSE(seen.frames.empty());
        Frame& frame = seen.frames.back();
        REQUIRE_FALSE(frame.complete);
        REQUIRE(step.offset == frame.payload.size());
        REQUIRE(step.payload.size() <= max_payload);
        REQUIRE(step.payload.size() == step.used);
        REQUIRE((step.payload.empty() || step.payload.data() == input.data()));
        REQUIRE((step.frame_complete || !step.payload.empty()));
        frame.payload += base::as_text(step.payload);
        frame.complete = step.frame_complete;
        REQUIRE(frame.complete == (frame.payload.size() == frame.header.payload_size));
        REQUIRE(parser.between_frames() == frame.complete);
      }
    }
    input = input.subspan(step.used);
  }
}

inline Seen feed_all(FrameParser& parser, test::Split& split, std::size_t max_payload = SIZE_MAX) {
  Seen seen;
  for (auto& piece : split.pieces) {
    feed(parser, piece, max_payload, seen);
    if (seen.fault != Fault::none) break;
  }
  return seen;
}

inline void check_one_frame(Sender sender, const std::vector<std::byte>& bytes, const std::string& payload) {
  test::for_each_split(bytes, [&](test::Split split) {
    FrameParser parser{sender};
    const Seen seen = feed_all(parser, split);
    CHECK(seen.fault == Fault::none);
    REQUIRE(seen.frames.size() == 1);
    CHECK(seen.frames[0].complete);
    CHECK(seen.frames[0].header.payload_size == payload.size());
    CHECK(seen.frames[0].payload == payload);
    CHECK(parser.between_frames());
  });
}

inline std::vector<std::byte> join(std::initializer_list<std::vector<std::byte>> parts) {
  std::vector<std::byte> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace wsproxy::websocket
