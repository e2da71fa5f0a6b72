#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/raw_frame.hpp"
#include "doctor/server_reader.hpp"
#include "doctor/target.hpp"
#include "doctor/upgrade.hpp"
#include "doctor/wire.hpp"

namespace wsproxy::doctor {

/// One connection to the server that is examined, from its handshake on.
class Conversation {
 public:
  /// Where breaches of the server's own frames are told, in whichever check they show. Both outlive this.
  Conversation(const Target& target, std::vector<std::string>& breaches);

  /// What the server made of a request.
  enum class Answer : unsigned char {
    switched,  // 101, and nothing is wrong with it
    wrong,     // 101, of which problem() says what is wrong
    refused,   // another status: head()
    none,      // the connection ended, nothing came in time or no HTTP did: problem()
  };
  Answer ask(const UpgradeRequest& request);
  /// The same in so many pieces, each a segment of its own as far as the system lets us.
  Answer ask_in_pieces(const UpgradeRequest& request, std::size_t pieces);
  /// The usual request, with an offer of extensions unless it is empty.
  bool open(std::string_view offer = {});

  const http::ResponseHead& head() const { return head_; }
  const Agreed& agreed() const { return agreed_; }
  const std::string& problem() const { return problem_; }
  /// Whether the server ended the connection instead of an answer.
  bool is_over() const { return is_over_; }
  /// Whether there was an answer of HTTP, whichever.
  bool is_http() const { return head_.status != 0; }

  /// False when the server took it not, or not in time. A check need not look: what it waits for then tells.
  bool send(std::string_view bytes);
  bool send(const RawFrame& frame) { return send(frame_bytes(frame)); }
  Wire& wire() { return wire_; }

  /// How waiting ended.
  /// `too_much`: the server sent a message that is larger than what we keep, which breaks no rule.
  enum class End : unsigned char { found, closed, ended, silent, breach, too_much };
  /// Takes what comes until `matches`, a close frame or the connection's end. Messages that do not match are
  /// kept in messages().
  End wait(const std::function<bool(const ServerEvent&)>& matches, Wire::Patience patience);
  End wait(const std::function<bool(const ServerEvent&)>& matches) {
    return wait(matches, target_->patience);
  }
  /// Sends a ping of its own and waits for its pong: whether the server bore what was sent before.
  End ping();
  /// For the close frame, or what else ends it.
  End wait_for_close();
  /// Until these have come in this order; between them may be what the server says of its own.
  End wait_for_echoes(std::span<const std::string_view> texts);
  /// After End::closed, whether a pong comes behind the close frame.
  bool is_answered_behind_close();

  const std::vector<ServerEvent>& messages() const { return messages_; }
  /// How many have come.
  std::size_t pongs() const { return pongs_; }
  /// Of End::closed.
  const ServerEvent& close() const { return close_; }
  /// How it ended, in words.
  std::string told(End end) const;

 private:
  Answer read_answer(const UpgradeRequest& request);
  Answer judge(const UpgradeRequest& request);
  void read(base::Bytes bytes);
  std::optional<End> take_events(const std::function<bool(const ServerEvent&)>& matches);

  const Target* target_;
  std::vector<std::string>* breaches_;
  Wire wire_;
  http::ResponseHead head_;
  Agreed agreed_;
  std::optional<ServerReader> reader_;
  std::vector<ServerEvent> messages_;
  ServerEvent close_;
  std::string problem_;
  bool is_over_ = false;
  unsigned pings_ = 0;
  std::size_t pongs_ = 0;
  std::size_t kept_bytes_ = 0;
};

}  // namespace wsproxy::doctor
