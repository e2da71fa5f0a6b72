// Any bytes as a compressed message, against zlib. The first byte chooses the window and whether there is a
// past, the next how much of a past; the rest is the message.
//
// What zlib inflates with exactly the agreed window our decoder has to inflate to the same text, by its long
// way and, if it takes it, by its short one. It may take more than that: a message may refer as far back into
// itself as 32 KiB. Into what was sent before it the window is the limit.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include <zlib.h>

#include "deflate/decoder.hpp"

namespace {

using namespace wsproxy;
using deflate::DecodeStatus;

constexpr std::size_t kMost = 1 << 14;
constexpr std::size_t kReach = 32768;  // of the history: the decoder, not it, has to know the window
constexpr std::string_view kTail{"\x00\x00\xff\xff", 4};

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

/// zlib with a window of so many bits. One byte of output a call, since within a call it forgives distances
/// past the window as far as that call has put out.
class Reference {
 public:
  Reference(int window_bits, std::string past)
      : window_(std::size_t{1} << window_bits), text_(std::move(past)), begin_(text_.size()) {
    require(inflateInit2(&stream_, -window_bits) == Z_OK, "inflateInit2");
    remember();
  }
  ~Reference() { inflateEnd(&stream_); }
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;

  /// The text of a good message of at most kMost bytes; `is_long` when it has more.
  std::optional<std::string> message(std::string_view packed, bool& is_long) {
    is_long = false;
    if (!run(packed, is_long)) return std::nullopt;
    if (!is_between_blocks_ && (!run(kTail, is_long) || !is_between_blocks_)) return std::nullopt;
    return text_.substr(begin_);
  }

 private:
  /// A final block ends zlib's stream, but not the message (RFC 7692 section 7.2.3.4): another stream begins
  /// behind the same text.
  void remember() {
    const std::size_t size = std::min(text_.size(), window_);
    if (size == 0) return;
    const auto* last = reinterpret_cast<const Bytef*>(text_.data() + text_.size() - size);
    require(inflateSetDictionary(&stream_, last, static_cast<uInt>(size)) == Z_OK, "inflateSetDictionary");
  }

  bool run(std::string_view packed, bool& is_long) {
    std::string input{packed};
    stream_.next_in = reinterpret_cast<Bytef*>(input.data());
    stream_.avail_in = static_cast<uInt>(input.size());
    for (bool may_hold_back = true; stream_.avail_in > 0 || may_hold_back;) {
      char byte;
      stream_.next_out = reinterpret_cast<Bytef*>(&byte);
      stream_.avail_out = 1;
      const int result = ::inflate(&stream_, Z_SYNC_FLUSH);
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return false;
      may_hold_back = stream_.avail_out == 0;
      if (may_hold_back) text_ += byte;
      if (text_.size() - begin_ > kMost) {
        is_long = true;
        return false;
      }
      // Asked without input zlib no longer says that it stands between two blocks.
      constexpr int kBetweenBlocks = 128;
      is_between_blocks_ = result == Z_STREAM_END || (result == Z_BUF_ERROR && is_between_blocks_) ||
                           (stream_.data_type & kBetweenBlocks) != 0;
      if (result != Z_STREAM_END) continue;
      inflateReset(&stream_);
      remember();
      may_hold_back = false;
    }
    return true;
  }

  std::size_t window_;
  std::string text_;
  std::size_t begin_;
  z_stream stream_{};
  bool is_between_blocks_ = true;
};

std::optional<std::string> decode(deflate::DecoderPool& pool, int window_bits, deflate::History* history,
                                  base::Bytes packed) {
  auto decoder = pool.begin(static_cast<std::uint8_t>(window_bits), history);
  base::ByteQueue out;
  if (decoder.write(packed, out, kMost + 1) != DecodeStatus::needs_input) return std::nullopt;
  const std::size_t left = kMost + 1 - out.size();
  if (left == 0 || decoder.finish(out, left) != DecodeStatus::message_end || out.size() > kMost)
    return std::nullopt;
  return std::string{base::as_text(out.view())};
}

std::string past_of(std::size_t size) {
  std::string past;
  for (std::uint32_t i = 0; past.size() < size; ++i)
    past += std::to_string(i * 2654435761U) + " what was sent ";
  past.resize(size);
  return past;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const int window_bits = 8 + (data[0] & 7);
  const std::string past = past_of((data[0] & 8) != 0 ? std::size_t{data[1]} * 129 : 0);
  const std::string_view packed{reinterpret_cast<const char*>(data) + 2, size - 2};

  bool is_long = false;
  const std::size_t window = std::size_t{1} << window_bits;
  const auto exact = Reference{window_bits, past}.message(packed, is_long);
  bool is_lax_long = false;
  const std::string reachable = past.substr(past.size() - std::min(past.size(), window));
  const auto lax = Reference{15, reachable}.message(packed, is_lax_long);

  deflate::Budget budget{std::size_t{1} << 20U};
  {
    deflate::DecoderPool pool{1, budget};
    deflate::History history{kReach, deflate::History::Keep::must_keep, budget};
    history.append(base::as_bytes(past));
    const auto ours = decode(pool, window_bits, &history, base::as_bytes(packed));
    require(!exact || ours == exact, "what zlib takes is taken, and means the same");
    require(is_lax_long || ours == lax, "nothing more is taken than a reach into the message itself");
    if (ours) {
      const std::string all = past + *ours;
      require(base::as_text(history.text()) == all.substr(all.size() - std::min(all.size(), kReach)),
              "the history has what came");
    }
    deflate::History again{kReach, deflate::History::Keep::must_keep, budget};
    again.append(base::as_bytes(past));
    base::ByteQueue out;
    if (pool.inflate_whole(static_cast<std::uint8_t>(window_bits), &again, base::as_bytes(packed), out,
                           kMost + 1)) {
      require(lax && base::as_text(out.view()) == *lax, "the short way comes to the same");
    }
    require(budget.used() <= std::size_t{256} << 10U, "inflating takes no more memory than its codecs");
  }
  require(budget.used() == 0, "nothing is left of the memory");
  return 0;
}
