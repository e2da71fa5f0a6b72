#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>

#include "config/sentry_dsn.hpp"
#include "net/http_post.hpp"
#include "net/tls_buffers.hpp"
#include "telemetry/log.hpp"
#include "telemetry/sentry_envelope.hpp"
#include "telemetry/sentry_queue.hpp"

namespace wsproxy::server {

/// Sends the events of a queue to Sentry, one after the other on a thread of its own. What cannot be sent is
/// tried again, after longer and longer pauses, while the queue fills up behind it. The log gets one warning
/// when Sentry does not take events any more and one line when it does again; neither is an error, so none of
/// it is reported.
class ErrorReporter {
 public:
  using OnSent = std::function<void(const std::string& event_id)>;

  /// How long the end may wait for what is queued.
  static constexpr std::chrono::seconds kPatienceAtEnd{2};

  /// From now on the queue takes events. `on_sent` is called on the reporter's thread for each that Sentry
  /// has taken. Queue and log outlive this.
  ErrorReporter(config::SentryDsn dsn, telemetry::SentrySource source, telemetry::SentryQueue& queue,
                telemetry::Log& log, OnSent on_sent);
  ~ErrorReporter();
  ErrorReporter(const ErrorReporter&) = delete;
  ErrorReporter& operator=(const ErrorReporter&) = delete;

 private:
  static constexpr std::chrono::seconds kFirstPause{1};
  static constexpr std::chrono::seconds kLongestPause{60};
  /// Answers of 500 and above that one event may get.
  static constexpr unsigned kMostFailures = 5;

  void run();
  void wake();
  void send_next();
  std::string request();
  void on_result(const net::HttpPostResult& result);
  void on_taken();
  void on_refused(unsigned status, std::chrono::seconds silence);
  void on_failed(const std::string& reason);
  void warn(const std::string& reason);
  void give_up_event();
  void pause(std::chrono::seconds time);
  void begin_end();
  void end_if_done();

  const config::SentryDsn dsn_;
  const telemetry::SentrySource source_;
  telemetry::SentryQueue& queue_;
  telemetry::Log& log_;
  OnSent on_sent_;
  net::IoContext io_{1};
  boost::asio::executor_work_guard<net::Executor> stays_{io_.get_executor()};
  net::Poller poller_{io_};
  net::TlsBuffers buffers_;
  std::shared_ptr<const net::TlsClient> tls_;  // nothing when it is not used
  net::Timer pause_timer_{io_.get_executor()};
  net::Timer end_timer_{io_.get_executor()};
  std::unique_ptr<net::HttpPost> post_;  // while one is under way
  std::optional<telemetry::SentryEvent> event_;
  std::uint64_t discarded_ = 0;  // told with the event that is under way
  unsigned failures_ = 0;        // answers of 500 and above to that event
  std::chrono::seconds next_pause_ = kFirstPause;
  bool pauses_ = false;
  bool is_in_trouble_ = false;  // and has said so
  bool ends_ = false;
  std::atomic<bool> wake_is_posted_{false};
  std::thread thread_;
};

}  // namespace wsproxy::server
