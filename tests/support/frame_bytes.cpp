#include "support/frame_bytes.hpp"

#include <utility>

#include "base/bytes.hpp"

namespace wsproxy::test {

namespace {

void put_big_endian(std::uint64_t value, unsigned octets, std::vector<std::byte>& to) {
  while (octets-- > 0) to.push_back(static_cast<std::byte>((value >> (8 * octets)) & 0xff));
}

}  // namespace

std::vector<std::byte> to_vector(std::string_view text) {
  const base::Bytes bytes = base::as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

FrameBytes& FrameBytes::masked(websocket::MaskKey key) {
  key_ = key;
  return *this;
}

FrameBytes& FrameBytes::length7(unsigned length) {
  return claim(Form::small, length & 0x7FU);
}

FrameBytes& FrameBytes::payload(std::string_view text) {
  return payload(to_vector(text));
}

FrameBytes& FrameBytes::payload(std::vector<std::byte> bytes) {
  payload_ = std::move(bytes);
  return *this;
}

FrameBytes& FrameBytes::set(unsigned bits) {
  first_ |= bits;
  return *this;
}

FrameBytes& FrameBytes::claim(Form form, std::uint64_t length) {
  form_ = form;
  length_ = length;
  return *this;
}

FrameBytes::Form FrameBytes::form() const {
  if (form_ != Form::shortest) return form_;
  if (payload_.size() < 126) return Form::small;
  return payload_.size() <= 0xFFFF ? Form::medium : Form::large;
}

std::vector<std::byte> FrameBytes::build() const {
  const std::uint64_t length = form_ == Form::shortest ? payload_.size() : length_;
  const unsigned mask_bit = key_ ? 0x80U : 0U;
  std::vector<std::byte> bytes;
  bytes.push_back(static_cast<std::byte>(first_));
  switch (form()) {
    case Form::medium:
      bytes.push_back(static_cast<std::byte>(mask_bit | 126U));
      put_big_endian(length, 2, bytes);
      break;
    case Form::large:
      bytes.push_back(static_cast<std::byte>(mask_bit | 127U));
      put_big_endian(length, 8, bytes);
      break;
    default:
      bytes.push_back(static_cast<std::byte>(mask_bit | length));
  }
  if (key_) bytes.insert(bytes.end(), key_->begin(), key_->end());
  for (std::size_t i = 0; i < payload_.size(); ++i) {
    bytes.push_back(key_ ? payload_[i] ^ (*key_)[i % 4] : payload_[i]);
  }
  return bytes;
}

}  // namespace wsproxy::test
