#include "cli/probe.hpp"

#include <array>
#include <chrono>
#include <iostream>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "cli/url.hpp"
#include "http/response_head.hpp"

namespace wsproxy::cli {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::seconds kDeadline{2};
constexpr std::size_t kMaxAnswer = 64 * 1024;

/// One GET. What came of it is in problem(), empty for a 200.
class Probe {
 public:
  Probe(asio::io_context& io, const Url& url)
      : resolver_(io), socket_(io), reader_(kMaxAnswer), problem_("no answer in time") {
    request_ = "GET " + url.target + " HTTP/1.1\r\nHost: " + url.authority + "\r\nConnection: close\r\n\r\n";
    resolver_.async_resolve(url.host, url.port, [this](error_code error, tcp::resolver::results_type found) {
      if (!succeeded(error)) return;
      asio::async_connect(socket_, found, [this](error_code refused, const tcp::endpoint&) {
        if (succeeded(refused)) send();
      });
    });
  }

  const std::string& problem() const { return problem_; }

 private:
  bool succeeded(const error_code& error) {
    if (error) problem_ = error.message();
    return !error;
  }

  void send() {
    asio::async_write(socket_, asio::buffer(request_), [this](error_code error, std::size_t) {
      if (succeeded(error)) receive();
    });
  }

  void receive() {
    socket_.async_read_some(asio::buffer(input_), [this](error_code error, std::size_t size) {
      const bool has_ended = error == asio::error::eof;
      if (has_ended && status_ == http::HeadStatus::complete) return judge();
      if (succeeded(error)) on_bytes(base::Bytes{input_}.first(size));
    });
  }

  void on_bytes(base::Bytes bytes) {
    std::size_t used = 0;
    if (status_ == http::HeadStatus::need_more) status_ = reader_.feed(bytes, used);
    if (status_ == http::HeadStatus::need_more) return receive();
    if (status_ != http::HeadStatus::complete) {
      problem_ = reader_.problem();
      return;
    }
    std::size_t body_used = 0;
    const auto body_status = reader_.body(bytes.subspan(used), body_used);
    body_ += base::as_text(bytes.subspan(used, body_used));
    if (body_status == http::ResponseHeadReader::BodyStatus::more && body_.size() < kMaxAnswer)
      return receive();
    judge();
  }

  void judge() {
    const http::ResponseHead& head = reader_.head();
    problem_.clear();
    if (head.status == 200) return;
    problem_ = std::to_string(head.status) + " " + head.reason;
    const std::string_view line = std::string_view{body_}.substr(0, body_.find_first_of("\r\n"));
    if (!line.empty()) problem_.append(": ").append(line);
  }

  tcp::resolver resolver_;
  tcp::socket socket_;
  std::string request_;
  std::array<std::byte, 4096> input_{};
  http::ResponseHeadReader reader_;
  http::HeadStatus status_ = http::HeadStatus::need_more;
  std::string body_;
  std::string problem_;
};

int fail(const std::string& url, const std::string& problem) {
  std::cerr << "wsproxy probe: " << url << ": " << problem << std::endl;
  return 1;
}

}  // namespace

int probe(const std::string& url) {
  auto parsed = parse_url(url);
  if (!parsed || parsed->scheme != "http") return fail(url, "not an http:// URL");
  if (parsed->target.empty()) parsed->target = "/readyz";
  asio::io_context io{1};
  Probe attempt{io, *parsed};
  io.run_for(kDeadline);
  return attempt.problem().empty() ? 0 : fail(url, attempt.problem());
}

}  // namespace wsproxy::cli
