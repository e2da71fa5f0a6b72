#include "proxy/refusal_phase.hpp"

#include "proxy/goodbye_phase.hpp"
#include "proxy/session.hpp"

namespace wsproxy::proxy {

RefusalPhase::RefusalPhase(Session& session, http::ResponseHeadReader reader, base::Bytes body)
    : session_(session), reader_(std::move(reader)) {
  first_.append(body);
}

void RefusalPhase::begin() {
  // Not written yet: head and body go together.
  session_.output(Leg::client).append(base::as_bytes(reader_.head().raw));
  pass(first_.view());
  first_.release();
}

void RefusalPhase::pass(base::Bytes bytes) {
  std::size_t used = 0;
  const auto status = reader_.body(bytes, used);
  is_complete_ = status != http::ResponseHeadReader::BodyStatus::more;
  if (status == http::ResponseHeadReader::BodyStatus::malformed) {
    session_.record_upstream_error(telemetry::UpstreamError::bad_response, "a malformed chunk");
  }
  if (is_complete_) {
    // The place is free before the client can know that it is over.
    session_.wire(Leg::app).transport->close();
    session_.leave_place();
  }
  // Each piece of the body has the app's answer time to arrive and the client's to be taken.
  session_.set_deadline(net::Clock::now() + session_.upstream().response_timeout);
  send(bytes.first(used));
}

void RefusalPhase::send(base::Bytes bytes) {
  const net::IoStatus status = session_.send(Leg::client, bytes);
  if (status == net::IoStatus::failed) {
    session_.close();
  } else if (status == net::IoStatus::would_block) {
    return;
  } else if (is_complete_) {
    session_.enter(std::make_unique<GoodbyePhase>(session_, std::string{}));
  } else {
    session_.want_readable(Leg::app);
  }
}

void RefusalPhase::on_readable(Leg leg) {
  if (leg != Leg::app) return;
  const Session::Input input = session_.read(leg);
  if (input.status == net::IoStatus::would_block) return;
  if (input.status == net::IoStatus::done) {
    pass(input.bytes);
  } else if (input.status == net::IoStatus::end_of_file) {
    is_complete_ = true;  // by the end of the connection, or cut: the client sees the same
    send({});
  } else {
    // The client might take an end in order for the end of the answer.
    session_.wire(Leg::client).transport->reset();
    session_.close();
  }
}

void RefusalPhase::on_writable(Leg leg) {
  if (leg == Leg::client) send({});
}

void RefusalPhase::on_deadline() {
  session_.close();
}

void RefusalPhase::on_drain(net::Clock::time_point) {
}

}  // namespace wsproxy::proxy
