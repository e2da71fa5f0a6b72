#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "corpus.hpp"
#include "deflate/shared_history.hpp"

namespace bench {

/// Who gets what.
struct Audience {
  std::string name;
  std::size_t feeds = 1;
  std::size_t connections = 100;
  std::size_t feeds_each = 1;      // of a connection
  std::size_t newcomer_every = 0;  // broadcasts until another one takes the place of somebody; 0: never
};

/// What becomes of a private message.
enum class Private : std::uint8_t {
  split,    // compressed into the connection's history
  restart,  // the same, and then that history is left
  raw,
};

struct Traffic {
  Kind kind = Kind::chat;
  double private_share = 0;  // of all deliveries
  Private privates = Private::split;
  std::size_t private_size = 0;  // 0: as they come
};

/// How messages are compressed: on shared histories, or on one of each connection's own.
struct Way {
  std::string name;
  bool is_shared = true;
  wsproxy::deflate::SharedHistories::Tuning tuning;
};

struct Result {
  double wire = 0;         // bytes a payload byte, private messages included
  double feed_wire = 0;    // the same of broadcasts only
  double compressed = 0;   // compressions a delivery
  double nanoseconds = 0;  // of CPU a delivery
  double kilobytes = 0;    // of values, texts and compressed bytes at the end; of histories in the other case
};

/// Sends `broadcasts` messages, after as many that are not counted.
Result run(const Audience& audience, const Traffic& traffic, const Way& way, std::size_t broadcasts);

}  // namespace bench
