#include "deflate/encoder.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

#include <zlib.h>

#include "deflate/zlib_memory.hpp"

namespace wsproxy::deflate {
namespace {

constexpr std::size_t kInputStep = std::size_t{1} << 30;  // zlib counts in 32 bits
constexpr std::size_t kOutputStep = std::size_t{16} << 10;
constexpr std::size_t kTailSize = 4;  // 00 00 ff ff
constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

/// zlib's hash table has 2^(level + 7) heads: as many as the window has positions are enough.
int memory_level(EncoderShape shape) {
  return std::clamp(shape.window_bits - 7, 5, 8);
}

/// zlib refuses raw window bits of 8. With 9 it refers back 512 - 262 = 250 bytes at most, which is
/// inside the 256 of a window of 8 bits.
int zlib_window_bits(EncoderShape shape) {
  return -std::max<int>(9, shape.window_bits);
}

}  // namespace

class LiveEncoder {
 public:
  LiveEncoder(EncoderShape shape, Budget& budget) : shape_(shape) {
    charge_to(budget, stream_);
    if (deflateInit2(&stream_, shape.level, Z_DEFLATED, zlib_window_bits(shape), memory_level(shape),
                     Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc{};
    }
  }
  ~LiveEncoder() { deflateEnd(&stream_); }
  // zlib keeps a pointer back to its z_stream.
  LiveEncoder(const LiveEncoder&) = delete;
  LiveEncoder& operator=(const LiveEncoder&) = delete;

  EncoderShape shape() const { return shape_; }
  /// The stamp of the history it stands at; 0 when it has to be primed before use.
  std::uint64_t stamp() const { return stamp_; }
  void set_stamp(std::uint64_t stamp) { stamp_ = stamp; }

  void prime(base::Bytes text) {
    if (!is_fresh_) deflateReset(&stream_);
    is_fresh_ = false;
    if (text.empty()) return;
    deflateSetDictionary(&stream_, reinterpret_cast<const Bytef*>(text.data()),
                         static_cast<uInt>(text.size()));
  }

  /// False when `limit` bytes came out, which may not be all: the stream is then of no use before prime().
  bool run(base::Bytes text, int flush, base::ByteQueue& out, std::size_t limit) {
    while (text.size() > kInputStep) {
      if (!step(text.first(kInputStep), Z_NO_FLUSH, out, limit)) return false;
      text = text.subspan(kInputStep);
    }
    return step(text, flush, out, limit);
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
  EncoderShape shape_;
  std::uint64_t stamp_ = 0;
  bool is_fresh_ = true;
};

EncoderShape fitted_shape(std::uint8_t level, std::uint8_t agreed_window_bits, std::size_t reach,
                          std::size_t text_size) {
  constexpr std::uint8_t kLeast = 13;
  std::uint8_t bits = kLeast;
  while (bits < 15 && (std::size_t{1} << bits) < reach + text_size) ++bits;
  return {level, std::min(bits, agreed_window_bits)};
}

MessageEncoder::MessageEncoder(EncoderPool& pool, std::unique_ptr<LiveEncoder> encoder, History* history)
    : pool_(&pool), encoder_(std::move(encoder)), history_(history) {
}

MessageEncoder::MessageEncoder(MessageEncoder&&) noexcept = default;

MessageEncoder& MessageEncoder::operator=(MessageEncoder&& other) noexcept {
  // What this one held is abandoned when `other` is destroyed.
  std::swap(pool_, other.pool_);
  std::swap(encoder_, other.encoder_);
  std::swap(history_, other.history_);
  std::swap(wrote_, other.wrote_);
  return *this;
}

MessageEncoder::~MessageEncoder() {
  if (!encoder_) return;
  if (history_ != nullptr) history_->forget();
  pool_->give_back(std::move(encoder_), nullptr);
}

void MessageEncoder::write(base::Bytes text, base::ByteQueue& out) {
  if (text.empty()) return;
  wrote_ = true;
  encoder_->run(text, Z_NO_FLUSH, out, kNoLimit);
  if (history_ != nullptr) history_->append(text);
}

void MessageEncoder::finish(base::ByteQueue& out) {
  if (wrote_) {
    encoder_->run({}, Z_SYNC_FLUSH, out, kNoLimit);
    out.truncate(out.size() - kTailSize);
  } else {
    // The stream stands at a byte boundary and zlib has nothing to flush: RFC 7692 section 7.2.3.6.
    out.append(std::byte{0});
  }
  pool_->give_back(std::move(encoder_), history_);
}

EncoderPool::EncoderPool(std::size_t max_idle, Budget& budget) : budget_(&budget), max_idle_(max_idle) {
  idle_.reserve(max_idle + 1);  // so that giving back cannot throw
}

EncoderPool::~EncoderPool() = default;

std::size_t EncoderPool::idle_count() const {
  return idle_.size();
}

MessageEncoder EncoderPool::begin(EncoderShape shape, History* history) {
  // A history that keeps nothing is no context takeover.
  if (history != nullptr && history->reach() == 0) history = nullptr;
  return {*this, take(shape, history), history};
}

bool EncoderPool::compress(base::Bytes text, EncoderShape shape, History* history, base::ByteQueue& out) {
  if (text.size() <= 1) return false;
  if (history != nullptr && history->reach() == 0) history = nullptr;
  auto encoder = take(shape, history);
  const std::size_t before = out.size();
  // At this many bytes, with the tail, nothing is gained.
  if (!encoder->run(text, Z_SYNC_FLUSH, out, text.size() + kTailSize)) {
    out.truncate(before);
    if (history != nullptr) history->set_stamp(0);
    give_back(std::move(encoder), nullptr);
    return false;
  }
  out.truncate(out.size() - kTailSize);
  if (history != nullptr) history->append(text);
  give_back(std::move(encoder), history);
  return true;
}

std::size_t EncoderPool::choose(EncoderShape shape, std::uint64_t stamp) const {
  std::size_t unowned = kNone;
  std::size_t hottest = kNone;
  for (std::size_t i = 0; i < idle_.size(); ++i) {
    const Idle& idle = idle_[i];
    if (idle.shape != shape) continue;
    if (stamp != 0 && idle.stamp == stamp) return i;
    if (idle.stamp == 0) unowned = i;
    hottest = i;
  }
  if (unowned != kNone) return unowned;
  // With room left a new encoder keeps the others where they stand. Without, the one in the caches is
  // primed again: replacing the coldest would serve nobody when more connections take turns than there
  // are encoders, and would cost a walk through cold memory each time.
  return idle_.size() < max_idle_ ? kNone : hottest;
}

std::unique_ptr<LiveEncoder> EncoderPool::take(EncoderShape shape, const History* history) {
  const std::uint64_t stamp = history != nullptr ? history->stamp() : 0;
  const std::size_t chosen = choose(shape, stamp);
  std::unique_ptr<LiveEncoder> encoder;
  if (chosen != kNone) {
    encoder = std::move(idle_[chosen].encoder);
    idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(chosen));
  } else {
    encoder = std::make_unique<LiveEncoder>(shape, *budget_);
  }

  if (stamp != 0 && encoder->stamp() == stamp) {
    ++resumed_;
  } else {
    encoder->prime(history != nullptr ? history->text() : base::Bytes{});
    if (history != nullptr) ++primed_;
  }
  return encoder;
}

void EncoderPool::give_back(std::unique_ptr<LiveEncoder> encoder, History* history) {
  encoder->set_stamp(0);
  if (history != nullptr) {
    encoder->set_stamp(next_stamp_++);
    history->set_stamp(encoder->stamp());
  }
  Idle idle{encoder->stamp(), encoder->shape(), round_, nullptr};
  idle.encoder = std::move(encoder);
  idle_.push_back(std::move(idle));
  if (idle_.size() > max_idle_) idle_.erase(idle_.begin());
}

std::size_t EncoderPool::retire_unused() {
  const std::size_t retired = std::erase_if(idle_, [this](const Idle& idle) { return idle.round != round_; });
  ++round_;
  return retired;
}

}  // namespace wsproxy::deflate
