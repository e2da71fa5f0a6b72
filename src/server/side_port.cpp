#include "server/side_port.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <pthread.h>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sys/resource.h>
#include <system_error>

#include "server/crash_handler.hpp"
#include "server/side_connection.hpp"
#include "telemetry/thread_signals.hpp"

namespace wsproxy::server {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr std::chrono::milliseconds kPatienceAtEnd{500};
constexpr int kNiceness = 5;  // who asks without a pause must not have as much of a CPU as the relay
}  // namespace

class SidePort::Server {
 public:
  Server(const std::string& host, std::uint16_t port, Handler handler, SidePortLimits limits)
      : shared_{std::move(handler), limits}, acceptor_(io_), timer_(io_) {
    try {
      listen(host, port);
    } catch (const boost::system::system_error& failure) {
      throw std::system_error(failure.code(),
                              "side port: cannot listen on " + host + " port " + std::to_string(port));
    }
    thread_ = std::thread([this] { run(); });
  }

  ~Server() {
    asio::post(io_, [this] { end(); });
    thread_.join();
    shared_.on_empty = {};
  }

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void post(std::function<void()> call) { asio::post(io_, std::move(call)); }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  void listen(const std::string& host, std::uint16_t port) {
    const tcp::endpoint endpoint =
        tcp::resolver(io_).resolve(host, std::to_string(port), tcp::resolver::passive).begin()->endpoint();
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint);
    // Else Asio takes an aborted connection for none, and waits for an edge while others are there to accept.
    acceptor_.set_option(asio::socket_base::enable_connection_aborted(true));
    acceptor_.listen();
  }

  void run() {
    telemetry::leave_signals_to_main_thread();
    const CrashStack stack;
    ::pthread_setname_np(::pthread_self(), "side port");
    ::setpriority(PRIO_PROCESS, 0, kNiceness);  // of this thread: on Linux 0 stands for the caller
    for (;;) {
      try {
        accept();
        io_.run();
        return;
      } catch (const std::exception&) {
        // Out of memory in one connection, which its handler took along; the others go on. If it was one that
        // came, Asio has dropped the handler that would have waited for the next.
      }
    }
  }

  void accept() {
    if (!accepting_.expired() || shared_.is_ending) return;
    const auto waits = std::make_shared<bool>(true);
    accepting_ = waits;
    acceptor_.async_accept([this, waits](error_code error, tcp::socket socket) {
      accepting_.reset();
      if (error == asio::error::operation_aborted || shared_.is_ending) return;
      if (error) {
        pause_accepting();
        return;
      }
      accept();
      if (has_room()) start(std::move(socket));
    });
  }

  /// Probes must not find all places taken by who does not ask: the one that is longest without an answer
  /// leaves for them.
  bool has_room() {
    if (shared_.open.size() < shared_.limits.connections) return true;
    const auto longest =
        std::ranges::find_if(shared_.open, [](const SideConnection* one) { return one->is_dispensable(); });
    if (longest == shared_.open.end()) return false;
    (*longest)->close();
    return true;
  }

  void start(tcp::socket socket) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    std::make_shared<SideConnection>(std::move(socket), shared_)->read_request();
  }

  /// Out of descriptors: trying again at once would only spin.
  void pause_accepting() {
    timer_.expires_after(kAcceptPause);
    timer_.async_wait([this](error_code error) {
      if (!error) accept();
    });
  }

  /// What has been answered is still sent: a hook may be waiting for just that.
  void end() {
    shared_.is_ending = true;
    error_code ignored;
    acceptor_.close(ignored);
    for (auto one = shared_.open.begin(); one != shared_.open.end();) {
      SideConnection& connection = **one++;
      if (!connection.is_answering()) connection.close();
    }
    timer_.expires_after(kPatienceAtEnd);
    timer_.async_wait([this](error_code) { io_.stop(); });
    shared_.on_empty = [this] { io_.stop(); };
    if (shared_.open.empty()) io_.stop();
  }

  SideShared shared_;  // before io_, whose end destroys the connections
  asio::io_context io_{1};
  // Else a call that throws while nobody waits for anything would be the last.
  asio::executor_work_guard<asio::io_context::executor_type> stays_{io_.get_executor()};
  tcp::acceptor acceptor_;
  std::weak_ptr<bool> accepting_;  // of the handler that waits
  asio::steady_timer timer_;
  std::thread thread_;
};

SidePort::SidePort(const std::string& host, std::uint16_t port, Handler handler, SidePortLimits limits)
    : server_(std::make_unique<Server>(host, port, std::move(handler), limits)) {
}

SidePort::~SidePort() = default;

void SidePort::post(std::function<void()> call) {
  server_->post(std::move(call));
}

std::uint16_t SidePort::port() const {
  return server_->port();
}

}  // namespace wsproxy::server
