#include "server/error_reporter.hpp"

#include <random>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "telemetry/sentry_limits.hpp"
#include "telemetry/thread_signals.hpp"

namespace wsproxy::server {

using telemetry::Level;

namespace {

constexpr unsigned kTooManyRequests = 429;

/// A random UUID without its dashes (RFC 9562 section 5.4).
std::string new_event_id() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 4; ++i) id += fmt::format("{:08x}", random());
  id[12] = '4';
  id[16] = "89ab"[random() % 4];
  return id;
}

std::string auth_of(const config::SentryDsn& dsn, const std::string& version) {
  std::string auth = fmt::format("Sentry sentry_version=7, sentry_client=wsproxy/{}, sentry_key={}", version,
                                 dsn.public_key);
  if (!dsn.secret_key.empty()) auth += ", sentry_secret=" + dsn.secret_key;
  return auth;
}

}  // namespace

ErrorReporter::ErrorReporter(config::SentryDsn dsn, telemetry::SentrySource source,
                             telemetry::SentryQueue& queue, telemetry::Log& log, OnSent on_sent)
    : dsn_(std::move(dsn)),
      source_(std::move(source)),
      queue_(queue),
      log_(log),
      on_sent_(std::move(on_sent)) {
  if (dsn_.tls) {
    net::TlsProblems problems;
    tls_ = net::TlsClient::load(config::UpstreamTls{}, "sentry", problems);
    if (!tls_) throw std::runtime_error("no TLS for sentry.dsn: " + problems.front().text);
  }
  thread_ = std::thread([this] { run(); });
  queue_.open([this] { wake(); });
}

ErrorReporter::~ErrorReporter() {
  queue_.close();
  boost::asio::post(io_, [this] { begin_end(); });
  thread_.join();
  post_.reset();
  const std::uint64_t lost = queue_.size() + (event_ ? 1 : 0);
  if (lost > 0) log_.write(Level::warning, "error reports are lost at the end", {{"count", lost}});
}

void ErrorReporter::run() {
  telemetry::leave_signals_to_main_thread();
  for (;;) {
    try {
      io_.run();
      return;
    } catch (const std::exception& error) {
      // Out of memory: this event waits for the next one, or for the end.
      post_.reset();
      log_.write(Level::warning, "an error report could not be made", {{"reason", error.what()}});
    }
  }
}

/// On the thread that has an error: one call on its way is enough.
void ErrorReporter::wake() {
  if (wake_is_posted_.exchange(true)) return;
  try {
    boost::asio::post(io_, [this] {
      wake_is_posted_ = false;
      send_next();
    });
  } catch (...) {
    wake_is_posted_ = false;  // the next one tries again
    throw;
  }
}

void ErrorReporter::send_next() {
  if (post_ || pauses_) return;
  if (!event_) {
    event_ = queue_.take();
    if (!event_) return end_if_done();
    if (event_->id.empty()) event_->id = new_event_id();
    failures_ = 0;
  }
  post_ = std::make_unique<net::HttpPost>(io_, poller_, net::Target{dsn_.host, dsn_.port, {}});
  if (tls_) post_->secure(tls_, buffers_);
  post_->start(request(), [this](const net::HttpPostResult& result) { on_result(result); });
}

std::string ErrorReporter::request() {
  discarded_ += queue_.take_dropped();
  const std::string body =
      telemetry::sentry_envelope(*event_, source_, std::chrono::system_clock::now(), discarded_);
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: wsproxy/{}\r\nX-Sentry-Auth: {}\r\n"
      "Content-Type: application/x-sentry-envelope\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
      dsn_.target(), dsn_.authority(), source_.version, auth_of(dsn_, source_.version), body.size(), body);
}

void ErrorReporter::on_result(const net::HttpPostResult& result) {
  const unsigned status = result.head.status;
  const auto silence = result.problem.empty() ? telemetry::sentry_silence(
                                                    status, result.head.fields.joined("X-Sentry-Rate-Limits"),
                                                    result.head.fields.first("Retry-After"))
                                              : std::chrono::seconds{0};
  const std::string problem = result.problem;
  post_.reset();
  if (!problem.empty()) return on_failed(problem);
  if (status >= 500) {
    // It may be this event that Sentry's end fails at.
    if (++failures_ == kMostFailures) give_up_event();
    return on_failed(fmt::format("the answer was {}", status));
  }
  if (status >= 200 && status < 300) {
    on_taken();
  } else {
    on_refused(status, silence);
  }
  if (silence.count() > 0) {
    pause(silence);
  } else {
    send_next();
  }
}

void ErrorReporter::on_taken() {
  if (std::exchange(is_in_trouble_, false)) {
    log_.write(Level::info, "Sentry takes error reports again", {{"host", dsn_.authority()}});
  }
  next_pause_ = kFirstPause;
  discarded_ = 0;
  const std::string id = std::exchange(event_, std::nullopt)->id;
  if (on_sent_) on_sent_(id);
}

/// It would be refused again.
void ErrorReporter::on_refused(unsigned status, std::chrono::seconds silence) {
  if (status != kTooManyRequests) {
    warn(fmt::format("the answer was {}", status));
  } else {
    log_.write(Level::info, "Sentry limits the rate of error reports",
               {{"host", dsn_.authority()}, {"seconds", silence.count()}});
  }
  give_up_event();
}

void ErrorReporter::on_failed(const std::string& reason) {
  warn(reason);
  if (ends_) return io_.stop();
  pause(next_pause_);
  next_pause_ = std::min(next_pause_ * 2, kLongestPause);
}

void ErrorReporter::warn(const std::string& reason) {
  if (std::exchange(is_in_trouble_, true)) return;
  log_.write(Level::warning, "Sentry does not take error reports",
             {{"host", dsn_.authority()}, {"reason", reason}});
}

void ErrorReporter::give_up_event() {
  event_.reset();
  ++discarded_;
}

void ErrorReporter::pause(std::chrono::seconds time) {
  if (ends_) return io_.stop();
  pauses_ = true;
  pause_timer_.expires_after(time);
  pause_timer_.async_wait([this](const net::error_code& error) {
    if (error) return;
    pauses_ = false;
    send_next();
  });
}

/// Who does not take events now will hardly do so in time.
void ErrorReporter::begin_end() {
  ends_ = true;
  if (pauses_) return io_.stop();
  end_timer_.expires_after(kPatienceAtEnd);
  end_timer_.async_wait([this](const net::error_code&) { io_.stop(); });
  send_next();
}

void ErrorReporter::end_if_done() {
  if (ends_) io_.stop();
}

}  // namespace wsproxy::server
