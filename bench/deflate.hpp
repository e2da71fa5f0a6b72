#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include <zlib.h>

namespace bench {

/// What the handshake agreed on (RFC 7692 section 7.1).
struct Agreement {
  bool is_on = false;
  int server_bits = 15;
  int client_bits = 15;
  bool server_takeover = true;
  bool client_takeover = true;
  bool operator==(const Agreement&) const = default;
};

/// Reads the answer's Sec-WebSocket-Extensions; throws on anything but one permessage-deflate that
/// fits the offer "permessage-deflate; client_max_window_bits".
Agreement read_agreement(std::string_view header);

/// The client's side of compressing: a plain zlib stream a connection, as browsers have.
class Deflater {
 public:
  explicit Deflater(const Agreement& agreement);
  ~Deflater() { deflateEnd(&stream_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  std::string message(std::string_view text);

 private:
  z_stream stream_{};
  bool takeover_;
};

/// A plain zlib inflater with exactly the agreed window; throws when the data is corrupt.
class Inflater {
 public:
  explicit Inflater(const Agreement& agreement);
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  /// Appends the text of a whole message.
  void message(std::string_view compressed, std::string& text);

 private:
  void feed(std::string_view compressed, std::string& text);
  z_stream stream_{};
  bool takeover_;
};

}  // namespace bench
