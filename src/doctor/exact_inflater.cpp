#include "doctor/exact_inflater.hpp"

#include <array>
#include <new>
#include <vector>

#include <zlib.h>

namespace wsproxy::doctor {
namespace {

constexpr std::array<std::byte, 4> kTail{std::byte{0}, std::byte{0}, std::byte{0xff}, std::byte{0xff}};
/// Of z_stream::data_type: behind the header of no block, and the bits of the last byte not used yet.
constexpr int kBetweenBlocks = 128;
constexpr int kUnusedBits = 7;

}  // namespace

struct ExactInflater::Stream {
  explicit Stream(int window_bits) : window(std::size_t{1} << window_bits) {
    if (inflateInit2(&z, -window_bits) != Z_OK) throw std::bad_alloc{};
  }
  ~Stream() { inflateEnd(&z); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// After a block with BFINAL the stream goes on with the window as it was (RFC 7692 section 7.2.3.4).
  void go_on() {
    std::vector<Bytef> kept(window);
    uInt size = 0;
    inflateGetDictionary(&z, kept.data(), &size);
    inflateReset(&z);
    inflateSetDictionary(&z, kept.data(), size);
  }

  Result write(base::Bytes input, std::string& text, std::size_t most) {
    z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(input.data()));
    z.avail_in = static_cast<uInt>(input.size());
    is_final = false;
    for (;;) {
      Bytef byte = 0;
      z.next_out = &byte;
      z.avail_out = 1;
      const int status = ::inflate(&z, Z_NO_FLUSH);
      if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) return Result::corrupt;
      if (z.avail_out == 0) {
        if (text.size() == most) return Result::too_big;
        text.push_back(static_cast<char>(byte));
      }
      if (status == Z_STREAM_END) {
        go_on();
        is_final = z.avail_in == 0;
      }
      if (z.avail_in == 0 && z.avail_out != 0) return Result::good;
    }
  }

  bool at_end_of_message() const {
    return (z.data_type & kBetweenBlocks) != 0 && (z.data_type & kUnusedBits) == 0;
  }

  z_stream z{};
  std::size_t window;
  bool is_final = false;  // what was written last ended with a block with BFINAL
};

ExactInflater::ExactInflater(std::uint8_t window_bits, bool takeover)
    : stream_(std::make_unique<Stream>(window_bits)), takeover_(takeover) {
}
ExactInflater::~ExactInflater() = default;
ExactInflater::ExactInflater(ExactInflater&&) noexcept = default;
ExactInflater& ExactInflater::operator=(ExactInflater&&) noexcept = default;

ExactInflater::Result ExactInflater::inflate(base::Bytes message, std::string& text, std::size_t most) {
  if (!takeover_) inflateReset(&stream_->z);
  Result result = stream_->write(message, text, most);
  if (result != Result::good || stream_->is_final) return result;
  result = stream_->write(kTail, text, most);
  if (result != Result::good) return result;
  return stream_->at_end_of_message() ? Result::good : Result::corrupt;
}

}  // namespace wsproxy::doctor
