#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <zlib.h>

#include "relay/relay.hpp"
#include "support/counting_meter.hpp"

/// A relay without sockets and what a test needs around it: both peers as byte sinks that take frames
/// apart on their own, and zlib on the client's side of the wire.
namespace wsproxy::test {

struct SeenFrame {
  bool fin = false;
  bool rsv1 = false;
  unsigned opcode = 0;
  bool masked = false;
  std::string payload;
};

/// What a peer makes of its frames: whole messages and control frames, in order.
struct SeenMessage {
  unsigned opcode = 0;
  bool compressed = false;
  std::string payload;
  bool operator==(const SeenMessage&) const = default;
};

/// A zlib stream of exactly the agreed window, kept alive like an ordinary client's.
class Inflater {
 public:
  explicit Inflater(int window_bits) {
    if (inflateInit2(&stream_, -window_bits) != Z_OK) throw std::runtime_error("inflateInit2");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  void reset() { inflateReset(&stream_); }

  std::string message(std::string packed) {
    packed.append("\x00\x00\xff\xff", 4);
    std::string text;
    stream_.next_in = reinterpret_cast<Bytef*>(packed.data());
    stream_.avail_in = static_cast<uInt>(packed.size());
    do {
      char buffer[16384];
      stream_.next_out = reinterpret_cast<Bytef*>(buffer);
      stream_.avail_out = sizeof buffer;
      const int result = ::inflate(&stream_, Z_SYNC_FLUSH);
      if (result != Z_OK && result != Z_BUF_ERROR) throw std::runtime_error("the peer cannot inflate this");
      text.append(buffer, sizeof buffer - stream_.avail_out);
    } while (stream_.avail_out == 0);
    if (stream_.avail_in != 0) throw std::runtime_error("bytes left after inflating");
    return text;
  }

 private:
  z_stream stream_{};
};

class Deflater {
 public:
  explicit Deflater(int window_bits, int level = 6) {
    if (deflateInit2(&stream_, level, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::runtime_error("deflateInit2");
    }
  }
  ~Deflater() { deflateEnd(&stream_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  void reset() { deflateReset(&stream_); }

  std::string message(std::string text) {
    if (text.empty()) return std::string(1, '\0');
    std::string packed(deflateBound(&stream_, static_cast<uLong>(text.size())) + 16, '\0');
    stream_.next_in = reinterpret_cast<Bytef*>(text.data());
    stream_.avail_in = static_cast<uInt>(text.size());
    stream_.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream_.avail_out = static_cast<uInt>(packed.size());
    ::deflate(&stream_, Z_SYNC_FLUSH);
    packed.resize(packed.size() - stream_.avail_out - 4);
    return packed;
  }

 private:
  z_stream stream_{};
};

/// One peer's end of a wire.
class Sink {
 public:
  explicit Sink(std::optional<int> inflate_window = std::nullopt, bool context_takeover = true)
      : takeover_(context_takeover) {
    if (inflate_window) inflater_ = std::make_unique<Inflater>(*inflate_window);
  }

  void write(base::Bytes bytes) {
    bytes_.append(base::as_text(bytes));
    while (take_frame()) {
    }
  }

  const std::vector<SeenFrame>& frames() const { return frames_; }
  const std::vector<SeenMessage>& messages() const { return messages_; }
  /// Whether the wire ends between two frames and two messages.
  bool is_clean() const { return bytes_.empty() && !in_message_; }

 private:
  bool take_frame() {
    const auto at = [this](std::size_t i) { return static_cast<unsigned char>(bytes_[i]); };
    if (bytes_.size() < 2) return false;
    SeenFrame frame;
    frame.fin = (at(0) & 0x80) != 0;
    frame.rsv1 = (at(0) & 0x40) != 0;
    if ((at(0) & 0x30) != 0) throw std::runtime_error("reserved bits on the wire");
    frame.opcode = at(0) & 0x0FU;
    frame.masked = (at(1) & 0x80) != 0;
    std::uint64_t size = at(1) & 0x7FU;
    std::size_t header = 2;
    const std::size_t extended = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (bytes_.size() < header + extended) return false;
    if (extended != 0) size = 0;
    for (std::size_t i = 0; i < extended; ++i) size = size << 8 | at(header + i);
    header += extended;
    std::string key(4, '\0');
    if (frame.masked) {
      if (bytes_.size() < header + 4) return false;
      key = bytes_.substr(header, 4);
      header += 4;
    }
    if (bytes_.size() - header < size) return false;
    frame.payload = bytes_.substr(header, size);
    for (std::size_t i = 0; i < frame.payload.size(); ++i) {
      frame.payload[i] = static_cast<char>(frame.payload[i] ^ key[i % 4]);
    }
    bytes_.erase(0, header + size);
    accept(frame);
    frames_.push_back(std::move(frame));
    return true;
  }

  void accept(const SeenFrame& frame) {
    if (frame.opcode >= 8) {
      if (!frame.fin || frame.rsv1 || frame.payload.size() > 125)
        throw std::runtime_error("bad control frame");
      messages_.push_back({frame.opcode, false, frame.payload});
      return;
    }
    if ((frame.opcode == 0) != in_message_) throw std::runtime_error("fragments out of order");
    if (frame.opcode == 0 && frame.rsv1) throw std::runtime_error("RSV1 on a continuation");
    if (!in_message_) {
      message_ = {frame.opcode, frame.rsv1, {}};
      in_message_ = true;
    }
    message_.payload += frame.payload;
    if (!frame.fin) return;
    in_message_ = false;
    if (message_.compressed) {
      if (!inflater_) throw std::runtime_error("RSV1 was not agreed");
      if (!takeover_) inflater_->reset();
      message_.payload = inflater_->message(message_.payload);
    }
    messages_.push_back(message_);
  }

  bool takeover_;
  std::unique_ptr<Inflater> inflater_;
  std::string bytes_;
  std::vector<SeenFrame> frames_;
  std::vector<SeenMessage> messages_;
  bool in_message_ = false;
  SeenMessage message_;
};

class RelayRig {
 public:
  struct Options {
    std::uint64_t max_message_bytes = 0;
    std::optional<deflate::Params> params;
    std::size_t history_bytes = 4096;
    std::size_t min_size = 32;
    std::size_t room = SIZE_MAX;
    std::size_t memory = std::size_t{64} << 20;
    bool validate_utf8 = true;
    deflate::EngineChoice engine = deflate::EngineChoice::automatic;
    std::uint8_t level = 6;
    bool is_adaptive = true;
    std::optional<deflate::ObserverSettings> observing = std::nullopt;
  };

  explicit RelayRig(Options options)
      : options_(options),
        codecs_({.memory = options.memory, .encoders = 2, .decoders = 1}),
        client(options.params ? std::optional<int>{options.params->server_window_bits} : std::nullopt,
               !options.params || !options.params->server_no_context_takeover),
        relay_(settings(options), workshop_, meter) {}
  explicit RelayRig() : RelayRig(Options{}) {}

  void client_says(base::Bytes bytes) { say(relay::Leg::client, bytes); }
  void app_says(base::Bytes bytes) { say(relay::Leg::app, bytes); }
  /// Gives a leg's bytes as long as so much is allowed; returns how many were taken.
  std::size_t client_may_say(base::MutableBytes bytes, relay::Allowance& allowance) {
    return may_say(relay::Leg::client, bytes, allowance);
  }
  std::size_t app_may_say(base::MutableBytes bytes, relay::Allowance& allowance) {
    return may_say(relay::Leg::app, bytes, allowance);
  }
  void client_says(const std::vector<std::byte>& bytes) { client_says(base::Bytes{bytes}); }
  void app_says(const std::vector<std::byte>& bytes) { app_says(base::Bytes{bytes}); }
  void ends(relay::Leg leg) {
    relay_.ended(leg, "end of file", output());
    deliver();
  }
  void closes(std::uint16_t code) {
    relay_.close(relay::EndedBy::operator_, code, "going away", output());
    deliver();
  }
  void refuses_client(std::uint16_t code) {
    relay_.refuse_client(code, "refused", output());
    deliver();
  }
  void gives_up() {
    relay_.give_up(output());
    deliver();
  }
  bool pings(const std::array<std::byte, 8>& payload) {
    const bool sent = relay_.ping_client(payload, output());
    deliver();
    return sent;
  }

  relay::Relay& relay() { return relay_; }
  /// The most that a queue has ever held.
  std::size_t most_queued() const { return most_queued_; }
  /// All that went to the client.
  const std::string& client_bytes() const { return client_bytes_; }
  std::size_t memory_used() const { return codecs_.budget.used(); }
  deflate::Governor& governor() { return codecs_.governor; }

 private:
  static relay::Settings settings(const Options& options) {
    relay::Settings settings;
    settings.max_message_bytes = options.max_message_bytes;
    settings.validate_utf8 = options.validate_utf8;
    settings.observing = options.observing;
    if (options.params) {
      settings.compression =
          relay::CompressionSettings{*options.params,
                                     {.engine = options.engine,
                                      .level = options.level,
                                      .window_bits = options.params->server_window_bits,
                                      .context_takeover = !options.params->server_no_context_takeover,
                                      .history_bytes = options.history_bytes,
                                      .min_size = options.min_size,
                                      .is_adaptive = options.is_adaptive}};
    }
    return settings;
  }
  static void fill(base::MutableBytes bytes) {
    static std::uint32_t state = 1;
    for (std::byte& byte : bytes) {
      state = state * 1664525U + 1013904223U;
      byte = static_cast<std::byte>(state >> 24);
    }
  }

  relay::Relay::Output output() { return {to_client_, to_app_, options_.room, options_.room}; }

  std::size_t may_say(relay::Leg from, base::MutableBytes bytes, relay::Allowance& allowance) {
    std::size_t used = 0;
    while (!allowance.is_used_up() && (used < bytes.size() || relay_.is_stalled(from))) {
      used += relay_.received_within(from, bytes.subspan(used), output(), allowance);
      deliver();
    }
    return used;
  }

  void say(relay::Leg from, base::Bytes bytes) {
    std::vector<std::byte> copy(bytes.begin(), bytes.end());
    std::size_t used = 0;
    do {
      used += relay_.received(from, base::MutableBytes{copy}.subspan(used), output());
      deliver();
    } while (used < copy.size() || relay_.is_stalled(from));
  }

  void deliver() {
    most_queued_ = std::max({most_queued_, to_client_.size(), to_app_.size()});
    client.write(to_client_.view());
    client_bytes_.append(base::as_text(to_client_.view()));
    app.write(to_app_.view());
    to_client_.clear();
    to_app_.clear();
    if (!text_.empty() || !packed_.empty()) throw std::runtime_error("scratch is not empty between calls");
  }

  Options options_;
  deflate::Codecs codecs_;
  websocket::MaskKeys mask_keys_{fill};
  base::ByteQueue text_;
  base::ByteQueue packed_;
  base::ByteQueue to_client_;
  base::ByteQueue to_app_;
  relay::Workshop workshop_{codecs_, mask_keys_, text_, packed_, [] { return std::uint64_t{0}; }};
  std::size_t most_queued_ = 0;
  std::string client_bytes_;

 public:
  CountingMeter meter;
  Sink client;
  Sink app;

 private:
  relay::Relay relay_;
};

}  // namespace wsproxy::test
