#include "deflate/zlib_encoder.hpp"

#include <algorithm>
#include <new>

#include <zlib.h>

#include "deflate/zlib_memory.hpp"

namespace wsproxy::deflate {
namespace {

constexpr std::size_t kInputStep = std::size_t{1} << 30;  // zlib counts in 32 bits
constexpr std::size_t kOutputStep = std::size_t{16} << 10;

/// zlib's hash table has 2^(level + 7) heads: as many as the window has positions are enough.
int memory_level(EncoderShape shape) {
  return std::clamp(shape.window_bits - 7, 5, 8);
}

/// zlib refuses raw window bits of 8. With 9 it refers back 512 - 262 = 250 bytes at most, which is
/// inside the 256 of a window of 8 bits.
int zlib_window_bits(EncoderShape shape) {
  return std::max<int>(9, shape.window_bits);
}

class ZlibEncoder final : public LiveEncoder {
 public:
  ZlibEncoder(EncoderShape shape, Budget& budget) {
    charge_to(budget, stream_);
    if (deflateInit2(&stream_, shape.method.level, Z_DEFLATED, -zlib_window_bits(shape), memory_level(shape),
                     Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc{};
    }
  }
  ~ZlibEncoder() override { deflateEnd(&stream_); }
  // zlib keeps a pointer back to its z_stream.
  ZlibEncoder(const ZlibEncoder&) = delete;
  ZlibEncoder& operator=(const ZlibEncoder&) = delete;

  void prime(base::Bytes past) override {
    if (!is_fresh_) deflateReset(&stream_);
    is_fresh_ = false;
    if (past.empty()) return;
    deflateSetDictionary(&stream_, reinterpret_cast<const Bytef*>(past.data()),
                         static_cast<uInt>(past.size()));
  }

  bool run(base::Bytes text, Flush flush, base::ByteQueue& out, std::size_t limit) override {
    while (text.size() > kInputStep) {
      if (!step(text.first(kInputStep), Z_NO_FLUSH, out, limit)) return false;
      text = text.subspan(kInputStep);
    }
    return step(text, flush == Flush::sync ? Z_SYNC_FLUSH : Z_NO_FLUSH, out, limit);
  }

 private:
  bool step(base::Bytes text, int flush, base::ByteQueue& out, std::size_t& limit) {
    // Not const in zlib's declaration, but only read.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(text.data()));
    stream_.avail_in = static_cast<uInt>(text.size());
    do {
      const auto room = out.prepare(std::min(kOutputStep, limit));
      const std::size_t usable = std::min({room.size(), limit, kInputStep});
      stream_.next_out = reinterpret_cast<Bytef*>(room.data());
      stream_.avail_out = static_cast<uInt>(usable);
      ::deflate(&stream_, flush);
      const std::size_t produced = usable - stream_.avail_out;
      out.commit(produced);
      limit -= produced;
    } while (stream_.avail_out == 0 && limit > 0);
    return stream_.avail_out > 0;
  }

  z_stream stream_{};
  bool is_fresh_ = true;
};

}  // namespace

std::unique_ptr<LiveEncoder> make_zlib_encoder(EncoderShape shape, Budget& budget) {
  return std::make_unique<ZlibEncoder>(shape, budget);
}

std::size_t zlib_encoder_memory(EncoderShape shape) {
  // deflate(3) in zconf.h: windows and hash chains, heads and symbols; and the state itself.
  const auto window = std::size_t{1} << (zlib_window_bits(shape) + 2);
  const auto tables = std::size_t{1} << (memory_level(shape) + 9);
  return window + tables + 6 * 1024;
}

}  // namespace wsproxy::deflate
