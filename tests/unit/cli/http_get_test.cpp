#include "cli/http_get.hpp"

#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>

namespace wsproxy::cli {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t kMostBody = 100;

/// What comes of a server that says so to the request and then closes.
HttpAnswer answer_to(const std::string& said) {
  asio::io_context io;
  tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
  std::thread server{[&] {
    tcp::socket socket = acceptor.accept();
    std::string request;
    asio::read_until(socket, asio::dynamic_buffer(request), "\r\n\r\n");
    boost::system::error_code gone;  // who has heard enough
    asio::write(socket, asio::buffer(said), gone);
  }};
  const Url url = *parse_url("http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/x");
  HttpAnswer answer = http_get(url, std::chrono::seconds{20}, kMostBody);
  server.join();
  return answer;
}

void check_complete(const std::string& head, const std::string& body, const std::string& content) {
  const HttpAnswer answer = answer_to("HTTP/1.1 200 OK\r\n" + head + "\r\n" + body);
  CHECK(answer.status == 200);
  CHECK(answer.reason == "OK");
  CHECK(answer.body == content);
}

void check_broken(const std::string& said, const std::string& reason) {
  const HttpAnswer answer = answer_to(said);
  CHECK(answer.status == 0);
  CHECK(answer.reason == reason);
  CHECK(answer.body.empty());
}

TEST_CASE("a body is complete by its length, by its last chunk, or else with the connection", "[http_get]") {
  check_complete("Content-Length: 5\r\n", "hello", "hello");
  check_complete("Content-Length: 0\r\n", "", "");
  check_complete("Transfer-Encoding: chunked\r\n", "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "hello");
  check_complete("", "hello", "hello");
}

TEST_CASE("an answer that ends too early is none", "[http_get]") {
  check_broken("", "the connection ended without an answer");
  check_broken("HTTP/1.1 200 OK\r\nContent-", "the connection ended without an answer");
  const std::string within = "the connection ended within the answer";
  check_broken("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", within);
  check_broken("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", within);
  check_broken("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", within);
}

TEST_CASE("an answer with chunks that are none is none", "[http_get]") {
  check_broken("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfive\r\n",
               "an answer with a malformed body");
}

TEST_CASE("an answer may be as long as it may, and no byte longer", "[http_get]") {
  const std::string most(kMostBody, 'x');
  check_complete("Content-Length: 100\r\n", most, most);
  check_complete("", most, most);
  check_broken("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + most + "x", "an answer of more than 100B");
  check_broken("HTTP/1.1 200 OK\r\n\r\n" + most + "x", "an answer of more than 100B");
}

}  // namespace
}  // namespace wsproxy::cli
