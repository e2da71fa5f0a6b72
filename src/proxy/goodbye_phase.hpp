#pragma once

#include <string>

#include "proxy/admission.hpp"
#include "proxy/phase.hpp"

namespace wsproxy::proxy {

class Session;

/// Writes a last answer to the client, shuts its leg down and reads what still comes until the client
/// hangs up, is silent for a while or a longer time is over: closing with unread bytes would reset the
/// connection, and the client would lose the answer.
class GoodbyePhase : public Phase {
 public:
  /// `answer` goes behind what already waits on the client leg.
  GoodbyePhase(Session& session, std::string answer);
  void begin() override;
  void on_readable(Leg leg) override;
  void on_writable(Leg leg) override;
  void on_deadline() override;
  void on_drain(net::Clock::time_point when) override;

 private:
  void send(base::Bytes bytes);
  void wait();

  Session& session_;
  net::Clock::time_point linger_until_;
  std::string answer_;
};

/// The error page that ends this connection; without its body when the request was a HEAD.
std::string last_answer(Session& session, unsigned status, std::string_view sentence);

/// Answers a request with an error page of our own, counts and logs why. `detail` is for the log only.
void say_goodbye(Session& session, const Refusal& refusal, std::string_view detail);

}  // namespace wsproxy::proxy
