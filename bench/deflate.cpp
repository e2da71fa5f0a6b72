#include "deflate.hpp"

#include <algorithm>
#include <charconv>

namespace bench {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '"')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '"')) text.remove_suffix(1);
  return text;
}

int window_bits(std::string_view value) {
  int bits = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), bits);
  if (error != std::errc() || end != value.data() + value.size() || bits < 8 || bits > 15)
    throw std::runtime_error("window bits out of range: " + std::string(value));
  return bits;
}

void apply(std::string_view parameter, Agreement& agreement) {
  const auto equals = parameter.find('=');
  const auto name = trimmed(parameter.substr(0, equals));
  const auto value = equals == std::string_view::npos ? "" : trimmed(parameter.substr(equals + 1));
  if (name == "server_no_context_takeover")
    agreement.server_takeover = false;
  else if (name == "client_no_context_takeover")
    agreement.client_takeover = false;
  else if (name == "server_max_window_bits")
    agreement.server_bits = window_bits(value);
  else if (name == "client_max_window_bits")
    agreement.client_bits = window_bits(value);
  else
    throw std::runtime_error("unknown extension parameter: " + std::string(name));
}

z_const Bytef* input(std::string_view bytes) {
  return reinterpret_cast<z_const Bytef*>(const_cast<char*>(bytes.data()));
}

Bytef* output(char* bytes) {
  return reinterpret_cast<Bytef*>(bytes);
}

}  // namespace

Agreement read_agreement(std::string_view header) {
  Agreement agreement;
  if (header.empty()) return agreement;
  for (bool is_first = true; !header.empty(); is_first = false) {
    const auto end = std::min(header.find(';'), header.size());
    const auto part = trimmed(header.substr(0, end));
    header.remove_prefix(std::min(end + 1, header.size()));
    if (!is_first)
      apply(part, agreement);
    else if (part != "permessage-deflate")
      throw std::runtime_error("an extension that was not offered: " + std::string(part));
  }
  agreement.is_on = true;
  return agreement;
}

Deflater::Deflater(const Agreement& agreement) : takeover_(agreement.client_takeover) {
  // zlib refuses raw window bits 8, but with 9 it never reaches past 250 bytes.
  const int bits = std::max(agreement.client_bits, 9);
  if (deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -bits, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
}

std::string Deflater::message(std::string_view text) {
  std::string compressed(text.size() + text.size() / 8 + 64, '\0');
  stream_.next_in = input(text);
  stream_.avail_in = static_cast<uInt>(text.size());
  stream_.next_out = output(compressed.data());
  stream_.avail_out = static_cast<uInt>(compressed.size());
  deflate(&stream_, Z_SYNC_FLUSH);
  if (stream_.avail_out == 0) throw std::logic_error("deflate bound too small");
  compressed.resize(compressed.size() - stream_.avail_out - 4);  // without 00 00 ff ff
  if (!takeover_) deflateReset(&stream_);
  return compressed;
}

Inflater::Inflater(const Agreement& agreement) : takeover_(agreement.server_takeover) {
  if (inflateInit2(&stream_, -agreement.server_bits) != Z_OK) throw std::bad_alloc();
}

void Inflater::message(std::string_view compressed, std::string& text) {
  feed(compressed, text);
  feed(std::string_view("\x00\x00\xff\xff", 4), text);
  if (!takeover_) inflateReset(&stream_);
}

void Inflater::feed(std::string_view compressed, std::string& text) {
  char piece[65536];
  stream_.next_in = input(compressed);
  stream_.avail_in = static_cast<uInt>(compressed.size());
  do {
    stream_.next_out = output(piece);
    stream_.avail_out = sizeof piece;
    const int result = inflate(&stream_, Z_SYNC_FLUSH);
    if (result != Z_OK && result != Z_BUF_ERROR)
      throw std::runtime_error(std::string("inflate: ") +
                               (stream_.msg ? stream_.msg : "unexpected end of stream"));
    text.append(piece, sizeof piece - stream_.avail_out);
  } while (stream_.avail_out == 0);
}

}  // namespace bench
