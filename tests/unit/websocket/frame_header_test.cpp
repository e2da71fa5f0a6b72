#include "websocket/frame_header.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "support/frame_bytes.hpp"

namespace wsproxy::websocket {
namespace {

using test::FrameBytes;

std::vector<std::byte> bytes_of(const base::ByteQueue& queue) {
  return {queue.view().begin(), queue.view().end()};
}

std::vector<std::byte> written(const FrameHeader& header) {
  std::vector<std::byte> bytes(kMaxHeaderSize);
  bytes.resize(write_header(header, bytes.data()));
  return bytes;
}

TEST_CASE("5.2: a length is written in its shortest form") {
  struct Row {
    std::uint64_t payload_size;
    std::vector<std::byte> bytes;
  };
  const auto small = [](unsigned length) { return FrameBytes{}.fin().text().length7(length).build(); };
  const auto medium = [](std::uint64_t length) { return FrameBytes{}.fin().text().length16(length).build(); };
  const auto large = [](std::uint64_t length) { return FrameBytes{}.fin().text().length64(length).build(); };
  const std::uint64_t most = (std::uint64_t{1} << 63) - 1;
  const Row rows[] = {
      {0, small(0)},      {1, small(1)},          {125, small(125)},     {126, medium(126)},
      {127, medium(127)}, {65535, medium(65535)}, {65536, large(65536)}, {most, large(most)},
  };
  for (const Row& row : rows) {
    INFO("payload size " << row.payload_size);
    FrameHeader header;
    header.payload_size = row.payload_size;
    CHECK(written(header) == row.bytes);

    header.masked = true;
    header.mask_key = test::kSomeKey;
    auto masked = row.bytes;
    masked[1] |= std::byte{0x80};
    masked.insert(masked.end(), test::kSomeKey.begin(), test::kSomeKey.end());
    CHECK(written(header) == masked);
  }
}

TEST_CASE("5.2: FIN, RSV1 and the opcode have their places") {
  for (const Opcode opcode :
       {Opcode::continuation, Opcode::text, Opcode::binary, Opcode::close, Opcode::ping, Opcode::pong}) {
    for (const bool fin : {false, true}) {
      for (const bool rsv1 : {false, true}) {
        FrameHeader header;
        header.fin = fin;
        header.rsv1 = rsv1;
        header.opcode = opcode;
        FrameBytes expected;
        expected.opcode(opcode);
        if (fin) expected.fin();
        if (rsv1) expected.rsv1();
        CHECK(written(header) == expected.build());
      }
    }
  }
}

TEST_CASE("5.7: a whole frame is its header and its payload, masked or not") {
  base::ByteQueue queue;
  FrameHeader header;
  append_frame(header, base::as_bytes("Hello"), queue);
  CHECK(bytes_of(queue) == FrameBytes{}.fin().text().payload("Hello").build());

  queue.clear();
  header.masked = true;
  header.mask_key = test::kSomeKey;
  header.payload_size = 77;  // is the payload's, whatever is said here
  append_frame(header, base::as_bytes("Hello"), queue);
  CHECK(bytes_of(queue) == FrameBytes{}.fin().text().masked().payload("Hello").build());
}

TEST_CASE("5.2: the size of a header is what writing it uses") {
  for (const std::uint64_t size : {0ULL, 125ULL, 126ULL, 65535ULL, 65536ULL, 1ULL << 62}) {
    for (const bool masked : {false, true}) {
      FrameHeader header;
      header.masked = masked;
      header.payload_size = size;
      std::array<std::byte, kMaxHeaderSize> bytes{};
      CHECK(header_size(header) == write_header(header, bytes.data()));
    }
  }
}

TEST_CASE("frames are put behind each other, of every form") {
  base::ByteQueue queue;
  std::vector<std::byte> expected;
  for (const std::size_t size : {0U, 5U, 125U, 126U, 65535U, 65536U, 0U}) {
    for (const bool masked : {false, true}) {
      const std::string payload(size, 'q');
      FrameHeader header;
      header.opcode = Opcode::binary;
      header.masked = masked;
      header.mask_key = test::kSomeKey;
      append_frame(header, base::as_bytes(payload), queue);
      FrameBytes frame;
      frame.fin().binary().payload(payload);
      if (masked) frame.masked();
      const auto bytes = frame.build();
      expected.insert(expected.end(), bytes.begin(), bytes.end());
    }
  }
  CHECK(bytes_of(queue) == expected);
}

}  // namespace
}  // namespace wsproxy::websocket
