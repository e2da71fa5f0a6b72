// A stream of frames from the fuzzer, through everything of this room that a connection's bytes meet.
// The first byte chooses the sender and whether RSV1 may be used, the next two the cuts; the rest is the
// stream. However it is cut, the same must be seen.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/byte_queue.hpp"
#include "websocket/close_payload.hpp"
#include "websocket/frame_parser.hpp"
#include "websocket/message_rules.hpp"
#include "websocket/utf8.hpp"

namespace {

using namespace wsproxy;
using namespace wsproxy::websocket;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

struct Settings {
  Sender sender = Sender::client;
  bool compression = false;
};

/// What one connection's reader makes of the bytes, written down so that two of them can be compared.
class Reader {
 public:
  explicit Reader(Settings settings) : parser_(settings.sender), rules_(settings.compression) {}

  void read(base::MutableBytes input, std::size_t max_payload) {
    while (fault_ == Fault::none) {
      const FrameParser::Step step = parser_.feed(input, max_payload);
      require(step.used <= input.size(), "used is at most what was given");
      if (step.event == FrameParser::Event::fault) {
        require(parser_.fault() != Fault::none, "a fault has a name");
        return fail(parser_.fault());
      }
      if (step.event == FrameParser::Event::need_more) {
        require(step.used == input.size(), "need_more uses all");
        return;
      }
      if (step.event == FrameParser::Event::header) on_header();
      if (step.event == FrameParser::Event::payload) on_payload(step, input, max_payload);
      input = input.subspan(step.used);
    }
  }

  /// What is known when the bytes end in the middle of something.
  std::string finished() const { return seen_ + payload_ + (parser_.between_frames() ? "." : ","); }
  const base::ByteQueue& written_again() const { return written_again_; }

 private:
  void on_header() {
    const FrameHeader& header = parser_.header();
    seen_ += "\n" + std::to_string(static_cast<int>(header.opcode)) + (header.fin ? "F" : "-") +
             (header.rsv1 ? "R" : "-") + std::to_string(header.payload_size) + ":";
    payload_.clear();
    if (const Fault fault = rules_.on_header(header); fault != Fault::none) fail(fault);
    if (!is_control(header.opcode) && header.opcode != Opcode::continuation) utf8_.reset();
  }

  void on_payload(const FrameParser::Step& step, base::MutableBytes input, std::size_t max_payload) {
    require(step.payload.size() <= max_payload, "a step is bounded");
    require(step.payload.empty() || step.payload.data() == input.data(), "the payload is where the input is");
    require(step.offset == payload_.size(), "payload comes in order");
    payload_ += base::as_text(step.payload);
    const FrameHeader& header = parser_.header();
    if (!is_control(header.opcode) && rules_.opcode() == Opcode::text && !rules_.compressed()) {
      text_is_valid_ = utf8_.write(step.payload);
    }
    require(step.frame_complete == (payload_.size() == header.payload_size), "complete when it is all there");
    if (step.frame_complete) on_frame(header);
  }

  void on_frame(const FrameHeader& header) {
    append_frame(header, base::as_bytes(payload_), written_again_);
    seen_ += payload_ + ";";
    if (header.opcode == Opcode::close) {
      ClosePayload close;
      if (const Fault fault = parse_close_payload(base::as_bytes(payload_), close); fault != Fault::none) {
        return fail(fault);
      }
      seen_ += "close " + std::to_string(close.code);
    }
    payload_.clear();
    const bool may_end = !header.fin || is_control(header.opcode) || utf8_.may_end();
    if (rules_.opcode() == Opcode::text && (!text_is_valid_ || !may_end)) fail(Fault::invalid_utf8);
  }

  void fail(Fault fault) {
    fault_ = fault;
    seen_ += std::string{" "}.append(describe(fault));
    require(close_code_for(fault) != close_code::normal, "a fault closes with a code of its own");
  }

  FrameParser parser_;
  MessageRules rules_;
  Utf8Check utf8_;
  bool text_is_valid_ = true;
  Fault fault_ = Fault::none;
  std::string payload_;
  std::string seen_;
  base::ByteQueue written_again_;
};

std::string read_in_pieces(Settings settings, base::Bytes bytes, std::uint32_t seed,
                           std::size_t max_payload) {
  Reader reader{settings};
  while (!bytes.empty()) {
    seed = seed * 1664525U + 1013904223U;
    const std::size_t size = std::min<std::size_t>((seed >> 16) % ((seed >> 28) + 2), bytes.size());
    std::vector<std::byte> piece(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    reader.read(piece, max_payload);
    bytes = bytes.subspan(size);
  }
  return reader.finished();
}

std::string read_byte_by_byte(Settings settings, base::Bytes bytes) {
  Reader reader{settings};
  for (std::byte byte : bytes) reader.read({&byte, 1}, SIZE_MAX);
  return reader.finished();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const Settings settings{(data[0] & 1) != 0 ? Sender::server : Sender::client, (data[0] & 2) != 0};
  const std::uint32_t seed = data[1] * 256U + data[2];
  const base::Bytes bytes = std::as_bytes(std::span{data + 3, size - 3});

  Reader reader{settings};
  std::vector<std::byte> input(bytes.begin(), bytes.end());
  reader.read(input, SIZE_MAX);
  const std::string seen = reader.finished();
  require(read_byte_by_byte(settings, bytes) == seen, "byte by byte is the same as whole");
  require(read_in_pieces(settings, bytes, seed, SIZE_MAX) == seen, "pieces are the same as whole");
  require(read_in_pieces(settings, bytes, seed, 1 + seed % 9) == seen, "small steps are the same as whole");

  // Only shortest forms are accepted, so a frame that is written again has the bytes it came with.
  const base::Bytes again = reader.written_again().view();
  require(again.size() <= bytes.size() && std::equal(again.begin(), again.end(), bytes.begin()),
          "frames are written as they were read");
  return 0;
}
