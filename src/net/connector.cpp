#include "net/connector.hpp"

#include <algorithm>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

namespace wsproxy::net {

namespace {
constexpr auto kFirstPause = std::chrono::milliseconds{10};
constexpr auto kLongestPause = std::chrono::milliseconds{500};
}  // namespace

struct Connector::State : std::enable_shared_from_this<Connector::State> {
  using Resolver = asio::ip::basic_resolver<asio::ip::tcp, Executor>;

  State(IoContext& context, Target where, Clock::duration total)
      : io(context),
        target(std::move(where)),
        resolver(context.get_executor()),
        socket(context.get_executor()),
        pause_timer(context.get_executor()),
        deadline_timer(context.get_executor()),
        deadline(Clock::now() + total) {}

  void start() {
    deadline_timer.expires_at(deadline);
    deadline_timer.async_wait([self = shared_from_this()](const error_code& error) {
      if (!error) self->finish(self->worst);
    });
    attempt();
  }

  void attempt() {
    endpoints.clear();
    next_endpoint = 0;
    if (!target.unix_path.empty()) {
      endpoints.push_back(unix_endpoint(target.unix_path));
      asio::post(io, [self = shared_from_this()] { self->try_next(); });
      return;
    }
    error_code not_literal;
    const auto address = asio::ip::make_address(target.host, not_literal);
    if (!not_literal) {
      endpoints.emplace_back(asio::ip::tcp::endpoint{address, target.port});
      asio::post(io, [self = shared_from_this()] { self->try_next(); });
      return;
    }
    resolver.async_resolve(
        target.host, std::to_string(target.port), asio::ip::resolver_base::numeric_service,
        [self = shared_from_this()](const error_code& error, const Resolver::results_type& found) {
          self->on_resolved(error, found);
        });
  }

  void on_resolved(const error_code& error, const Resolver::results_type& found) {
    if (!callback) return;
    if (error) {
      worst = ConnectStatus::unresolved;
      last_error = error;
      pause_and_retry();
      return;
    }
    for (const auto& entry : found) endpoints.emplace_back(entry.endpoint());
    try_next();
  }

  void try_next() {
    if (!callback) return;
    if (next_endpoint == endpoints.size()) {
      pause_and_retry();
      return;
    }
    const Protocol::endpoint& endpoint = endpoints[next_endpoint++];
    error_code ignored;
    socket.close(ignored);
    error_code open_error;
    socket.open(endpoint.protocol(), open_error);
    if (open_error) {
      worst = ConnectStatus::refused;
      last_error = open_error;
      asio::post(io, [self = shared_from_this()] { self->try_next(); });
      return;
    }
    socket.async_connect(endpoint, [self = shared_from_this()](const error_code& error) {
      if (!self->callback) return;
      if (!error) {
        self->finish(ConnectStatus::connected);
        return;
      }
      self->worst = ConnectStatus::refused;
      self->last_error = error;
      self->try_next();
    });
  }

  void pause_and_retry() {
    pause_timer.expires_after(pause);
    pause = std::min<Clock::duration>(pause * 2, kLongestPause);
    pause_timer.async_wait([self = shared_from_this()](const error_code& error) {
      if (!error && self->callback) self->attempt();
    });
  }

  void finish(ConnectStatus status) {
    if (!callback) return;
    const Callback call = std::exchange(callback, nullptr);
    ConnectResult result{status, last_error, {}};
    if (status == ConnectStatus::connected) {
      error_code ignored;  // only where release() is not supported
      result.socket = Descriptor{socket.release(ignored)};
      result.error = {};
    }
    stop();
    call(std::move(result));
  }

  void stop() {
    callback = nullptr;
    resolver.cancel();
    pause_timer.cancel();
    deadline_timer.cancel();
    error_code ignored;
    socket.close(ignored);
  }

  IoContext& io;
  Target target;
  Resolver resolver;
  Socket socket;
  Timer pause_timer;
  Timer deadline_timer;
  Clock::time_point deadline;
  Clock::duration pause = kFirstPause;
  std::vector<Protocol::endpoint> endpoints;
  std::size_t next_endpoint = 0;
  ConnectStatus worst = ConnectStatus::timed_out;  // what to say when the deadline comes
  error_code last_error;
  Callback callback;
};

Connector::Connector(IoContext& io, Target target, Clock::duration total)
    : state_(std::make_shared<State>(io, std::move(target), total)) {
}

void Connector::start(Callback callback) {
  state_->callback = std::move(callback);
  state_->start();
}

void Connector::cancel() {
  state_->stop();
}

}  // namespace wsproxy::net
