#pragma once

#include <list>
#include <memory>
#include <optional>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "server/side_port.hpp"

namespace wsproxy::server {

class SideConnection;

using SideConnections = std::list<SideConnection*>;

/// What all connections of a side port share; outlives them. Touched by its thread only.
struct SideShared {
  SidePort::Handler handler;
  SidePortLimits limits;
  SideConnections open = {};            // who has been longest without an answer comes first
  bool is_ending = false;               // no further requests
  std::function<void()> on_empty = {};  // then, when the last one has gone
};

/// One client of the side port: read a request, answer it, again. Each pending operation holds a reference;
/// the stream's deadline ends the operation and thereby the connection. While an answer is being thought of
/// there is no deadline; a client that hangs up meanwhile is let go. The side port's thread only.
class SideConnection : public std::enable_shared_from_this<SideConnection> {
 public:
  SideConnection(boost::asio::ip::tcp::socket socket, SideShared& shared);
  ~SideConnection();
  SideConnection(const SideConnection&) = delete;
  SideConnection& operator=(const SideConnection&) = delete;

  void read_request();
  /// Whether it may be closed for the sake of a new one: nobody is thinking of its answer.
  bool is_dispensable() const { return state_ != State::thinking; }
  /// Whether an answer is on its way to it.
  bool is_answering() const { return state_ == State::answering; }
  /// Its pending operation fails, and with that it goes.
  void close();

 private:
  void leave();

  enum class State : std::uint8_t { reading, thinking, answering, lingering };
  using Request = boost::beast::http::request<boost::beast::http::string_body>;
  using Response = boost::beast::http::response<boost::beast::http::string_body>;

  void on_unreadable(const boost::system::error_code& error);
  void on_request();
  void ask_handler(const Request& request);
  void think(const SideRequest& asked);
  SideReply reply();
  void notice_hang_up();
  void send(SideAnswer answer, bool keep_alive);
  void write_response(bool head_only);
  void on_answered();
  void discard_rest();
  bool is_local() const;

  boost::beast::tcp_stream stream_;
  SideShared& shared_;
  SideConnections::iterator place_;  // among those that are open; its end() when it is none of them any more
  State state_ = State::reading;
  std::shared_ptr<SideConnection> kept_;  // itself, while an answer is being thought of
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  std::optional<Response> response_;
  std::optional<boost::beast::http::response_serializer<boost::beast::http::string_body>> serializer_;
};

}  // namespace wsproxy::server
