#include "proxy/goodbye_phase.hpp"

#include <algorithm>
#include <vector>

#include "http/error_page.hpp"
#include "proxy/session.hpp"

namespace wsproxy::proxy {

namespace {

/// For a sign of a client that has been told everything, and for it to take the rest of an app's answer.
constexpr auto kSilence = std::chrono::seconds{2};
constexpr auto kLongest = std::chrono::seconds{30};

}  // namespace

GoodbyePhase::GoodbyePhase(Session& session, std::string answer)
    : session_(session), answer_(std::move(answer)) {
}

void GoodbyePhase::begin() {
  Wire& app = session_.wire(Leg::app);
  if (app.is_open()) app.transport->close();
  session_.leave_place();
  linger_until_ = net::Clock::now() + (answer_.empty() ? kLongest : kSilence);
  send(base::as_bytes(answer_));
}

void GoodbyePhase::send(base::Bytes bytes) {
  const net::IoStatus status = session_.send(Leg::client, bytes);
  if (status == net::IoStatus::failed) session_.close();
  wait();
  if (status != net::IoStatus::done) return;
  session_.wire(Leg::client).transport->shut_down_send();
  session_.want_readable(Leg::client);
}

void GoodbyePhase::wait() {
  const auto patience = std::min<net::Clock::duration>(kSilence, session_.config().timeouts.close);
  session_.set_deadline(std::min(net::Clock::now() + patience, linger_until_));
}

void GoodbyePhase::on_readable(Leg leg) {
  if (leg != Leg::client) return;
  const net::IoStatus status = session_.read(leg).status;
  if (status == net::IoStatus::done) {
    // It may be sending still what it had begun, and read its answer meanwhile.
    wait();
    session_.want_readable(leg);
  } else if (status != net::IoStatus::would_block) {
    session_.close();
  }
}

void GoodbyePhase::on_writable(Leg leg) {
  if (leg == Leg::client) send({});
}

void GoodbyePhase::on_deadline() {
  session_.close();
}

void GoodbyePhase::on_drain(net::Clock::time_point) {
}

std::string last_answer(Session& session, unsigned status, std::string_view sentence) {
  std::string page = http::error_page(status, sentence);
  if (session.facts().method == "HEAD") page.resize(page.find("\r\n\r\n") + 4);
  return page;
}

void say_goodbye(Session& session, const Refusal& refusal, std::string_view detail) {
  session.record_rejection(refusal.reason);
  session.facts().status = static_cast<std::uint16_t>(refusal.status);
  session.set_ending(relay::EndedBy::proxy, websocket::close_code::abnormal, refusal.sentence);
  const std::string client = session.client();
  std::vector<telemetry::LogField> fields{
      {"client", client}, {"status", std::uint64_t{refusal.status}}, {"reason", refusal.sentence}};
  if (!detail.empty()) fields.emplace_back("detail", detail);
  session.context().log.write(telemetry::Level::info, "request refused", fields);
  session.enter(
      std::make_unique<GoodbyePhase>(session, last_answer(session, refusal.status, refusal.sentence)));
}

}  // namespace wsproxy::proxy
