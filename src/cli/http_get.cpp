#include "cli/http_get.hpp"

#include <array>
#include <optional>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "config/units.hpp"
#include "http/body_framing.hpp"
#include "http/response_head.hpp"

namespace wsproxy::cli {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kMostHead = 64 * 1024;

class Get {
 public:
  Get(asio::io_context& io, const Url& url, std::size_t most_body)
      : resolver_(io), socket_(io), reader_(kMostHead), most_body_(most_body) {
    answer_.reason = "no answer in time";
    request_ = "GET " + url.target + " HTTP/1.1\r\nHost: " + url.authority + "\r\nConnection: close\r\n\r\n";
    resolver_.async_resolve(url.host, url.port, [this](error_code error, tcp::resolver::results_type found) {
      if (!succeeded(error)) return;
      asio::async_connect(socket_, found, [this](error_code refused, const tcp::endpoint&) {
        if (succeeded(refused)) send();
      });
    });
  }

  const HttpAnswer& answer() const { return answer_; }

 private:
  bool succeeded(const error_code& error) {
    if (error) answer_.reason = error.message();
    return !error;
  }

  void send() {
    asio::async_write(socket_, asio::buffer(request_), [this](error_code error, std::size_t) {
      if (succeeded(error)) receive();
    });
  }

  void receive() {
    socket_.async_read_some(asio::buffer(input_), [this](error_code error, std::size_t size) {
      if (error == asio::error::eof) return on_end();
      if (succeeded(error)) on_bytes(base::Bytes{input_}.first(size));
    });
  }

  void on_bytes(base::Bytes bytes) {
    std::size_t used = 0;
    if (status_ == http::HeadStatus::need_more) status_ = reader_.feed(bytes, used);
    if (status_ == http::HeadStatus::need_more) return receive();
    if (status_ != http::HeadStatus::complete) {
      answer_.reason = reader_.problem();
      return;
    }
    if (!body_) body_ = http::BodyFraming::of(reader_.head(), "GET");
    on_body(bytes.subspan(used));
  }

  void on_body(base::Bytes bytes) {
    std::size_t used = 0;
    const auto status = body_->feed(bytes, used, &content_);
    if (content_.size() > most_body_) {
      answer_.reason = "an answer of more than " + config::size_text(most_body_);
    } else if (status == http::BodyFraming::Status::malformed) {
      answer_.reason = "an answer with a malformed body";
    } else if (status == http::BodyFraming::Status::more) {
      receive();
    } else {
      finish();
    }
  }

  void on_end() {
    if (body_ && body_->ends_with_connection()) return finish();
    answer_.reason =
        body_ ? "the connection ended within the answer" : "the connection ended without an answer";
  }

  void finish() {
    answer_.status = static_cast<int>(reader_.head().status);
    answer_.reason = reader_.head().reason;
    answer_.body = base::as_text(content_.view());
  }

  tcp::resolver resolver_;
  tcp::socket socket_;
  std::string request_;
  std::array<std::byte, 4096> input_{};
  http::ResponseHeadReader reader_;
  http::HeadStatus status_ = http::HeadStatus::need_more;
  std::optional<http::BodyFraming> body_;  // once the head is complete
  base::ByteQueue content_;
  std::size_t most_body_;
  HttpAnswer answer_;
};

}  // namespace

HttpAnswer http_get(const Url& url, std::chrono::milliseconds deadline, std::size_t most_body) {
  asio::io_context io{1};
  Get attempt{io, url, most_body};
  io.run_for(deadline);
  return attempt.answer();
}

}  // namespace wsproxy::cli
