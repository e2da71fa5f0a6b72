#include "differential/beast_end.hpp"

#include <stdexcept>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/beast/_experimental/test/stream.hpp>
#include <boost/beast/websocket.hpp>

namespace wsproxy::test {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;

struct BeastEnd::State {
  State() : socket(beast::test::stream{io}), other(beast::test::connect(socket.next_layer())) {
    // The masks need not be secret here, only cheap.
    socket.secure_prng(false);
    socket.read_message_max(0);
    socket.control_callback([this](websocket::frame_type kind, beast::string_view payload) {
      if (kind == websocket::frame_type::close) return;
      heard.push_back({kind == websocket::frame_type::ping ? 9U : 10U, std::string{payload}});
    });
  }

  /// Until nothing more can happen.
  void turn() {
    io.restart();
    io.poll();
    if (problem) throw std::runtime_error("Beast: " + problem.message());
  }

  void read() {
    socket.async_read_some(asio::buffer(room), [this](beast::error_code error, std::size_t size) {
      if (error == websocket::error::closed) {
        is_closed = true;
      } else if (error) {
        if (!is_closing) problem = error;
      } else {
        message.append(room.data(), size);
        if (socket.is_message_done()) {
          heard.push_back({socket.got_text() ? 1U : 2U, std::exchange(message, {})});
        }
        read();
      }
    });
  }

  /// Starts an operation, which has to be over at once: memory takes all that is written.
  template <typename Operation>
  void complete(const char* what, Operation operation) {
    bool is_done = false;
    operation([&](beast::error_code error) {
      if (error) problem = error;
      is_done = true;
    });
    turn();
    if (!is_done) throw std::logic_error(std::string{"Beast does not end: "} + what);
  }

  asio::io_context io{1};
  websocket::stream<beast::test::stream> socket;
  beast::test::stream other;  // what the socket writes arrives here
  // For all that a call may inflate: Beast feeds the tail of a message twice when that fills its buffer
  // (boostorg/beast issue 3028).
  std::string room = std::string(std::size_t{1} << 18U, '\0');
  std::string message;
  websocket::response_type response;
  std::string request;
  std::vector<Heard> heard;
  beast::error_code problem;
  bool is_closing = false;
  bool is_closed = false;
  bool is_open = false;
};

BeastEnd::BeastEnd(const Offer& offer) : state_(std::make_unique<State>()) {
  websocket::permessage_deflate deflate;
  deflate.client_enable = offer.is_deflate_offered;
  deflate.server_max_window_bits = offer.server_window_bits;
  deflate.client_max_window_bits = offer.client_window_bits;
  deflate.server_no_context_takeover = offer.server_no_context_takeover;
  deflate.client_no_context_takeover = offer.client_no_context_takeover;
  deflate.compLevel = offer.level;
  deflate.memLevel = offer.memory_level;
  state_->socket.set_option(deflate);
  state_->socket.write_buffer_bytes(offer.write_buffer_bytes);
  state_->socket.async_handshake(state_->response, "proxy.example", "/",
                                 [state = state_.get()](beast::error_code error) {
                                   if (error) state->problem = error;
                                   state->is_open = !error;
                                 });
  state_->turn();
  state_->request = take_wire();
}

BeastEnd::BeastEnd(std::size_t write_buffer_bytes) : state_(std::make_unique<State>()) {
  state_->socket.write_buffer_bytes(write_buffer_bytes);
  websocket::request_type request{beast::http::verb::get, "/", 11};
  request.set(beast::http::field::host, "app.example");
  request.set(beast::http::field::upgrade, "websocket");
  request.set(beast::http::field::connection, "Upgrade");
  request.set(beast::http::field::sec_websocket_key, "dGhlIHNhbXBsZSBub25jZQ==");
  request.set(beast::http::field::sec_websocket_version, "13");
  state_->complete("accepting", [&](auto done) { state_->socket.async_accept(request, std::move(done)); });
  take_wire();
  state_->read();
}

BeastEnd::~BeastEnd() = default;

std::string BeastEnd::request_field(std::string_view name) const {
  const std::string_view request = state_->request;
  const std::size_t line = request.find("\r\n" + std::string{name} + ": ");
  if (line == std::string_view::npos) return {};
  const std::size_t begin = line + 2 + name.size() + 2;
  return std::string{request.substr(begin, request.find("\r\n", begin) - begin)};
}

void BeastEnd::answer(const std::string& response) {
  hear(response);
  if (!state_->is_open) throw std::logic_error("Beast does not take the 101");
  state_->read();
}

void BeastEnd::say(bool is_text, std::string_view piece, bool is_last) {
  state_->socket.text(is_text);
  state_->complete("writing", [&](auto done) {
    state_->socket.async_write_some(
        is_last, asio::buffer(piece.data(), piece.size()),
        [done = std::move(done)](beast::error_code error, std::size_t) { done(error); });
  });
}

void BeastEnd::ping(std::string_view payload) {
  state_->complete("a ping", [&](auto done) {
    state_->socket.async_ping(websocket::ping_data{payload.data(), payload.size()}, std::move(done));
  });
}

void BeastEnd::close(std::uint16_t code, std::string_view reason) {
  state_->is_closing = true;
  const beast::string_view text{reason.data(), reason.size()};
  state_->socket.async_close({websocket::close_code{code}, text},
                             [state = state_.get()](beast::error_code error) {
                               if (error) state->problem = error;
                               state->is_closed = !error;
                             });
  state_->turn();
}

std::string BeastEnd::take_wire() {
  std::string wire{state_->other.str()};
  state_->other.clear();
  return wire;
}

void BeastEnd::hear(std::string_view bytes) {
  // Not the stream's append(), which wakes nobody who waits for bytes.
  while (!bytes.empty())
    bytes.remove_prefix(state_->other.write_some(asio::buffer(bytes.data(), bytes.size())));
  state_->turn();
}

std::vector<BeastEnd::Heard> BeastEnd::take_heard() {
  return std::exchange(state_->heard, {});
}

std::optional<std::uint16_t> BeastEnd::closed() const {
  if (!state_->is_closed) return std::nullopt;
  return static_cast<std::uint16_t>(state_->socket.reason().code);
}

}  // namespace wsproxy::test
