#include "doctor/client_deflate.hpp"

#include <algorithm>
#include <array>
#include <new>

#include <zlib.h>

namespace wsproxy::doctor {
namespace {

constexpr std::size_t kTailSize = 4;

/// Deflate's bits, the first one lowest (RFC 1951 section 3.1.1).
class Bits {
 public:
  void add(unsigned value, unsigned count) {
    for (unsigned i = 0; i < count; ++i) add_bit(value >> i & 1U);
  }
  /// Huffman codes go the other way round.
  void add_code(unsigned code, unsigned count) {
    for (unsigned i = count; i != 0; --i) add_bit(code >> (i - 1) & 1U);
  }
  std::string bytes() const { return bytes_; }

 private:
  void add_bit(unsigned bit) {
    if (used_ == 0) bytes_.push_back('\0');
    bytes_.back() = static_cast<char>(static_cast<unsigned char>(bytes_.back()) | bit << used_);
    used_ = (used_ + 1) % 8;
  }
  std::string bytes_;
  unsigned used_ = 0;  // bits of the last byte
};

struct Deflater {
  /// zlib's smallest window is 9, with which it reaches 250 bytes back: no more than 8 allows.
  explicit Deflater(int window_bits) {
    if (deflateInit2(&z, 6, Z_DEFLATED, -std::max(window_bits, 9), 8, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc{};
  }
  ~Deflater() { deflateEnd(&z); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  void write(std::string_view text, int flush, std::string& to) {
    std::array<Bytef, 16384> output;
    z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
    z.avail_in = static_cast<uInt>(text.size());
    do {
      z.next_out = output.data();
      z.avail_out = output.size();
      deflate(&z, flush);
      to.append(reinterpret_cast<const char*>(output.data()), output.size() - z.avail_out);
    } while (z.avail_out == 0);
  }

  z_stream z{};
};

}  // namespace

struct ClientDeflate::Stream : Deflater {
  using Deflater::Deflater;
};

ClientDeflate::ClientDeflate(std::uint8_t window_bits, bool takeover)
    : stream_(std::make_unique<Stream>(window_bits)), takeover_(takeover) {
}
ClientDeflate::~ClientDeflate() = default;

std::string ClientDeflate::compress(std::string_view text) {
  std::string message;
  stream_->write(text, Z_SYNC_FLUSH, message);
  if (!takeover_) deflateReset(&stream_->z);
  message.resize(message.size() - kTailSize);
  return message;
}

std::string final_block_message(std::string_view text) {
  Deflater stream{15};
  std::string message;
  stream.write(text, Z_FINISH, message);
  return message + '\0';
}

std::string stored_message(std::string_view text, std::size_t block) {
  std::string message;
  for (; !text.empty(); text.remove_prefix(std::min(block, text.size()))) {
    const std::string_view part = text.substr(0, block);
    const auto size = static_cast<unsigned>(part.size());
    for (const unsigned byte : {0U, size & 0xffU, size >> 8, ~size & 0xffU, ~size >> 8 & 0xffU}) {
      message.push_back(static_cast<char>(byte));
    }
    message += part;
  }
  return message + '\0';
}

std::string far_reference_message(unsigned bits) {
  Bits block;
  block.add(0, 1);                  // BFINAL
  block.add(1, 2);                  // fixed codes
  block.add_code(8, 7);             // 264: a length of 10
  block.add_code(2 * bits - 1, 5);  // the last of whose distances is 2 to the power of `bits`
  block.add((1U << (bits - 2)) - 1, bits - 2);
  block.add_code(0, 7);  // 256: the end of the block
  block.add(0, 3);       // an empty stored block, of which the rest is the tail
  return block.bytes();
}

std::string bomb_message(std::size_t size) {
  Deflater stream{15};
  const std::string zeros(std::size_t{1} << 20, '\0');
  std::string message;
  for (std::size_t done = 0; done < size; done += zeros.size()) stream.write(zeros, Z_NO_FLUSH, message);
  stream.write({}, Z_SYNC_FLUSH, message);
  message.resize(message.size() - kTailSize);
  return message;
}

}  // namespace wsproxy::doctor
