// Inflating one message at a time with zlib.
//
// zlib's raw inflater checks a distance against its window *and* what the present call has put out so
// far. Given a window of exactly the agreed size, whether it notices a peer's too long distance would
// depend on how the network happened to cut the message. So a live inflater always has zlib's full
// 32 KiB, which no distance can exceed, and is primed with no more than the agreed window of earlier
// messages: what lies before those is out of reach in every case, while inside its own message a peer
// may refer back as far as the format allows. The result is the same however the message is cut.

#include "deflate/decoder.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <new>
#include <optional>
#include <utility>

#include <zlib.h>

#ifdef WSPROXY_HAS_ISAL
#include "deflate/isal_inflater.hpp"
#endif
#include "deflate/zlib_memory.hpp"

namespace wsproxy::deflate {
namespace {

constexpr int kRawFullWindow = -15;
constexpr std::size_t kSmallestOutputStep = 512;
constexpr std::size_t kLargestOutputStep = std::size_t{16} << 10;
constexpr std::size_t kMaxStep = std::numeric_limits<uInt>::max();
constexpr int kBetweenBlocks = 128;  // in z_stream::data_type after inflate

constexpr std::array kTail{std::byte{0x00}, std::byte{0x00}, std::byte{0xff}, std::byte{0xff}};

/// What a message may refer back to.
base::Bytes past_of(History* history, std::uint8_t window_bits) {
  const base::Bytes text = history != nullptr ? history->text() : base::Bytes{};
  return text.last(std::min(text.size(), std::size_t{1} << window_bits));
}

std::unique_ptr<WholeInflater> make_whole_inflater([[maybe_unused]] Budget& budget) {
#ifdef WSPROXY_HAS_ISAL
  return make_isal_inflater(budget);
#else
  return nullptr;
#endif
}

/// Small messages shall not make big buffers.
std::size_t output_step(std::size_t input_size) {
  if (input_size >= kLargestOutputStep / 4) return kLargestOutputStep;
  return std::max(kSmallestOutputStep, input_size * 4);
}

}  // namespace

class LiveDecoder {
 public:
  explicit LiveDecoder(Budget& budget) {
    charge_to(budget, stream_);
    if (inflateInit2(&stream_, kRawFullWindow) != Z_OK) throw std::bad_alloc{};
  }
  ~LiveDecoder() { inflateEnd(&stream_); }
  // zlib keeps a pointer back to its z_stream.
  LiveDecoder(const LiveDecoder&) = delete;
  LiveDecoder& operator=(const LiveDecoder&) = delete;

  void prime(base::Bytes text) {
    inflateReset(&stream_);
    tail_ = kTail;
    at_boundary_ = true;
    ended_ = pending_ = closing_ = corrupt_ = false;
    if (text.empty()) return;
    const int result = inflateSetDictionary(&stream_, reinterpret_cast<const Bytef*>(text.data()),
                                            static_cast<uInt>(text.size()));
    if (result != Z_OK) throw std::bad_alloc{};
  }

  DecodeStatus write(base::Bytes& input, base::ByteQueue& out, std::size_t max_output, History* history) {
    std::size_t left = max_output;
    while (!corrupt_ && (pending_ || !input.empty())) {
      if (left == 0) return DecodeStatus::output_full;
      step(input, out, left, history);
    }
    return corrupt_ ? DecodeStatus::corrupt : DecodeStatus::needs_input;
  }

  DecodeStatus finish(base::ByteQueue& out, std::size_t max_output, History* history) {
    std::size_t left = max_output;
    while (!corrupt_) {
      if (pending_ || (closing_ && !tail_.empty())) {
        if (left == 0) return DecodeStatus::output_full;
        base::Bytes nothing;
        step(closing_ ? tail_ : nothing, out, left, history);
      } else if (at_boundary_) {
        // A final block has no tail (RFC 7692 section 7.2.3.4), some peers leave the tail in place, and
        // a message of no octets has none either.
        return DecodeStatus::message_end;
      } else if (closing_) {
        corrupt_ = true;
      } else {
        closing_ = true;
      }
    }
    return DecodeStatus::corrupt;
  }

 private:
  /// One call of inflate: takes from `input`, puts out at most `left` bytes and counts them off.
  void step(base::Bytes& input, base::ByteQueue& out, std::size_t& left, History* history) {
    if (ended_) inflateResetKeep(&stream_);  // a block after the final one; the window stays
    const std::size_t offered = std::min(input.size(), kMaxStep);
    const auto room = out.prepare(std::min(output_step(offered), left));
    const std::size_t usable = std::min({room.size(), left, kMaxStep});
    // Not const in zlib's declaration, but only read.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(input.data()));
    stream_.avail_in = static_cast<uInt>(offered);
    stream_.next_out = reinterpret_cast<Bytef*>(room.data());
    stream_.avail_out = static_cast<uInt>(usable);
    const int result = inflate(&stream_, Z_SYNC_FLUSH);
    if (result == Z_MEM_ERROR) throw std::bad_alloc{};

    input = input.subspan(offered - stream_.avail_in);
    const std::size_t produced = usable - stream_.avail_out;
    if (history != nullptr) history->append(room.first(produced));
    out.commit(produced);
    left -= produced;

    ended_ = result == Z_STREAM_END;
    at_boundary_ = ended_ || (stream_.data_type & kBetweenBlocks) != 0;
    // Between blocks zlib waits for input only. It must not be asked again without any: it would then
    // no longer say that it stands between blocks.
    pending_ = stream_.avail_out == 0 && !at_boundary_;
    // Z_BUF_ERROR only says that there was nothing to do.
    corrupt_ = !ended_ && result != Z_OK && result != Z_BUF_ERROR;
  }

  z_stream stream_{};
  base::Bytes tail_;         // what finish() has not yet fed
  bool at_boundary_ = true;  // all used input makes whole blocks
  bool ended_ = false;       // the last block had BFINAL set
  bool pending_ = false;     // the output was full: there may be more text without more input
  bool closing_ = false;     // finish() feeds the tail
  bool corrupt_ = false;
};

MessageDecoder::MessageDecoder(DecoderPool& pool, std::unique_ptr<LiveDecoder> decoder, History* history)
    : pool_(&pool), decoder_(std::move(decoder)), history_(history) {
}

MessageDecoder::MessageDecoder(MessageDecoder&&) noexcept = default;

MessageDecoder& MessageDecoder::operator=(MessageDecoder&& other) noexcept {
  // What this one held goes back when `other` is destroyed.
  std::swap(pool_, other.pool_);
  std::swap(decoder_, other.decoder_);
  std::swap(history_, other.history_);
  return *this;
}

MessageDecoder::~MessageDecoder() {
  if (decoder_) pool_->give_back(std::move(decoder_));
}

DecodeStatus MessageDecoder::write(base::Bytes& input, base::ByteQueue& out, std::size_t max_output) {
  return decoder_->write(input, out, max_output, history_);
}

DecodeStatus MessageDecoder::finish(base::ByteQueue& out, std::size_t max_output) {
  return decoder_->finish(out, max_output, history_);
}

DecoderPool::DecoderPool(std::size_t max_idle, Budget& budget) : budget_(&budget), max_idle_(max_idle) {
}

DecoderPool::~DecoderPool() = default;

std::size_t DecoderPool::idle_count() const {
  return idle_.size();
}

MessageDecoder DecoderPool::begin(std::uint8_t window_bits, History* history) {
  std::unique_ptr<LiveDecoder> decoder;
  if (idle_.empty()) {
    decoder = std::make_unique<LiveDecoder>(*budget_);
  } else {
    decoder = std::move(idle_.back());
    idle_.pop_back();
  }
  decoder->prime(past_of(history, window_bits));
  return {*this, std::move(decoder), history};
}

bool DecoderPool::inflate_whole(std::uint8_t window_bits, History* history, base::Bytes packed,
                                base::ByteQueue& out, std::size_t most) {
  used_whole_inflater_ = true;
  if (!whole_inflater_) whole_inflater_ = make_whole_inflater(*budget_);
  if (!whole_inflater_ || packed.size() > kMaxStep || most > kMaxStep) return false;
  const base::MutableBytes room = out.prepare(most).first(most);
  const std::optional<std::size_t> size =
      whole_inflater_->inflate(past_of(history, window_bits), packed, room);
  if (!size) return false;
  if (history != nullptr) history->append(room.first(*size));
  out.commit(*size);
  return true;
}

bool DecoderPool::has_whole_inflater() {
#ifdef WSPROXY_HAS_ISAL
  return true;
#else
  return false;
#endif
}

void DecoderPool::retire_unused() {
  if (!std::exchange(used_whole_inflater_, false)) whole_inflater_.reset();
}

void DecoderPool::give_back(std::unique_ptr<LiveDecoder> decoder) {
  if (idle_.size() < max_idle_) idle_.push_back(std::move(decoder));
}

}  // namespace wsproxy::deflate
