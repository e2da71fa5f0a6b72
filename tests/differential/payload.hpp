#pragma once

#include <string>
#include <vector>

#include "differential/dice.hpp"
#include "fuzz/relay_meaning_payload.hpp"

namespace wsproxy::test {

/// What one conversation talks about: mostly small messages that resemble each other, now and then one of
/// another kind or size.
class Payloads {
 public:
  explicit Payloads(Dice& dice) : dice_(dice) {
    for (std::size_t i = 0; i < 12; ++i) words_.push_back(random(dice_.from_to(2, 14), true));
  }

  std::string next(bool is_text, std::size_t most) {
    const std::size_t kind = dice_.below(100);
    std::string payload;
    if (kind < 3) return payload;
    if (kind < 10)
      payload = random(dice_.below(300), is_text);
    else if (kind < 13)
      payload = std::string(dice_.below(3000), is_text ? 'x' : '\xff');
    else if (kind < 20 && !said_.empty())
      payload = as_asked(dice_.of(said_), is_text);
    else if (kind < 97)
      payload = of_words(dice_.one_in(8) ? 4000 : 300, is_text);
    // Around the size from which on messages stream in fragments, and well past it.
    else
      payload = of_words(dice_.one_in(2) ? 65536 - 8 + dice_.below(16) : 100'000, is_text);
    if (payload.size() > most) payload.resize(cut(payload, most));
    if (payload.size() < 5000 && said_.size() < 20) said_.push_back(payload);
    return payload;
  }

 private:
  std::string of_words(std::size_t most, bool is_text) {
    // The exact sizes are wanted exactly, the others anywhere below.
    const std::size_t size = most > 4000 && most < 70'000 ? most : dice_.from_to(1, most);
    std::string text;
    while (text.size() < size) {
      text += dice_.of(words_);
      text += dice_.one_in(3) ? std::to_string(dice_.below(100'000)) : ",";
      if (!is_text && dice_.one_in(10)) text += '\xfe';
    }
    text.resize(cut(text, size));
    if (is_text && text.size() < size) text.append(size - text.size(), '.');
    return text;
  }

  std::string random(std::size_t size, bool is_text) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i)
      bytes += static_cast<char>(dice_.below(dice_.one_in(4) ? 256 : 128));
    return is_text ? as_utf8(bytes) : bytes;
  }

  /// What was binary once is no text.
  static std::string as_asked(const std::string& payload, bool is_text) {
    return is_text ? as_utf8(payload) : payload;
  }

  /// Not inside a character.
  static std::size_t cut(const std::string& text, std::size_t most) {
    while (most > 0 && most < text.size() && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80) --most;
    return most;
  }

  Dice& dice_;
  std::vector<std::string> words_;
  std::vector<std::string> said_;
};

}  // namespace wsproxy::test
