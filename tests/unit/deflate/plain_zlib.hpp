#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <zlib.h>

#include "base/byte_queue.hpp"

namespace wsproxy::deflate::test {

inline const std::string kTail{"\x00\x00\xff\xff", 4};

inline std::string text_of(const base::ByteQueue& queue) {
  return std::string{base::as_text(queue.view())};
}

/// A browser's side of server to client: one inflater of exactly the agreed window for the whole
/// connection, and no code of ours.
class PeerInflater {
 public:
  PeerInflater(int window_bits, bool takeover) : takeover_(takeover) {
    if (inflateInit2(&stream_, -window_bits) != Z_OK) throw std::runtime_error{"inflateInit2"};
  }
  ~PeerInflater() { inflateEnd(&stream_); }
  PeerInflater(const PeerInflater&) = delete;
  PeerInflater& operator=(const PeerInflater&) = delete;

  /// With an output step of 1, zlib notices every distance beyond its window.
  std::string message(std::string_view payload, std::size_t output_step = 1) {
    if (!takeover_) inflateReset(&stream_);
    std::string input{payload};
    input += kTail;
    std::string text;
    std::vector<Bytef> buffer(output_step);
    stream_.next_in = reinterpret_cast<Bytef*>(input.data());
    stream_.avail_in = static_cast<uInt>(input.size());
    do {
      stream_.next_out = buffer.data();
      stream_.avail_out = static_cast<uInt>(output_step);
      const int result = inflate(&stream_, Z_SYNC_FLUSH);
      if (result != Z_OK && result != Z_BUF_ERROR) throw std::runtime_error{"the peer cannot inflate this"};
      text.append(reinterpret_cast<char*>(buffer.data()), output_step - stream_.avail_out);
    } while (stream_.avail_out == 0);
    return text;
  }

 private:
  z_stream stream_{};
  bool takeover_;
};

/// A client's compressor, and no code of ours. Its window is 9..15 (zlib has no 8).
class PeerDeflater {
 public:
  enum class End { stripped, tail_left_in, final_block, final_block_and_zero_octet };

  PeerDeflater(int level, int window_bits, int memory_level, bool takeover) : takeover_(takeover) {
    if (deflateInit2(&stream_, level, Z_DEFLATED, -window_bits, memory_level, Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::runtime_error{"deflateInit2"};
    }
  }
  ~PeerDeflater() { deflateEnd(&stream_); }
  PeerDeflater(const PeerDeflater&) = delete;
  PeerDeflater& operator=(const PeerDeflater&) = delete;

  void begin() {
    payload_.clear();
    if (!takeover_) restart();
  }

  /// Any flush but Z_FINISH.
  void write(std::string_view text, int flush) {
    sent_ += text;
    run(text, flush);
  }

  /// Ends the block with BFINAL set and goes on at the next byte, keeping what may be referred back to.
  void end_final_block() {
    run({}, Z_FINISH);
    deflateReset(&stream_);
    const auto kept =
        std::string_view{sent_}.substr(sent_.size() - std::min<std::size_t>(sent_.size(), 32768));
    if (!kept.empty()) {
      deflateSetDictionary(&stream_, reinterpret_cast<const Bytef*>(kept.data()),
                           static_cast<uInt>(kept.size()));
    }
  }

  std::string finish(End end) {
    switch (end) {
      case End::stripped:
      case End::tail_left_in:
        run({}, Z_SYNC_FLUSH);
        // Nothing new to flush leaves the tail of the flush before, which is a whole message as well.
        if (!payload_.ends_with(kTail)) payload_ += std::string(1, '\0') + kTail;
        if (end == End::stripped) payload_.resize(payload_.size() - 4);
        break;
      case End::final_block:
        end_final_block();
        break;
      case End::final_block_and_zero_octet:
        end_final_block();
        payload_ += '\0';
        break;
    }
    if (!takeover_) restart();
    return std::exchange(payload_, {});
  }

  /// A message as most clients send it.
  std::string message(std::string_view text) {
    begin();
    write(text, Z_NO_FLUSH);
    return finish(End::stripped);
  }

 private:
  void restart() {
    deflateReset(&stream_);
    sent_.clear();
  }

  void run(std::string_view text, int flush) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream_.avail_in = static_cast<uInt>(text.size());
    std::vector<char> buffer(text.size() + 1024);
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(buffer.data());
      stream_.avail_out = static_cast<uInt>(buffer.size());
      ::deflate(&stream_, flush);
      payload_.append(buffer.data(), buffer.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

  z_stream stream_{};
  bool takeover_;
  std::string payload_;
  std::string sent_;
};

/// Writes blocks with the fixed codes bit by bit (RFC 1951 section 3.2.6), for what no compressor emits.
class FixedBlock {
 public:
  explicit FixedBlock(bool is_final = false) {
    bits(is_final ? 1 : 0, 1);
    bits(1, 2);
  }

  /// ASCII only.
  FixedBlock& literals(std::string_view text) {
    for (const char c : text) code(0x30u + static_cast<unsigned char>(c), 8);
    return *this;
  }

  /// Three bytes from `distance` back.
  FixedBlock& match(std::uint32_t distance) {
    code(1, 7);
    std::uint32_t symbol = 0;
    std::uint32_t base = 1;
    std::uint32_t extra = 0;
    while (distance >= base + (1u << extra)) {
      base += 1u << extra;
      ++symbol;
      extra = symbol < 4 ? 0 : symbol / 2 - 1;
    }
    code(symbol, 5);
    bits(distance - base, extra);
    return *this;
  }

  /// Ends the block; without BFINAL the header of an empty stored block follows, as in a sync flush.
  std::string done(bool with_stored_header = true) {
    code(0, 7);
    if (with_stored_header) bits(0, 3);
    return out_;
  }

 private:
  void bits(std::uint32_t value, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) bit((value >> i) & 1u);
  }
  void code(std::uint32_t value, std::uint32_t count) {
    for (std::uint32_t i = count; i-- > 0;) bit((value >> i) & 1u);
  }
  void bit(std::uint32_t value) {
    if (used_ == 0) out_.push_back('\0');
    out_.back() = static_cast<char>(static_cast<unsigned char>(out_.back()) | (value << used_));
    used_ = (used_ + 1) % 8;
  }

  std::string out_;
  std::uint32_t used_ = 0;
};

/// Seeded texts of the kinds that connections carry.
class Texts {
 public:
  explicit Texts(std::uint32_t seed) : random_(seed) {}

  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>{0, bound - 1}(random_);
  }
  bool one_in(std::size_t n) { return below(n) == 0; }

  std::string chat() {
    static constexpr std::string_view kWords[]{"hello",  "there", "meeting", "at",     "noon",  "the",
                                               "deploy", "is",    "done",    "and",    "green", "who",
                                               "broke",  "it",    "again",   "coffee", "please"};
    std::string body;
    for (std::size_t i = 4 + below(30); i > 0; --i)
      body += std::string{kWords[below(std::size(kWords))]} + " ";
    return R"({"type":"message","room":"general","user":{"id":)" + std::to_string(1000 + below(60)) +
           R"(,"name":"user)" + std::to_string(below(60)) + R"("},"ts":)" +
           std::to_string(1700000000 + below(100000)) + R"(,"text":")" + body + "\"}";
  }
  std::string noise(std::size_t size) {
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>(below(256));
    return text;
  }
  std::string runs(std::size_t size) {
    std::string text;
    while (text.size() < size) text.append(1 + below(300), static_cast<char>('a' + below(3)));
    text.resize(size);
    return text;
  }
  std::string chats(std::size_t size) {
    std::string text;
    while (text.size() < size) text += chat();
    text.resize(size);
    return text;
  }
  std::string any() {
    switch (below(10)) {
      case 0:
        return noise(below(600));
      case 1:
        return runs(below(5000));
      case 2:
        return chats(below(20000));
      case 3:
        return chats(below(20));
      default:
        return chat();
    }
  }

 private:
  std::mt19937 random_;
};

}  // namespace wsproxy::deflate::test
