#include "net/http_post.hpp"

#include <utility>

namespace wsproxy::net {

HttpPost::HttpPost(IoContext& io, Poller& poller, Target target)
    : connector_(io, poller, std::move(target), kConnectTime), deadline_(io.get_executor()) {
}

void HttpPost::secure(std::shared_ptr<const TlsClient> tls, TlsBuffers& buffers) {
  connector_.secure(std::move(tls), buffers, {});
}

void HttpPost::start(std::string request, Callback callback) {
  request_ = std::move(request);
  callback_ = std::move(callback);
  connector_.start([this](ConnectResult result) { on_connected(std::move(result)); });
}

void HttpPost::on_connected(ConnectResult result) {
  if (result.status != ConnectStatus::connected) {
    fail(std::move(result.reason));
    return;
  }
  transport_ = std::move(result.transport);
  transport_->set_on_ready([this](Transport::Ready ready) { on_ready(ready); });
  wait_for_answer();
  // Some answer before they have all of it, and then read no more.
  transport_->wait_readable();
  write();
}

void HttpPost::wait_for_answer() {
  deadline_.expires_after(kAnswerTime);
  deadline_.async_wait([this, life = std::weak_ptr{life_}](const error_code& error) {
    if (!error && !life.expired()) fail("no answer in time");
  });
}

void HttpPost::on_ready(Transport::Ready ready) {
  if (ready == Transport::Ready::writing) {
    write();
  } else {
    read();
  }
}

void HttpPost::write() {
  while (written_ < request_.size()) {
    const IoResult result = transport_->write_some(base::as_bytes(request_).subspan(written_));
    if (result.status == IoStatus::would_block) return transport_->wait_writable();
    if (result.status != IoStatus::done) return fail(result.error.message());
    written_ += result.bytes;
  }
}

void HttpPost::read() {
  for (;;) {
    const IoResult result = transport_->read_some(input_);
    if (result.status == IoStatus::would_block) return transport_->wait_readable();
    if (result.status == IoStatus::end_of_file) return fail("the connection ended without an answer");
    if (result.status != IoStatus::done) return fail(result.error.message());
    if (on_bytes(base::Bytes{input_}.first(result.bytes))) return;
  }
}

bool HttpPost::on_bytes(base::Bytes bytes) {
  std::size_t used = 0;
  switch (answer_.feed(bytes, used)) {
    case http::HeadStatus::need_more:
      return false;
    case http::HeadStatus::complete:
      finish({.problem = {}, .head = std::move(answer_.head())});
      return true;
    default:
      fail("an answer that is no HTTP: " + std::string{answer_.problem()});
      return true;
  }
}

void HttpPost::fail(std::string problem) {
  finish({.problem = problem.empty() ? "failed" : std::move(problem), .head = {}});
}

void HttpPost::finish(HttpPostResult result) {
  deadline_.cancel();
  if (transport_) transport_->close();
  const Callback call = std::exchange(callback_, nullptr);
  if (call) call(std::move(result));
}

}  // namespace wsproxy::net
