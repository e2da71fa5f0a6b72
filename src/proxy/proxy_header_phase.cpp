#include "proxy/proxy_header_phase.hpp"

#include <algorithm>

#include "proxy/session.hpp"

namespace wsproxy::proxy {

void ProxyHeaderPhase::begin() {
  session_.set_deadline(header_by());
  session_.want_readable(Leg::client);
}

void ProxyHeaderPhase::on_readable(Leg leg) {
  const Session::Input input = session_.read(leg);
  switch (input.status) {
    case net::IoStatus::would_block:
      break;
    case net::IoStatus::done:
      take(input.bytes);
      break;
    case net::IoStatus::end_of_file:
    case net::IoStatus::failed:
      on_end();
      break;
  }
}

void ProxyHeaderPhase::take(base::Bytes input) {
  std::size_t used = 0;
  switch (reader_.feed(input, used)) {
    case http::ProxyHeaderStatus::need_more:
      session_.want_readable(Leg::client);
      break;
    case http::ProxyHeaderStatus::complete:
      session_.meet_client(reader_.addresses());
      session_.begin_first_request(input.subspan(used));
      break;
    case http::ProxyHeaderStatus::malformed:
      refuse(reader_.problem());
      break;
  }
}

void ProxyHeaderPhase::on_end() {
  if (reader_.has_begun()) {
    refuse("the connection ended in the header");
  } else {
    session_.close();  // a balancer that looks whether somebody listens
  }
}

void ProxyHeaderPhase::on_writable(Leg) {
}

net::Clock::time_point ProxyHeaderPhase::header_by() const {
  return session_.started() + session_.config().timeouts.handshake;
}

void ProxyHeaderPhase::on_deadline() {
  if (net::Clock::now() < header_by()) return session_.close();  // the drain's
  refuse("the header did not arrive in time");
}

void ProxyHeaderPhase::on_drain(net::Clock::time_point when) {
  session_.set_deadline(std::min(header_by(), session_.first_words_by(when)));
}

void ProxyHeaderPhase::refuse(std::string_view reason) {
  session_.record_rejection(telemetry::Rejection::proxy_protocol);
  const std::string peer = session_.client();
  const std::string listener = session_.config().listeners[session_.listener()].label();
  session_.context().log.write(telemetry::Level::info, "PROXY protocol header refused",
                               {{"client", peer}, {"listener", listener}, {"reason", reason}});
  session_.close();
}

}  // namespace wsproxy::proxy
