#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace wsproxy::doctor {

/// Compresses as a client may, by zlib, and never further back than the window that was agreed.
/// What it returns are whole messages without the tail 00 00 ff ff (RFC 7692 section 7.2.1).
class ClientDeflate {
 public:
  ClientDeflate(std::uint8_t window_bits, bool takeover);
  ~ClientDeflate();
  ClientDeflate(const ClientDeflate&) = delete;
  ClientDeflate& operator=(const ClientDeflate&) = delete;

  std::string compress(std::string_view text);

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
  bool takeover_;
};

/// Messages that refer to nothing before them, in forms that zlib does not choose by itself.

/// Of one block with BFINAL and what section 7.2.3.4 wants behind it.
std::string final_block_message(std::string_view text);
/// Of stored blocks of at most `block` bytes (section 7.2.3.3), at most 65535.
std::string stored_message(std::string_view text, std::size_t block);
/// Ten bytes of text, from exactly 2 to the power of `bits` bytes back in what came before; 8..15.
std::string far_reference_message(unsigned bits);
inline constexpr std::size_t kFarReferenceSize = 10;
/// `size` zeros, a thousand times smaller.
std::string bomb_message(std::size_t size);

}  // namespace wsproxy::doctor
