#pragma once

#include <memory>
#include <utility>

#include "fuzz/relay_meaning_peers.hpp"

namespace wsproxy::test {

/// Takes a wire apart as RFC 6455 has it and holds what arrives against `meant`. Dies at the first byte
/// that no peer would take.
class Listener {
 public:
  /// `inflater` is null when no compression was agreed.
  Listener(bool expects_mask, std::unique_ptr<PlainInflater> inflater, std::deque<Meant>& meant)
      : expects_mask_(expects_mask), inflater_(std::move(inflater)), meant_(meant) {}

  void hear(std::string_view bytes) {
    for (;;) {
      while (header_.size() < header_size()) {
        if (bytes.empty()) return;
        header_ += bytes.front();
        bytes.remove_prefix(1);
        if (header_.size() == header_size()) begin_frame();
      }
      std::string& payload = is_control() ? control_ : message_;
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
      const std::size_t before = payload.size();
      payload += bytes.substr(0, size);
      if (expects_mask_) {
        const char* key = header_.data() + header_.size() - 4;
        for (std::size_t i = before; i < payload.size(); ++i) payload[i] ^= key[key_at_++ % 4];
      }
      bytes.remove_prefix(size);
      left_ -= size;
      if (left_ != 0) return;
      end_frame();
    }
  }

  /// What has arrived from now on goes there.
  void keep_in(std::deque<Meant>& arrived) { arrived_ = &arrived; }
  bool is_between_frames() const { return header_.empty(); }
  /// The close frame's payload, once there was one. Nothing may follow it.
  const std::optional<std::string>& closed() const { return closed_; }

  /// The wire ends here: what has come of a message is what was meant so far.
  void end() {
    if (!in_message_) return;
    const auto whole = std::ranges::find_if(meant_, [](const Meant& meant) { return meant.opcode < 8; });
    require(whole != meant_.end(), "what has begun was meant");
    const std::string text = is_compressed_ ? inflater_->message(message_, false) : message_;
    require(opcode_ == whole->opcode, "a part has the type that was meant");
    require(whole->payload.starts_with(text), "a part is the beginning of what was meant");
  }

 private:
  unsigned octet(std::size_t i) const { return static_cast<unsigned char>(header_[i]); }
  bool is_control() const { return (octet(0) & 8U) != 0; }

  std::size_t header_size() const {
    if (header_.size() < 2) return 2;
    const unsigned length = octet(1) & 0x7FU;
    return 2U + (length == 126 ? 2U : length == 127 ? 8U : 0U) + ((octet(1) & 0x80U) != 0 ? 4U : 0U);
  }

  void begin_frame() {
    const unsigned opcode = octet(0) & 0x0FU;
    const bool fin = (octet(0) & 0x80U) != 0;
    const bool rsv1 = (octet(0) & 0x40U) != 0;
    require(!closed_, "nothing follows a close frame");
    require((octet(0) & 0x30U) == 0, "RSV2 and RSV3 are zero");
    require(opcode <= 2 || (opcode >= 8 && opcode <= 10), "the opcode is known");
    require(((octet(1) & 0x80U) != 0) == expects_mask_, "a client masks, a server does not");
    left_ = octet(1) & 0x7FU;
    if (left_ >= 126) {
      const std::size_t end = left_ == 126 ? 4 : 10;
      const std::uint64_t least = left_ == 126 ? 126 : 65536;
      left_ = 0;
      for (std::size_t i = 2; i < end; ++i) left_ = left_ << 8 | octet(i);
      require(left_ >= least, "the length is in its shortest form");
    }
    key_at_ = 0;
    if (is_control()) {
      require(fin && !rsv1 && left_ <= 125, "a control frame is short, whole and plain");
      return;
    }
    require((opcode == 0) == in_message_, "a continuation stands inside a message and nothing else does");
    require(!rsv1 || (opcode != 0 && inflater_), "RSV1 stands on first frames, if agreed");
    if (opcode == 0) return;
    in_message_ = true;
    opcode_ = opcode;
    is_compressed_ = rsv1;
  }

  void end_frame() {
    const bool fin = (octet(0) & 0x80U) != 0;
    const unsigned opcode = octet(0) & 0x0FU;
    header_.clear();
    if (opcode == 8) {
      closed_ = std::exchange(control_, {});
    } else if (opcode > 8) {
      arrive(opcode, std::exchange(control_, {}));
    } else if (fin) {
      in_message_ = false;
      std::string payload = std::exchange(message_, {});
      arrive(opcode_, is_compressed_ ? inflater_->message(std::move(payload), true) : std::move(payload));
    }
  }

  void arrive(unsigned opcode, const std::string& payload) {
    require(!meant_.empty(), "what arrives was meant");
    require(meant_.front().opcode == opcode, "what arrives has the type that was meant");
    require(meant_.front().payload == payload, "what arrives is what was meant");
    if (arrived_ != nullptr) arrived_->push_back(std::move(meant_.front()));
    meant_.pop_front();
  }

  bool expects_mask_;
  std::unique_ptr<PlainInflater> inflater_;
  std::deque<Meant>& meant_;
  std::deque<Meant>* arrived_ = nullptr;
  std::string header_;
  std::uint64_t left_ = 0;
  std::size_t key_at_ = 0;
  std::string control_;
  std::string message_;
  bool in_message_ = false;
  bool is_compressed_ = false;
  unsigned opcode_ = 0;
  std::optional<std::string> closed_;
};

}  // namespace wsproxy::test
