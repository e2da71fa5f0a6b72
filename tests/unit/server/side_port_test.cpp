#include "server/side_port.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <system_error>

using namespace wsproxy::server;
using namespace std::chrono_literals;
using namespace std::string_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

/// A blocking socket that gives up after five seconds.
class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{5, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect to the side port");
    }
  }
  Client(Client&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Client() {
    if (fd_ >= 0) close(fd_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Client& send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;  // the answer tells the test why
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return *this;
  }

  /// Everything up to the side port's closing; ends in "<cut>" when it was no orderly one, in
  /// "<timeout>" when there was none.
  std::string receive_all() {
    while (receive_some() > 0) {
    }
    return std::exchange(received_, {}) + (last_ == 0 ? "" : timed_out_ ? "<timeout>" : "<cut>");
  }

  /// Up to and with `mark`; less when the connection ends before.
  std::string receive_until(std::string_view mark) {
    auto at = received_.find(mark);
    while (at == std::string::npos && receive_some() > 0) at = received_.find(mark);
    const auto size = at == std::string::npos ? received_.size() : at + mark.size();
    auto part = received_.substr(0, size);
    received_.erase(0, size);
    return part;
  }

  void finish_sending() { shutdown(fd_, SHUT_WR); }
  bool is_closed() { return receive_some() <= 0 && !timed_out_; }

 private:
  ssize_t receive_some() {
    std::array<char, 4096> buffer;
    last_ = recv(fd_, buffer.data(), buffer.size(), 0);
    timed_out_ = last_ < 0 && errno == EAGAIN;
    if (last_ > 0) received_.append(buffer.data(), static_cast<std::size_t>(last_));
    return last_;
  }

  int fd_;
  ssize_t last_ = 0;
  bool timed_out_ = false;
  std::string received_;
};

const char* name_of(SideMethod method) {
  return method == SideMethod::get ? "GET" : method == SideMethod::head ? "HEAD" : "POST";
}

SideAnswer probe(const SideRequest& request) {
  const std::string_view path = request.path;
  if (path == "/livez") return {200, "text/plain", "alive\n"};
  if (path == "/readyz") return {503, "text/plain", "draining\n"};
  if (path == "/echo") {
    return {200, "text/plain", name_of(request.method) + " ["s + std::string(request.query) + "]\n"};
  }
  if (path == "/told") {
    return {200, "text/plain",
            std::string(request.accept) + "|" + std::string(request.body) + "|" +
                (request.is_local ? "local" : "remote") + "|" + (request.is_from_page ? "page" : "tool") +
                "\n"};
  }
  if (path == "/waiting") return {200, "text/plain", std::to_string(request.waiting) + "\n"};
  if (path == "/fields") return {200, "text/plain", "", {{"X-One", "1"}, {"Vary", "Accept"}}};
  if (path == "/empty") return {204, "text/plain", ""};
  if (path == "/throw") throw std::runtime_error("secret");
  if (path == "/throw-int") throw 7;
  if (path == "/big") return {200, "text/plain", std::string(8 << 20, 'x')};
  return {404, "text/plain", "no such page\n"};
}

void answer_at_once(const SideRequest& request, const SideReply& reply) {
  reply(probe(request));
}

/// Replies that are not given yet, of /wait.
class Waiting {
 public:
  void add(SideReply reply) {
    const std::lock_guard lock{mutex_};
    replies_.push_back(std::move(reply));
    has_come_.notify_all();
  }
  /// The next one, once it has come.
  SideReply take() {
    std::unique_lock lock{mutex_};
    has_come_.wait_for(lock, 5s, [this] { return !replies_.empty(); });
    if (replies_.empty()) throw std::runtime_error("no request has come");
    SideReply reply = std::move(replies_.front());
    replies_.erase(replies_.begin());
    return reply;
  }

 private:
  std::mutex mutex_;
  std::condition_variable has_come_;
  std::vector<SideReply> replies_;
};

class Port {
 public:
  explicit Port(SidePortLimits limits = {})
      : port_(std::make_unique<SidePort>(
            "127.0.0.1", 0,
            [this](const SideRequest& request, SideReply reply) {
              request.path == "/wait" ? waiting.add(std::move(reply)) : reply(probe(request));
            },
            limits)) {}
  Client client() const { return Client(port_->port()); }
  /// The whole conversation of one request that the side port is to close after.
  std::string ask(std::string_view request) const { return client().send(request).receive_all(); }
  bool still_answers() const {
    return ask("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 200 ");
  }

  void end() { port_.reset(); }

  Waiting waiting;

 private:
  std::unique_ptr<SidePort> port_;
};

std::string get(const std::string& target, const std::string& more = "Connection: close\r\n") {
  return "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + more + "\r\n";
}

}  // namespace

TEST_CASE("a probe gets the handler's status, type and body") {
  const Port port;
  const auto alive = port.ask(get("/livez"));
  CHECK_THAT(alive, StartsWith("HTTP/1.1 200 OK\r\n"));
  CHECK_THAT(alive, Contains("Content-Type: text/plain\r\n"));
  CHECK_THAT(alive, Contains("Content-Length: 6\r\n"));
  CHECK_THAT(alive, Contains("X-Content-Type-Options: nosniff\r\n"));
  CHECK_THAT(alive, Contains("Cache-Control: no-store\r\n"));
  CHECK_THAT(alive, EndsWith("\r\n\r\nalive\n"));
  CHECK_THAT(port.ask(get("/readyz")), StartsWith("HTTP/1.1 503 ") && EndsWith("draining\n"));
  CHECK_THAT(port.ask(get("/nothing")), StartsWith("HTTP/1.1 404 ") && EndsWith("no such page\n"));
}

TEST_CASE("the handler gets the path and the query apart") {
  const Port port;
  CHECK_THAT(port.ask(get("/echo")), EndsWith("GET []\n"));
  CHECK_THAT(port.ask(get("/echo?")), EndsWith("GET []\n"));
  CHECK_THAT(port.ask(get("/echo?a=1?b")), EndsWith("GET [a=1?b]\n"));
}

TEST_CASE("RFC 9112 3.2.2: a target in absolute form is understood") {
  const Port port;
  CHECK_THAT(port.ask(get("http://x:1/echo?q")), EndsWith("GET [q]\n"));
  CHECK_THAT(port.ask(get("http://x")), StartsWith("HTTP/1.1 404 "));
  CHECK_THAT(port.ask(get("*")), StartsWith("HTTP/1.1 404 "));
}

TEST_CASE("HEAD is answered as GET without the body") {
  const Port port;
  const auto answer = port.ask("HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK_THAT(answer,
             StartsWith("HTTP/1.1 200 ") && Contains("Content-Length: 6\r\n") && EndsWith("\r\n\r\n"));

  auto client = port.client();
  client.send("HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n" + get("/echo"));
  CHECK_THAT(client.receive_until("\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  CHECK_THAT(client.receive_all(), StartsWith("HTTP/1.1 200 ") && EndsWith("GET []\n"));
}

TEST_CASE("POST is for the handler, with its body") {
  const Port port;
  auto client = port.client();
  client.send("POST /told HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
  client.send("POST /told HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  client.send("POST /echo?3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK_THAT(client.receive_until("tool\n"), EndsWith("|hello|local|tool\n"));
  CHECK_THAT(client.receive_until("tool\n"), EndsWith("|abc|local|tool\n"));
  CHECK_THAT(client.receive_all(), EndsWith("POST [3]\n"));
}

TEST_CASE("the handler gets what the client accepts, and whether a browser's page sent it") {
  const Port port;
  CHECK_THAT(port.ask(get("/told", "Accept: text/html\r\nConnection: close\r\n")),
             EndsWith("text/html||local|tool\n"));
  for (const std::string field : {"Origin: http://x", "Referer: http://x/", "Sec-Fetch-Site: none"}) {
    CHECK_THAT(port.ask(get("/told", field + "\r\nConnection: close\r\n")), EndsWith("||local|page\n"));
  }
}

TEST_CASE("an answer has the handler's own fields") {
  CHECK_THAT(Port{}.ask(get("/fields")), Contains("X-One: 1\r\n") && Contains("Vary: Accept\r\n"));
}

TEST_CASE("an answer may come later, and meanwhile others are served") {
  Port port({2, 30ms});
  auto client = port.client();
  client.send(get("/wait", "") + get("/echo"));
  const SideReply reply = port.waiting.take();
  for (int i = 0; i < 5; ++i) CHECK(port.still_answers());
  auto silent = port.client();
  CHECK(silent.is_closed());  // long after the deadline of a request
  reply({200, "text/plain", "at last\n"});
  reply({200, "text/plain", "once more\n"});
  CHECK_THAT(client.receive_until("at last\n"), EndsWith("at last\n"));
  CHECK_THAT(client.receive_all(), StartsWith("HTTP/1.1 200 ") && EndsWith("GET []\n"));
}

TEST_CASE("who hangs up while its answer is thought of gives its place back") {
  Port port({1, 10s});
  {
    auto client = port.client();
    client.send(get("/wait"));
  }
  const SideReply reply = port.waiting.take();
  const auto begin = std::chrono::steady_clock::now();
  while (!port.still_answers() && std::chrono::steady_clock::now() - begin < 4s) {
  }
  CHECK(port.still_answers());
  reply({200, "text/plain", "to nobody\n"});
  CHECK(port.still_answers());
}

TEST_CASE("an answer that was given is still sent at the end, and none is after it") {
  Port port;
  auto given = port.client();
  auto open = port.client();
  given.send(get("/wait"));
  const SideReply reply = port.waiting.take();
  open.send(get("/wait"));
  const SideReply late = port.waiting.take();
  reply({200, "text/plain", "goodbye\n"});
  port.end();
  CHECK_THAT(given.receive_all(), EndsWith("goodbye\n"));
  CHECK(open.is_closed());
  late({200, "text/plain", "too late\n"});
}

TEST_CASE("other methods get 405 and are told which there are") {
  const Port port;
  for (const std::string method : {"PUT", "DELETE", "OPTIONS", "CONNECT", "BREW"}) {
    INFO(method);
    const auto answer = port.ask(method + " /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    CHECK_THAT(answer, StartsWith("HTTP/1.1 405 ") && Contains("Allow: GET, HEAD, POST\r\n"));
  }
}

TEST_CASE("a connection is kept for the next request, also behind an error of the handler") {
  const Port port;
  auto client = port.client();
  for (const auto* path : {"/livez", "/nothing", "/throw", "/livez"}) {
    client.send(get(path, ""));
    const auto head = client.receive_until("\r\n\r\n");
    CHECK_THAT(head, StartsWith("HTTP/1.1 "));
    CHECK(head.find("Connection: close") == std::string::npos);
    CHECK_THAT(client.receive_until("\n"), EndsWith("\n"));
  }
}

TEST_CASE("an answer without a body does not swallow the next one") {
  const Port port;
  CHECK_THAT(port.ask(get("/empty", "") + get("/livez")), StartsWith("HTTP/1.1 204 ") && EndsWith("alive\n"));
}

TEST_CASE("HTTP/1.0 is closed after the answer unless it asks for more") {
  const Port port;
  CHECK_THAT(port.ask("GET /livez HTTP/1.0\r\n\r\n"), Contains(" 200 ") && EndsWith("alive\n"));
  auto client = port.client();
  client.send("GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK_THAT(client.receive_until("alive\n"), Contains("Connection: keep-alive\r\n"));
  CHECK_THAT(client.send("GET /livez HTTP/1.0\r\n\r\n").receive_all(), EndsWith("alive\n"));
}

TEST_CASE("pipelined requests are answered in order") {
  const Port port;
  std::string requests;
  for (int i = 0; i < 300; ++i) requests += get("/echo?" + std::to_string(i), "");
  auto client = port.client();
  client.send(requests);
  for (int i = 0; i < 300; ++i) {
    CHECK_THAT(client.receive_until("]\n"), EndsWith("GET [" + std::to_string(i) + "]\n"));
  }
}

TEST_CASE("a request that comes byte by byte is a request") {
  const Port port;
  auto client = port.client();
  for (const char byte : get("/livez")) client.send({&byte, 1});
  CHECK_THAT(client.receive_all(), StartsWith("HTTP/1.1 200 "));
}

TEST_CASE("what is malformed gets 400 and the connection ends") {
  const Port port;
  const std::array<std::string, 10> malformed{
      "\r\n\r\n\r\n",
      "GET\r\n\r\n",
      "GET /livez\r\n\r\n",
      "GET /livez HTTP/9.9\r\nHost: x\r\n\r\n",
      "GET /\0livez HTTP/1.1\r\nHost: x\r\n\r\n"s,
      "GET /livez HTTP/1.1\r\nHost : x\r\n\r\n",
      "GET /livez HTTP/1.1\r\n\r\n",
      "GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
      "POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS client hello \r\n\r\n",
  };
  for (const auto& request : malformed) {
    INFO(request);
    const auto answer = port.ask(request);
    CHECK_THAT(answer,
               StartsWith("HTTP/1.1 400 ") && Contains("Connection: close\r\n") && EndsWith("Bad Request\n"));
  }
  CHECK(port.still_answers());
}

TEST_CASE("a head of more than 8 KiB gets 431, one of less is served") {
  const Port port;
  const auto padded = [](std::size_t size) {
    return get("/livez", "X: " + std::string(size, 'x') + "\r\nConnection: close\r\n");
  };
  CHECK_THAT(port.ask(padded(8'000)), StartsWith("HTTP/1.1 200 "));
  CHECK_THAT(port.ask(padded(8'192)), StartsWith("HTTP/1.1 431 ") && Contains("Connection: close\r\n"));
  CHECK_THAT(port.ask(padded(1'000'000)), StartsWith("HTTP/1.1 431 ") && !Contains("<cut>"));
  CHECK_THAT(port.ask(std::string(100'000, 'x')), StartsWith("HTTP/1.1 4"));
}

TEST_CASE("a body of more than 64 KiB gets 413, one of 64 KiB is read") {
  const Port port;
  const auto post = [](std::size_t size) {
    return "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " + std::to_string(size) +
           "\r\n\r\n" + std::string(size, 'x');
  };
  CHECK_THAT(port.ask(post(65'536)), StartsWith("HTTP/1.1 200 "));
  CHECK_THAT(port.ask(post(65'537)), StartsWith("HTTP/1.1 413 "));
  CHECK_THAT(port.ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551615\r\n\r\n"),
             StartsWith("HTTP/1.1 4"));
  std::string chunks = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 20; ++i) chunks += "1000\r\n" + std::string(0x1000, 'x') + "\r\n";
  CHECK_THAT(port.ask(chunks), StartsWith("HTTP/1.1 413 "));
}

TEST_CASE("an exception of the handler is a 500 that tells nothing") {
  const Port port;
  CHECK_THAT(port.ask(get("/throw")), StartsWith("HTTP/1.1 500 ") && EndsWith("Internal Server Error\n"));
  CHECK_THAT(port.ask(get("/throw-int")), StartsWith("HTTP/1.1 500 "));
}

TEST_CASE("a request that takes too long is closed without a word") {
  const Port port({64, 30ms});
  CHECK(port.ask("").empty());
  CHECK(port.ask("GET /livez HTT").empty());
  CHECK(port.ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel").empty());
  CHECK(port.still_answers());
}

TEST_CASE("dripping bytes do not move the deadline") {
  const Port port({64, 50ms});
  auto client = port.client();
  client.send("GET /");
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < 2s) {
    client.send("x");
    if (port.client().is_closed()) break;  // itself closed 50 ms later: a second client is the clock here
  }
  CHECK(client.is_closed());
  CHECK(std::chrono::steady_clock::now() - begin < 1s);
}

TEST_CASE("a client that does not read its answer is closed") {
  const Port port({1, 50ms});
  auto deaf = port.client();
  deaf.send(get("/big", ""));
  // The only place is free again when the deaf client has been closed.
  const auto begin = std::chrono::steady_clock::now();
  while (!port.still_answers() && std::chrono::steady_clock::now() - begin < 4s) {
  }
  CHECK(port.still_answers());
}

TEST_CASE("above the limit the one that is longest without an answer goes") {
  const Port port({3, 10s});
  std::vector<Client> inside;
  for (int i = 0; i < 3; ++i) {
    inside.push_back(port.client());
    inside.back().send(get("/livez", ""));
    CHECK_THAT(inside.back().receive_until("alive\n"), EndsWith("alive\n"));
  }
  inside[0].send(get("/livez", ""));
  CHECK_THAT(inside[0].receive_until("alive\n"), EndsWith("alive\n"));
  CHECK(port.still_answers());
  CHECK(inside[1].is_closed());
  for (const int i : {0, 2}) {
    inside[i].send(get("/livez", ""));
    CHECK_THAT(inside[i].receive_until("alive\n"), EndsWith("alive\n"));
  }
}

TEST_CASE("a request is told how many others wait, and not of those who have left") {
  Port port;
  auto stays = port.client();
  stays.send(get("/wait"));
  const SideReply first = port.waiting.take();
  {
    auto leaves = port.client();
    leaves.send(get("/wait"));
    const SideReply second = port.waiting.take();
    CHECK_THAT(port.ask(get("/waiting")), EndsWith("\n2\n"));
  }
  const auto begin = std::chrono::steady_clock::now();
  while (!port.ask(get("/waiting")).ends_with("\n1\n") && std::chrono::steady_clock::now() - begin < 4s) {
  }
  CHECK_THAT(port.ask(get("/waiting")), EndsWith("\n1\n"));
  first({200, "text/plain", "done\n"});
  CHECK_THAT(stays.receive_all(), EndsWith("done\n"));
}

TEST_CASE("above the limit nobody goes whose answer is thought of") {
  Port port({2, 10s});
  std::vector<Client> waiting;
  for (int i = 0; i < 2; ++i) {
    waiting.push_back(port.client());
    waiting.back().send(get("/wait"));
  }
  const SideReply first = port.waiting.take();
  const SideReply second = port.waiting.take();
  CHECK(port.client().is_closed());
  first({200, "text/plain", "1\n"});
  second({200, "text/plain", "2\n"});
  for (Client& one : waiting) CHECK_THAT(one.receive_all(), StartsWith("HTTP/1.1 200 "));
}

TEST_CASE("clients that leave in the middle disturb nobody") {
  const Port port;
  const auto request = get("/livez");
  for (std::size_t size = 0; size < request.size(); ++size) {
    port.client().send(request.substr(0, size));
    auto half_closed = port.client();
    half_closed.send(request.substr(0, size)).finish_sending();
    CHECK(half_closed.is_closed());
  }
  CHECK(port.still_answers());
}

TEST_CASE("the side port ends with connections open") {
  std::vector<Client> clients;
  {
    const Port port;
    for (int i = 0; i < 5; ++i) clients.push_back(port.client());
    clients[0].send("GET /li");
    clients[1].send(get("/big", ""));
    clients[2].send(get("/livez", ""));
    CHECK_THAT(clients[2].receive_until("alive\n"), EndsWith("alive\n"));
  }
  for (auto& client : clients) CHECK_THAT(client.receive_all(), !Contains("<timeout>"));
}

TEST_CASE("a port in use is named in one line") {
  const SidePort first("127.0.0.1", 0, answer_at_once);
  try {
    const SidePort second("127.0.0.1", first.port(), answer_at_once);
    FAIL("it listened twice");
  } catch (const std::system_error& error) {
    CHECK(error.code() == std::errc::address_in_use);
    CHECK(std::string(error.what()) == "side port: cannot listen on 127.0.0.1 port " +
                                           std::to_string(first.port()) + ": Address already in use");
  }
}

TEST_CASE("an address that is not one, or not ours, is named in one line") {
  for (const std::string& host : {std::string("192.0.2.1"), std::string(70, 'x')}) {
    INFO(host);
    try {
      const SidePort port(host, 0, answer_at_once);
      FAIL("it listened");
    } catch (const std::system_error& error) {
      const std::string text = error.what();
      CHECK_THAT(text, StartsWith("side port: cannot listen on " + host + " port 0: "));
      CHECK(text.find('\n') == std::string::npos);
    }
  }
}

TEST_CASE("it listens on IPv6 and on names") {
  const SidePort named("localhost", 0, answer_at_once);
  CHECK(named.port() != 0);
  const SidePort v6("::1", 0, answer_at_once);
  CHECK(v6.port() != 0);
}
