// Boost.Beast's websocket::stream, with its own permessage-deflate, in front of the proxy:
// beast_client HOST PORT. The app behind is harness/app.py's EchoApp and its commands.
// Prints a line for each combination; stops at the first thing that is not as it should be.
#include <functional>
#include <iostream>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;

struct Address {
  std::string host;
  std::uint16_t port;
};

struct Offer {
  int server_bits = 15;
  int client_bits = 15;
  bool server_forgets = false;
  bool client_forgets = false;

  std::string text() const {
    return "server " + std::to_string(server_bits) + (server_forgets ? " forgets" : "") + ", client " +
           std::to_string(client_bits) + (client_forgets ? " forgets" : "");
  }
};

void must(bool ok, const std::string& what) {
  if (!ok) throw std::runtime_error(what);
}

std::string text_of(std::size_t size) {
  static const std::string words = R"(order price update {"type":"chat","room":)";
  std::string text;
  while (text.size() < size) text += words + std::to_string(text.size()) + "} ";
  text.resize(size);
  return text;
}

std::string random_of(std::size_t size) {
  static std::mt19937 chance{20240607};
  std::uniform_int_distribution<int> byte{0, 255};
  std::string data(size, '\0');
  for (auto& each : data) each = static_cast<char>(byte(chance));
  return data;
}

class Connection {
 public:
  Connection(const Address& address, const Offer* offer) : stream_{context_} {
    asio::ip::tcp::resolver resolver{context_};
    asio::connect(stream_.next_layer(), resolver.resolve(address.host, std::to_string(address.port)));
    stream_.next_layer().set_option(asio::ip::tcp::no_delay{true});
    websocket::permessage_deflate deflate;
    deflate.client_enable = offer != nullptr;
    if (offer != nullptr) {
      deflate.server_max_window_bits = offer->server_bits;
      deflate.client_max_window_bits = offer->client_bits;
      deflate.server_no_context_takeover = offer->server_forgets;
      deflate.client_no_context_takeover = offer->client_forgets;
      deflate.msg_size_threshold = 0;
    }
    stream_.set_option(deflate);
    stream_.read_message_max(std::size_t{4} << 20);
    websocket::response_type answer;
    stream_.handshake(answer, address.host, "/beast");
    extension_ = std::string{answer[beast::http::field::sec_websocket_extensions]};
    stream_.control_callback([this](websocket::frame_type kind, beast::string_view payload) {
      if (kind == websocket::frame_type::pong) pong_ = std::string{payload};
      if (kind == websocket::frame_type::ping) ping_ = std::string{payload};
    });
  }

  const std::string& extension() const { return extension_; }
  const std::string& last_pong() const { return pong_; }
  const std::string& last_ping() const { return ping_; }
  void ping(const std::string& payload) { stream_.ping(websocket::ping_data{payload}); }

  void write(const std::string& data, bool is_text) {
    stream_.text(is_text);
    stream_.write(asio::buffer(data));
  }

  void write_fragments(const std::vector<std::string>& parts) {
    stream_.text(true);
    for (std::size_t at = 0; at < parts.size(); ++at) {
      stream_.write_some(at + 1 == parts.size(), asio::buffer(parts[at]));
    }
  }

  void expect(const std::string& wanted, bool is_text = true) {
    beast::flat_buffer buffer;
    stream_.read(buffer);
    must(stream_.got_text() == is_text, "text became binary or the other way round");
    must(beast::buffers_to_string(buffer.data()) == wanted,
         "another message than the one of " + std::to_string(wanted.size()) + " bytes");
  }

  void echo(const std::string& data, bool is_text) {
    write(data, is_text);
    expect(data, is_text);
  }

  websocket::close_reason wait_for_close() {
    beast::flat_buffer buffer;
    beast::error_code problem;
    while (!problem) stream_.read(buffer, problem);
    must(problem == websocket::error::closed, "not closed but " + problem.message());
    return stream_.reason();
  }

  websocket::close_reason close(std::uint16_t code, const std::string& reason) {
    stream_.close(websocket::close_reason{static_cast<websocket::close_code>(code), reason});
    return stream_.reason();
  }

 private:
  asio::io_context context_;
  websocket::stream<asio::ip::tcp::socket> stream_;
  std::string extension_;
  std::string pong_;
  std::string ping_;
};

void round_trips(Connection& connection) {
  for (const std::size_t size : {0U, 1U, 31U, 32U, 125U, 126U, 1000U, 65535U, 65537U}) {
    connection.echo(text_of(size), true);
    connection.echo(random_of(size), false);
  }
}

void large_round_trips(Connection& connection) {
  for (const std::size_t size : {200000U, 1U << 20}) {
    connection.echo(text_of(size), true);
    connection.echo(random_of(size), false);
  }
}

void conversation(Connection& connection) {
  for (std::size_t turn = 0; turn < 120; ++turn) {
    connection.echo(std::to_string(turn) + text_of(20 + turn * 37 % 400), true);
  }
  connection.write("/feed 300 the same news for everyone, again and again", true);
  for (int turn = 0; turn < 300; ++turn) {
    connection.expect(std::to_string(turn) + " the same news for everyone, again and again");
  }
}

void fragments_and_pings(Connection& connection) {
  connection.write_fragments({"first part, ", "", text_of(5000), "last"});
  connection.expect("first part, " + text_of(5000) + "last");
  connection.write("/fragments 7 " + text_of(3000), true);
  connection.expect(text_of(3000));
  connection.ping("are you there");
  connection.echo("behind the ping", true);
  must(connection.last_pong() == "are you there", "no pong");
  connection.write("/ping and you", true);
  connection.echo("behind that ping", true);
  must(connection.last_ping() == "and you", "no ping");
}

bool has(const Connection& connection, const std::string& parameter) {
  return connection.extension().find(parameter) != std::string::npos;
}

void check_answer(const Connection& connection, const Offer& offer) {
  must(has(connection, "permessage-deflate"), "the extension was not agreed");
  must(!offer.server_forgets || has(connection, "server_no_context_takeover"), "the proxy will not forget");
  must(offer.server_bits == 15 ||
           has(connection, "server_max_window_bits=" + std::to_string(offer.server_bits)),
       "the proxy's window is not the one that was asked for: " + connection.extension());
}

void try_offer(const Address& address, const Offer& offer) {
  Connection connection{address, &offer};
  check_answer(connection, offer);
  round_trips(connection);
  if (offer.server_bits == 15) large_round_trips(connection);
  conversation(connection);
  fragments_and_pings(connection);
  connection.write("/close 4001 bye", true);
  const auto reason = connection.wait_for_close();
  must(reason.code == 4001 && reason.reason == "bye", "closed with " + std::to_string(reason.code));
  std::cout << "ok: " << offer.text() << ": " << connection.extension() << '\n';
}

void without_compression(const Address& address) {
  Connection connection{address, nullptr};
  must(connection.extension().empty(), "an extension that was not offered: " + connection.extension());
  round_trips(connection);
  large_round_trips(connection);
  must(connection.close(3999, "enough").code == 3999, "our own close was answered with another code");
  std::cout << "ok: nothing offered\n";
}

void lost_app(const Address& address) {
  const Offer offer;
  Connection connection{address, &offer};
  connection.write("/vanish", true);
  must(connection.wait_for_close().code == 1011, "a lost app is not 1011");
  std::cout << "ok: lost app\n";
}

void try_everything(const Address& address) {
  for (const int server_bits : {9, 10, 12, 15}) {  // 8 is more than Beast's own deflate can say
    for (const int client_bits : {9, 11, 15}) {
      for (const bool server_forgets : {false, true}) {
        for (const bool client_forgets : {false, true}) {
          try_offer(address, Offer{server_bits, client_bits, server_forgets, client_forgets});
        }
      }
    }
  }
  without_compression(address);
  lost_app(address);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: beast_client HOST PORT\n";
    return 2;
  }
  try {
    try_everything({argv[1], static_cast<std::uint16_t>(std::stoi(argv[2]))});
  } catch (const std::exception& problem) {
    std::cerr << "beast_client: " << problem.what() << '\n';
    return 1;
  }
  return 0;
}
