#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.hpp"

/// The kinds of single values that a key can have. Each object refers to one member of a config and
/// knows how its value is written, read and bounded; the reader, the dump, the schema and the reference
/// page all ask it.
namespace wsproxy::config {

/// How a value looks to a machine (the JSON Schema).
struct Shape {
  enum class Type : std::uint8_t { flag, whole, duration, size, text };
  Type type = Type::text;
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  std::vector<std::string> words = {};  // whole, size: beside the numbers; text: the only ones allowed
  std::string pattern = {};             // duration, size and text: a regular expression (ECMA 262), or none
};

class Scalar {
 public:
  virtual ~Scalar() = default;
  /// Takes a value as written. What is wrong with it, worded to follow the value (`is out of range`), or
  /// nothing; then only is it stored.
  virtual std::string read(std::string_view written) = 0;
  /// The value as it would be written.
  virtual std::string text() const = 0;
  /// What is allowed, worded to follow `must be`.
  virtual std::string rule() const = 0;
  virtual Shape shape() const = 0;

 protected:
  Scalar() = default;
  Scalar(const Scalar&) = default;
  Scalar& operator=(const Scalar&) = default;
};

class Flag final : public Scalar {
 public:
  explicit Flag(bool& value) : value_(value) {}
  std::string read(std::string_view written) override;
  std::string text() const override { return value_ ? "true" : "false"; }
  std::string rule() const override { return "true or false"; }
  Shape shape() const override { return {Shape::Type::flag}; }

 private:
  bool& value_;
};

/// A number in bounds, whatever its unit.
class Bounded : public Scalar {
 public:
  template <class T>
  Bounded(T& value, std::uint64_t least, std::uint64_t most)
      : least_(least),
        most_(most),
        now_([&value] { return static_cast<std::uint64_t>(value); }),
        store_([&value](std::uint64_t number) { value = static_cast<T>(number); }) {}

 protected:
  std::string store(std::uint64_t number);
  std::uint64_t now() const { return now_(); }
  std::uint64_t least_;
  std::uint64_t most_;

 private:
  std::function<std::uint64_t()> now_;
  std::function<void(std::uint64_t)> store_;
};

class Whole final : public Bounded {
 public:
  using Bounded::Bounded;
  /// `word` may be written for 0, which is then not a number that may be written.
  template <class T>
  Whole(T& value, std::string word, std::uint64_t least, std::uint64_t most)
      : Bounded(value, least, most), word_of_zero_(std::move(word)) {}
  std::string read(std::string_view written) override;
  std::string text() const override;
  std::string rule() const override;
  Shape shape() const override;

 private:
  std::string word_of_zero_;
};

/// A code that may stand in a close frame (RFC 6455 section 7.4).
class CloseCode final : public Bounded {
 public:
  explicit CloseCode(std::uint16_t& value) : Bounded(value, 1000, 4999) {}
  std::string read(std::string_view written) override;
  std::string text() const override { return std::to_string(now()); }
  std::string rule() const override { return "1000 to 1003, 1007 to 1014 or 3000 to 4999"; }
  Shape shape() const override { return {Shape::Type::whole, least_, most_}; }
};

class Size final : public Bounded {
 public:
  using Bounded::Bounded;
  std::string read(std::string_view written) override;
  std::string text() const override;
  std::string rule() const override;
  Shape shape() const override;
};

/// A size in bytes up to the widest window, or auto.
class Reach final : public Scalar {
 public:
  explicit Reach(HistoryReach& value) : value_(value) {}
  std::string read(std::string_view written) override;
  std::string text() const override;
  std::string rule() const override;
  Shape shape() const override;

 private:
  HistoryReach& value_;
};

class Span final : public Scalar {
 public:
  Span(Duration& value, Duration least, Duration most) : value_(value), least_(least), most_(most) {}
  std::string read(std::string_view written) override;
  std::string text() const override;
  std::string rule() const override;
  Shape shape() const override;

 private:
  Duration& value_;
  Duration least_;
  Duration most_;
};

/// One of a few words.
class Choice final : public Scalar {
 public:
  /// For an enum whose values are the positions of the words.
  template <class E>
  Choice(E& value, std::vector<std::string> words)
      : words_(std::move(words)),
        now_([this, &value] { return words_.at(static_cast<std::size_t>(value)); }),
        store_([&value](std::size_t position, const std::string&) { value = static_cast<E>(position); }) {}
  Choice(std::string& value, std::vector<std::string> words)
      : words_(std::move(words)),
        now_([&value] { return value; }),
        store_([&value](std::size_t, const std::string& word) { value = word; }) {}
  Choice(const Choice&) = delete;
  Choice& operator=(const Choice&) = delete;
  std::string read(std::string_view written) override;
  std::string text() const override { return now_(); }
  std::string rule() const override;
  Shape shape() const override { return {Shape::Type::text, 0, 0, words_}; }

 private:
  std::vector<std::string> words_;
  std::function<std::string()> now_;
  std::function<void(std::size_t, const std::string&)> store_;
};

/// What a text must be.
struct TextRule {
  std::string rule;                                      // worded to follow `must be`
  std::function<std::string(std::string_view)> problem;  // what is wrong with a text, or nothing
};

class Text final : public Scalar {
 public:
  Text(std::string& value, TextRule rule) : value_(value), rule_(std::move(rule)) {}
  std::string read(std::string_view written) override;
  std::string text() const override { return value_; }
  std::string rule() const override { return rule_.rule; }
  Shape shape() const override { return {}; }

 private:
  std::string& value_;
  TextRule rule_;
};

class AddressText final : public Scalar {
 public:
  explicit AddressText(Address& value) : value_(value) {}
  std::string read(std::string_view written) override;
  std::string text() const override { return value_.text(); }
  std::string rule() const override { return "host:port, [ipv6]:port or unix:/path"; }
  Shape shape() const override;

 private:
  Address& value_;
};

class UrlText final : public Scalar {
 public:
  explicit UrlText(UpstreamUrl& value) : value_(value) {}
  std::string read(std::string_view written) override;
  std::string text() const override { return value_.text(); }
  std::string rule() const override {
    return "ws://host[:port][/path], wss://host[:port][/path] or ws+unix:/path";
  }
  Shape shape() const override;

 private:
  UpstreamUrl& value_;
};

/// `a`, `a or b`, `a, b or c`.
std::string one_of(std::span<const std::string> words);

}  // namespace wsproxy::config
