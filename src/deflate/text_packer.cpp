#include "deflate/text_packer.hpp"

#include <array>
#include <new>
#include <utility>

#ifdef WSPROXY_HAS_ISAL
#include <isa-l/igzip_lib.h>
#else
#include "deflate/zlib_memory.hpp"
#endif

namespace wsproxy::deflate {
namespace {

constexpr std::size_t kLargestText = 32768;

/// What is worth keeping is smaller than this.
constexpr std::size_t most_packed(std::size_t text_size) {
  return text_size - text_size / 4;
}

auto* octets(base::Bytes bytes) {
  // Not const in the declarations of either library, but only read.
  return reinterpret_cast<unsigned char*>(const_cast<std::byte*>(bytes.data()));
}

}  // namespace

#ifdef WSPROXY_HAS_ISAL

class TextPacker::Deflater {
 public:
  explicit Deflater(Budget&) {}
  bool is_ready() const { return true; }
  base::Bytes pack(base::Bytes text) {
    isal_deflate_stateless_init(&stream_);
    stream_.level = 1;
    stream_.level_buf = tables_.data();
    stream_.level_buf_size = static_cast<std::uint32_t>(tables_.size());
    stream_.end_of_stream = 1;
    stream_.next_in = octets(text);
    stream_.avail_in = static_cast<std::uint32_t>(text.size());
    stream_.next_out = reinterpret_cast<unsigned char*>(packed_.data());
    stream_.avail_out = static_cast<std::uint32_t>(most_packed(text.size()));
    if (isal_deflate_stateless(&stream_) != COMP_OK || stream_.avail_in > 0) return {};
    return base::Bytes{packed_}.first(stream_.total_out);
  }

 private:
  isal_zstream stream_;
  std::array<std::uint8_t, ISAL_DEF_LVL1_SMALL> tables_;
  std::array<std::byte, most_packed(kLargestText)> packed_;
};

class TextPacker::Inflater {
 public:
  explicit Inflater(Budget&) {}
  bool is_ready() const { return true; }
  bool unpack(base::Bytes packed, base::MutableBytes text) {
    isal_inflate_init(&state_);
    state_.next_in = octets(packed);
    state_.avail_in = static_cast<std::uint32_t>(packed.size());
    state_.next_out = reinterpret_cast<unsigned char*>(text.data());
    state_.avail_out = static_cast<std::uint32_t>(text.size());
    return isal_inflate_stateless(&state_) == ISAL_DECOMP_OK && state_.total_out == text.size();
  }

 private:
  inflate_state state_;
};

#else

class TextPacker::Deflater {
 public:
  explicit Deflater(Budget& budget) {
    charge_to(budget, stream_);
    is_ready_ = deflateInit2(&stream_, 1, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~Deflater() { deflateEnd(&stream_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  bool is_ready() const { return is_ready_; }
  base::Bytes pack(base::Bytes text) {
    deflateReset(&stream_);
    stream_.next_in = octets(text);
    stream_.avail_in = static_cast<uInt>(text.size());
    stream_.next_out = reinterpret_cast<Bytef*>(packed_.data());
    stream_.avail_out = static_cast<uInt>(most_packed(text.size()));
    if (::deflate(&stream_, Z_FINISH) != Z_STREAM_END) return {};
    return base::Bytes{packed_}.first(stream_.total_out);
  }

 private:
  z_stream stream_{};
  bool is_ready_ = false;
  std::array<std::byte, most_packed(kLargestText)> packed_;
};

class TextPacker::Inflater {
 public:
  explicit Inflater(Budget& budget) {
    charge_to(budget, stream_);
    is_ready_ = inflateInit2(&stream_, -15) == Z_OK;
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  bool is_ready() const { return is_ready_; }
  bool unpack(base::Bytes packed, base::MutableBytes text) {
    inflateReset(&stream_);
    stream_.next_in = octets(packed);
    stream_.avail_in = static_cast<uInt>(packed.size());
    stream_.next_out = reinterpret_cast<Bytef*>(text.data());
    stream_.avail_out = static_cast<uInt>(text.size());
    return inflate(&stream_, Z_FINISH) == Z_STREAM_END && stream_.avail_out == 0;
  }

 private:
  z_stream stream_{};
  bool is_ready_ = false;
};

#endif

TextPacker::TextPacker(Budget& budget) : budget_(&budget) {
}

TextPacker::~TextPacker() {
  packed_ = unpacked_ = false;
  retire_unused();
}

bool TextPacker::get_ready() {
  return made(deflater_) != nullptr;
}

base::Bytes TextPacker::pack(base::Bytes text) {
  packed_ = true;
  Deflater* const deflater = made(deflater_);
  return deflater != nullptr ? deflater->pack(text) : base::Bytes{};
}

bool TextPacker::unpack(base::Bytes packed, base::MutableBytes text) {
  unpacked_ = true;
  Inflater* const inflater = made(inflater_);
  return inflater != nullptr && inflater->unpack(packed, text);
}

std::size_t TextPacker::retire_unused() {
  const std::size_t before = budget_->used();
  retire(deflater_, packed_);
  retire(inflater_, unpacked_);
  return before - budget_->used();
}

template <class Codec>
Codec* TextPacker::made(std::unique_ptr<Codec>& codec) {
  if (codec) return codec.get();
  std::unique_ptr<Codec> fresh{new (std::nothrow) Codec{*budget_}};
  if (!fresh || !fresh->is_ready()) return nullptr;
  budget_->reserve(sizeof(Codec));
  codec = std::move(fresh);
  return codec.get();
}

template <class Codec>
void TextPacker::retire(std::unique_ptr<Codec>& codec, bool& was_used) {
  if (std::exchange(was_used, false) || !codec) return;
  codec.reset();
  budget_->release(sizeof(Codec));
}

}  // namespace wsproxy::deflate
