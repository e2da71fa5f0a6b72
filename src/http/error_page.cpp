#include "http/error_page.hpp"

namespace wsproxy::http {

std::string error_page(unsigned status, std::string_view sentence, std::string_view extra_headers) {
  const bool asks_to_upgrade = status == 426;
  std::string page = "HTTP/1.1 " + std::to_string(status) + " ";
  page += reason_phrase(status);
  // RFC 9110 section 7.8: whoever sends Upgrade says so in Connection.
  page += asks_to_upgrade
              ? "\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13"
              : "\r\nConnection: close";
  page += "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ";
  page += std::to_string(sentence.size() + 1) + "\r\n";
  page += extra_headers;
  page += "\r\n";
  page += sentence;
  page += "\n";
  return page;
}

std::string empty_answer() {
  return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
}

std::string_view reason_phrase(unsigned status) {
  switch (status) {
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

}  // namespace wsproxy::http
