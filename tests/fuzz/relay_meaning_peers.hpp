#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <zlib.h>

/// The two ends of one direction for relay_meaning_fuzz and tests/differential: one says what it means, the
/// other makes of the wire what any peer would. Nothing here is the product's, so that no mistake is made
/// twice.
namespace wsproxy::test {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  // Nobody catches it in a fuzz target, where it ends the process; tests/differential tells how to repeat it.
  throw std::logic_error(what);
}

/// A message or control frame that has not arrived yet, and where it stands in its speaker's bytes. They
/// arrive in the order of their ends: a ping between two fragments before the message around it.
struct Meant {
  unsigned opcode = 0;
  std::string payload;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// A client's deflater: one stream of the agreed window, reset after each message without takeover.
class PlainDeflater {
 public:
  PlainDeflater(int window_bits, bool takeover, int level, int strategy) : takeover_(takeover) {
    // zlib has no raw window of 8 bits; with 9 it refers back 250 bytes at most, which 8 allows.
    require(deflateInit2(&stream_, level, Z_DEFLATED, -std::max(9, window_bits), 8, strategy) == Z_OK,
            "deflateInit2");
  }
  ~PlainDeflater() { deflateEnd(&stream_); }
  PlainDeflater(const PlainDeflater&) = delete;
  PlainDeflater& operator=(const PlainDeflater&) = delete;

  enum class Ending : std::uint8_t {
    flushed,
    flushed_inside,
    final_block,
    final_block_and_octet,
    final_block_inside,  // and what follows refers back to what stands before it
  };

  std::string message(std::string_view text, Ending ending) {
    if (text.empty()) return std::string(1, '\0');
    std::string packed;
    const bool is_final = ending == Ending::final_block || ending == Ending::final_block_and_octet;
    if ((ending == Ending::flushed_inside || ending == Ending::final_block_inside) && text.size() > 1) {
      const bool is_final_inside = ending == Ending::final_block_inside;
      run(text.substr(0, text.size() / 2), is_final_inside ? Z_FINISH : Z_SYNC_FLUSH, packed);
      if (is_final_inside) begin_anew_with_window();
      text.remove_prefix(text.size() / 2);
    }
    run(text, is_final ? Z_FINISH : Z_SYNC_FLUSH, packed);
    if (!is_final) packed.resize(packed.size() - 4);
    // RFC 7692 section 7.2.3.4: the tail that the receiver adds must find a stored block begun.
    if (ending == Ending::final_block_and_octet) packed.push_back('\0');
    if (!takeover_) {
      deflateReset(&stream_);
    } else if (is_final) {
      begin_anew_with_window();
    }
    return packed;
  }

 private:
  /// A final block ends zlib's stream, but not what a receiver has to keep (RFC 7692 section 7.2.3.4).
  void begin_anew_with_window() {
    std::array<Bytef, 32768> window;
    uInt size = 0;
    require(deflateGetDictionary(&stream_, window.data(), &size) == Z_OK, "deflateGetDictionary");
    deflateReset(&stream_);
    if (size > 0)
      require(deflateSetDictionary(&stream_, window.data(), size) == Z_OK, "deflateSetDictionary");
  }

  void run(std::string_view text, int flush, std::string& packed) {
    std::string copy{text};
    stream_.next_in = reinterpret_cast<Bytef*>(copy.data());
    stream_.avail_in = static_cast<uInt>(copy.size());
    std::array<char, 16384> buffer;
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(buffer.data());
      stream_.avail_out = static_cast<uInt>(buffer.size());
      ::deflate(&stream_, flush);
      packed.append(buffer.data(), buffer.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

  z_stream stream_{};
  bool takeover_;
};

/// A client's inflater with exactly the agreed window.
class PlainInflater {
 public:
  /// How much of a text comes out one byte at a time. zlib forgives a distance past the window as far as the
  /// present call has put out: `all` judges each of them exactly, `beginning` saves a fuzzer time.
  enum class ByteByByte : std::uint8_t { beginning, all };

  PlainInflater(int window_bits, bool takeover, ByteByByte exact = ByteByByte::beginning)
      : takeover_(takeover), exact_(exact) {
    require(inflateInit2(&stream_, -window_bits) == Z_OK, "inflateInit2");
  }
  ~PlainInflater() { inflateEnd(&stream_); }
  PlainInflater(const PlainInflater&) = delete;
  PlainInflater& operator=(const PlainInflater&) = delete;

  /// With `is_whole` false the message was broken off: what of it can be read.
  std::string message(std::string packed, bool is_whole) {
    if (!takeover_) inflateReset(&stream_);
    if (is_whole) packed.append("\x00\x00\xff\xff", 4);
    std::string text;
    stream_.next_in = reinterpret_cast<Bytef*>(packed.data());
    stream_.avail_in = static_cast<uInt>(packed.size());
    do {
      std::array<char, 61> buffer;
      const std::size_t step = exact_ == ByteByByte::all || text.size() < 512 ? 1 : buffer.size();
      stream_.next_out = reinterpret_cast<Bytef*>(buffer.data());
      stream_.avail_out = static_cast<uInt>(step);
      const int result = ::inflate(&stream_, Z_SYNC_FLUSH);
      require(result == Z_OK || result == Z_BUF_ERROR, "the client can inflate it");
      text.append(buffer.data(), step - stream_.avail_out);
    } while (stream_.avail_out == 0);
    require(stream_.avail_in == 0, "all of a message is deflate");
    return text;
  }

 private:
  z_stream stream_{};
  bool takeover_;
  ByteByByte exact_;
};

/// Says messages: their bytes to its wire, their meaning to `meant`.
class Speaker {
 public:
  Speaker(bool masks, std::deque<Meant>& meant) : masks_(masks), meant_(meant) {}

  /// Cut into fragments at `cuts`, each a part of 256 of the payload, with a ping in each cut if asked.
  /// `packed` is the payload compressed.
  void message(unsigned opcode, std::string text, const std::optional<std::string>& packed,
               std::string_view cuts, bool pings_between) {
    const std::uint64_t begin = said_;
    const std::string_view payload = packed ? std::string_view{*packed} : text;
    std::size_t done = 0;
    for (std::size_t i = 0; i <= cuts.size(); ++i) {
      const bool is_last = i == cuts.size();
      const std::size_t left = payload.size() - done;
      const std::size_t size = is_last ? left : left * static_cast<unsigned char>(cuts[i]) / 256;
      const unsigned first =
          (is_last ? 0x80U : 0U) | (packed && i == 0 ? 0x40U : 0U) | (i == 0 ? opcode : 0U);
      frame(first, payload.substr(done, size));
      done += size;
      if (!is_last && pings_between) control(9, cuts.substr(i));
    }
    mean(opcode, std::move(text), begin);
  }

  void control(unsigned opcode, std::string_view payload) {
    const std::uint64_t begin = said_;
    frame(0x80U | opcode, payload);
    mean(opcode, std::string{payload}, begin);
  }

  /// What it says after this means nothing.
  void close(std::string_view payload) {
    frame(0x88U, payload);
    if (!close_) close_ = {8, std::string{payload}, 0, said_};
  }

  /// What is said and not taken yet.
  std::string_view wire() const { return std::string_view{wire_}.substr(wire_begin_); }
  void take(std::size_t size) {
    wire_begin_ += size;
    taken_ += size;
    if (wire_begin_ != wire_.size()) return;
    wire_.clear();
    wire_begin_ = 0;
  }
  std::uint64_t said() const { return said_; }
  std::uint64_t taken() const { return taken_; }
  bool close_is_taken() const { return close_ && close_->end <= taken_; }
  const std::string& close_payload() const { return close_->payload; }

 private:
  void mean(unsigned opcode, std::string payload, std::uint64_t begin) {
    if (!close_) meant_.push_back({opcode, std::move(payload), begin, said_});
  }

  void frame(unsigned first, std::string_view payload) {
    const std::size_t before = wire_.size();
    wire_.push_back(static_cast<char>(first));
    const unsigned octets = payload.size() < 126 ? 0 : payload.size() < 65536 ? 2 : 8;
    const std::size_t length = octets == 0 ? payload.size() : octets == 2 ? 126 : 127;
    wire_.push_back(static_cast<char>(length | (masks_ ? 0x80U : 0U)));
    for (unsigned i = octets; i-- > 0;) wire_.push_back(static_cast<char>(payload.size() >> (8 * i)));
    std::array<char, 4> key{};
    if (masks_) {
      for (char& byte : key) byte = static_cast<char>((dice_ = dice_ * 1664525U + 1013904223U) >> 24);
      wire_.append(key.data(), key.size());
    }
    const std::size_t at = wire_.size();
    wire_ += payload;
    for (std::size_t i = 0; masks_ && i < payload.size(); ++i) wire_[at + i] ^= key[i % 4];
    said_ += wire_.size() - before;
  }

  bool masks_;
  std::deque<Meant>& meant_;
  std::string wire_;
  std::size_t wire_begin_ = 0;
  std::uint64_t said_ = 0;
  std::uint64_t taken_ = 0;
  std::uint32_t dice_ = 1;
  std::optional<Meant> close_;
};

}  // namespace wsproxy::test
