// Compressing with ISA-L (igzip). Its level 0 is used with static tables only: with its default ones it
// writes some 100 bytes of tables into every message.

#include "deflate/isal_encoder.hpp"

#include <algorithm>
#include <isa-l/igzip_lib.h>

namespace wsproxy::deflate {
namespace {

constexpr std::size_t kInputStep = std::size_t{1} << 30;  // ISA-L counts in 32 bits
constexpr std::size_t kOutputStep = std::size_t{16} << 10;

/// The token buffers of level 1 and up: 16 Ki tokens a block, more costs memory and gains nothing.
std::size_t level_buffer_size(std::uint8_t level) {
  switch (level) {
    case 0:
      return 0;
    case 1:
      return ISAL_DEF_LVL1_SMALL;
    case 2:
      return ISAL_DEF_LVL2_SMALL;
    default:
      return ISAL_DEF_LVL3_SMALL;
  }
}

class IsalEncoder final : public LiveEncoder {
 public:
  IsalEncoder(EncoderShape shape, Budget& budget)
      : budget_(budget),
        buffer_size_(level_buffer_size(shape.method.level)),
        stream_(std::make_unique_for_overwrite<isal_zstream>()),
        buffer_(buffer_size_ == 0 ? nullptr : std::make_unique_for_overwrite<std::uint8_t[]>(buffer_size_)) {
    budget_.reserve(sizeof(isal_zstream) + buffer_size_);
    isal_deflate_init(stream_.get());
    stream_->level = shape.method.level;
    stream_->level_buf = buffer_.get();
    stream_->level_buf_size = static_cast<std::uint32_t>(buffer_size_);
    stream_->hist_bits = shape.window_bits;
    if (shape.method.level == 0) isal_deflate_set_hufftables(stream_.get(), nullptr, IGZIP_HUFFTABLE_STATIC);
  }
  ~IsalEncoder() override { budget_.release(sizeof(isal_zstream) + buffer_size_); }
  IsalEncoder(const IsalEncoder&) = delete;
  IsalEncoder& operator=(const IsalEncoder&) = delete;

  void prime(base::Bytes past) override {
    isal_deflate_reset(stream_.get());
    if (past.empty()) return;
    // Not const in ISA-L's declaration, but only copied.
    auto* const text = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(past.data()));
    isal_deflate_set_dict(stream_.get(), text, static_cast<std::uint32_t>(past.size()));
  }

  bool run(base::Bytes text, Flush flush, base::ByteQueue& out, std::size_t limit) override {
    while (text.size() > kInputStep) {
      if (!step(text.first(kInputStep), NO_FLUSH, out, limit)) return false;
      text = text.subspan(kInputStep);
    }
    return step(text, flush == Flush::sync ? SYNC_FLUSH : NO_FLUSH, out, limit);
  }

 private:
  bool step(base::Bytes text, std::uint16_t flush, base::ByteQueue& out, std::size_t& limit) {
    // Not const in ISA-L's declaration, but only read.
    stream_->next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(text.data()));
    stream_->avail_in = static_cast<std::uint32_t>(text.size());
    stream_->flush = flush;
    do {
      const auto room = out.prepare(std::min(kOutputStep, limit));
      const std::size_t usable = std::min({room.size(), limit, kInputStep});
      stream_->next_out = reinterpret_cast<std::uint8_t*>(room.data());
      stream_->avail_out = static_cast<std::uint32_t>(usable);
      isal_deflate(stream_.get());
      const std::size_t produced = usable - stream_->avail_out;
      out.commit(produced);
      limit -= produced;
    } while (stream_->avail_out == 0 && limit > 0);
    return stream_->avail_out > 0;
  }

  Budget& budget_;
  std::size_t buffer_size_;
  std::unique_ptr<isal_zstream> stream_;
  std::unique_ptr<std::uint8_t[]> buffer_;
};

}  // namespace

std::unique_ptr<LiveEncoder> make_isal_encoder(EncoderShape shape, Budget& budget) {
  return std::make_unique<IsalEncoder>(shape, budget);
}

std::size_t isal_encoder_memory(EncoderShape shape) {
  return sizeof(isal_zstream) + level_buffer_size(shape.method.level);
}

}  // namespace wsproxy::deflate
