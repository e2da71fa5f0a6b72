#include "server/side_connection.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "server/side_access.hpp"

namespace wsproxy::server {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::uint32_t kMaxHeadBytes = 8 * 1024;
constexpr std::uint64_t kMaxBodyBytes = 64 * 1024;
constexpr std::size_t kReadBufferBytes = 16 * 1024;  // holds a head and what was pipelined behind it
constexpr unsigned kHttp10 = 10;
constexpr unsigned kHttp11 = 11;

struct Target {
  std::string_view path;
  std::string_view query;
};

/// RFC 9112 section 3.2: the origin form, or the absolute form without its scheme and authority.
Target split_target(std::string_view target) {
  const auto mark = target.find('?');
  auto path = target.substr(0, mark);
  const auto query = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  if (!path.starts_with('/')) {
    const auto scheme_end = path.find("://");
    if (scheme_end != std::string_view::npos) {
      const auto begin = path.find('/', scheme_end + 3);
      path = begin == std::string_view::npos ? "/" : path.substr(begin);
    }
  }
  return {path, query};
}

std::string_view as_view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

SideAnswer plain_answer(http::status status) {
  return {.status = static_cast<unsigned>(status), .body = std::string{http::obsolete_reason(status)} + "\n"};
}

http::status status_for_unreadable(const error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return http::status::request_header_fields_too_large;
  }
  if (error == http::error::body_limit) return http::status::payload_too_large;
  return http::status::bad_request;
}

std::optional<SideMethod> method_of(http::verb verb) {
  if (verb == http::verb::get) return SideMethod::get;
  if (verb == http::verb::head) return SideMethod::head;
  if (verb == http::verb::post) return SideMethod::post;
  return std::nullopt;
}

asio::ip::address plain_address(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return address;
}

}  // namespace

SideConnection::SideConnection(tcp::socket socket, SideShared& shared)
    : stream_(std::move(socket)), shared_(shared), buffer_(kReadBufferBytes) {
  place_ = shared_.open.insert(shared_.open.end(), this);
}

SideConnection::~SideConnection() {
  leave();
}

void SideConnection::close() {
  const auto self = std::exchange(kept_, nullptr);  // may be the last reference
  error_code ignored;
  stream_.socket().close(ignored);
  leave();
}

void SideConnection::leave() {
  if (place_ == shared_.open.end()) return;
  shared_.open.erase(std::exchange(place_, shared_.open.end()));
  if (shared_.open.empty() && shared_.on_empty) shared_.on_empty();
}

void SideConnection::read_request() {
  if (shared_.is_ending) return;
  state_ = State::reading;
  parser_.emplace();
  parser_->header_limit(kMaxHeadBytes);
  parser_->body_limit(kMaxBodyBytes);
  stream_.expires_after(shared_.limits.request);
  http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, std::size_t) {
    error ? self->on_unreadable(error) : self->on_request();
  });
}

void SideConnection::on_unreadable(const error_code& error) {
  // A peer that left, was cut or took too long has nothing to be told.
  if (error.category() != http::make_error_code(http::error::bad_method).category()) return;
  if (error == http::error::end_of_stream || error == http::error::partial_message) return;
  send(plain_answer(status_for_unreadable(error)), false);
}

void SideConnection::on_request() {
  const Request& request = parser_->get();
  const bool lacks_host = request.version() == kHttp11 && request.count(http::field::host) != 1;
  if (lacks_host) {  // RFC 9112 section 3.2
    send(plain_answer(http::status::bad_request), false);
  } else if (!method_of(request.method())) {
    send(plain_answer(http::status::method_not_allowed), request.keep_alive());
  } else {
    ask_handler(request);
  }
}

void SideConnection::ask_handler(const Request& request) {
  const auto [path, query] = split_target(as_view(request.target()));
  SideRequest asked;
  asked.method = *method_of(request.method());
  asked.path = path;
  asked.query = query;
  asked.accept = as_view(request[http::field::accept]);
  asked.body = request.body();
  asked.waiting = static_cast<std::size_t>(std::ranges::count_if(
      shared_.open, [](const SideConnection* one) { return one->state_ == State::thinking; }));
  asked.is_local = is_local() && is_asked_by_address(as_view(request[http::field::host]));
  asked.is_from_page = request.count(http::field::origin) > 0 || request.count(http::field::referer) > 0 ||
                       request.count("Sec-Fetch-Site") > 0;
  state_ = State::thinking;
  stream_.expires_never();
  kept_ = shared_from_this();
  try {
    think(asked);
  } catch (...) {
    close();  // for want of memory: nobody would answer it, and it has no deadline
    throw;
  }
}

void SideConnection::think(const SideRequest& asked) {
  const SideReply reply = this->reply();
  notice_hang_up();
  try {
    shared_.handler(asked, reply);
  } catch (...) {
    reply(plain_answer(http::status::internal_server_error));
  }
}

SideReply SideConnection::reply() {
  // Not a reference that keeps it: an answer may be thought of for longer than the side port lives.
  return [weak = weak_from_this()](SideAnswer answer) {
    auto self = weak.lock();
    if (!self) return;
    const auto executor = self->stream_.get_executor();
    // Nothing stays here: the last reference must go on the side port's thread.
    asio::post(executor, [self = std::move(self), answer = std::move(answer)]() mutable {
      if (self->state_ != State::thinking || !std::exchange(self->kept_, nullptr)) return;
      error_code ignored;
      self->stream_.socket().cancel(ignored);
      self->send(std::move(answer), self->parser_->get().keep_alive());
    });
  };
}

void SideConnection::notice_hang_up() {
  stream_.socket().async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code error) {
    if (error || self->state_ != State::thinking) return;
    error_code failure;
    // Unless it is a pipelined request, which waits for its turn.
    if (self->stream_.socket().available(failure) == 0 || failure) self->close();
  });
}

void SideConnection::send(SideAnswer answer, bool keep_alive) {
  state_ = State::answering;
  const Request& request = parser_->get();
  response_.emplace();
  response_->version(request.version() == kHttp10 ? kHttp10 : kHttp11);
  response_->result(answer.status);
  response_->set(http::field::content_type, answer.content_type);
  response_->set(http::field::cache_control, "no-store");
  response_->set("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : answer.fields) response_->set(name, value);
  if (response_->result() == http::status::method_not_allowed && response_->count(http::field::allow) == 0) {
    response_->set(http::field::allow, "GET, HEAD, POST");
  }
  response_->body() = std::move(answer.body);
  response_->keep_alive(keep_alive && !shared_.is_ending);
  response_->prepare_payload();
  write_response(request.method() == http::verb::head);
}

void SideConnection::write_response(bool head_only) {
  serializer_.emplace(*response_);
  stream_.expires_after(shared_.limits.request);
  auto on_written = [self = shared_from_this()](error_code error, std::size_t) {
    if (!error) self->on_answered();
  };
  if (head_only) {
    http::async_write_header(stream_, *serializer_, std::move(on_written));
  } else {
    http::async_write(stream_, *serializer_, std::move(on_written));
  }
}

void SideConnection::on_answered() {
  if (place_ == shared_.open.end()) return;
  // The one that was answered last is the last to be given up.
  shared_.open.splice(shared_.open.end(), shared_.open, place_);
  if (response_->keep_alive()) {
    read_request();
    return;
  }
  state_ = State::lingering;
  error_code ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  discard_rest();
}

/// Closing while bytes of the peer are unread would reset the connection, and the answer with it.
void SideConnection::discard_rest() {
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(kReadBufferBytes),
                          [self = shared_from_this()](error_code error, std::size_t) {
                            if (!error) self->discard_rest();
                          });
}

bool SideConnection::is_local() const {
  error_code error;
  const auto peer = stream_.socket().remote_endpoint(error);
  if (error) return false;
  const auto own = stream_.socket().local_endpoint(error);
  if (error) return false;
  const auto address = plain_address(peer.address());
  return address.is_loopback() || address == plain_address(own.address());
}

}  // namespace wsproxy::server
