#include "base/byte_queue.hpp"

#include <algorithm>
#include <deque>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

namespace wsproxy::base {
namespace {

std::string text_of(const ByteQueue& queue) {
  return std::string{as_text(queue.view())};
}

std::vector<std::byte> random_bytes(std::mt19937& random, std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() & 0xff);
  return bytes;
}

TEST_CASE("a queue that was never used holds no memory") {
  ByteQueue queue;
  CHECK(queue.empty());
  CHECK(queue.capacity() == 0);
  CHECK(queue.view().empty());
  queue.append(Bytes{});
  queue.consume(0);
  queue.truncate(0);
  CHECK(queue.capacity() == 0);
}

TEST_CASE("bytes come out in the order they went in") {
  ByteQueue queue;
  queue.append(as_bytes("hello "));
  queue.append(as_bytes("world"));
  queue.append(std::byte{'!'});
  CHECK(text_of(queue) == "hello world!");
  queue.consume(6);
  CHECK(text_of(queue) == "world!");
  queue.truncate(5);
  CHECK(text_of(queue) == "world");
  CHECK(queue.size() == 5);
}

TEST_CASE("what was prepared counts only once it is committed") {
  ByteQueue queue;
  queue.append(as_bytes("a"));
  const MutableBytes room = queue.prepare(3);
  REQUIRE(room.size() >= 3);
  room[0] = std::byte{'b'};
  room[1] = std::byte{'c'};
  CHECK(text_of(queue) == "a");
  queue.commit(2);
  CHECK(text_of(queue) == "abc");
}

TEST_CASE("the bytes can be changed where they are") {
  ByteQueue queue;
  queue.append(as_bytes("abc"));
  queue.consume(1);
  queue.mutable_view()[0] = std::byte{'B'};
  CHECK(text_of(queue) == "Bc");
}

TEST_CASE("clear keeps the memory, release gives it back") {
  ByteQueue queue;
  queue.append(as_bytes(std::string(1000, 'x')));
  const std::size_t capacity = queue.capacity();
  CHECK(capacity >= 1000);
  queue.clear();
  CHECK(queue.empty());
  CHECK(queue.capacity() == capacity);
  queue.append(as_bytes("again"));
  CHECK(queue.capacity() == capacity);
  queue.release();
  CHECK(queue.empty());
  CHECK(queue.capacity() == 0);
  queue.append(as_bytes("and again"));
  CHECK(text_of(queue) == "and again");
}

TEST_CASE("a queue that was moved from is empty and usable") {
  ByteQueue from;
  from.append(as_bytes("xabc"));
  from.consume(1);
  ByteQueue to{std::move(from)};
  CHECK(text_of(to) == "abc");
  CHECK(from.capacity() == 0);  // NOLINT(bugprone-use-after-move): this is the promise
  from.append(as_bytes("new"));
  CHECK(text_of(from) == "new");
  to = std::move(from);
  CHECK(text_of(to) == "new");
  CHECK(from.empty());  // NOLINT(bugprone-use-after-move)
  ByteQueue& same = to;
  to = std::move(same);
  CHECK(text_of(to) == "new");
}

TEST_CASE("a queue that is filled and drained in turn does not grow") {
  ByteQueue queue;
  const std::string block(100, 'x');
  for (int i = 0; i < 10000; ++i) {
    queue.append(as_bytes(block));
    queue.append(as_bytes(block));
    queue.consume(i == 0 ? 150 : 200);
  }
  CHECK(queue.size() == 50);
  CHECK(queue.capacity() <= 512);
}

TEST_CASE("a full queue that is filled and drained in small steps is seldom moved") {
  ByteQueue queue;
  queue.append(as_bytes(std::string(4096, 'x')));
  unsigned moves = 0;
  for (int i = 0; i < 4000; ++i) {
    const std::byte* const before = queue.view().data();
    queue.consume(1);
    queue.append(std::byte{'y'});
    if (queue.view().data() != before + 1) ++moves;
  }
  CHECK(moves <= 2);
}

TEST_CASE("memory is at most four times what was ever in the queue") {
  ByteQueue queue;
  std::size_t most = 0;
  for (std::size_t i = 0; i < 3000; ++i) {
    queue.append(as_bytes(std::string(37, 'x')));
    most = std::max(most, queue.size());
    queue.consume(std::min<std::size_t>(queue.size(), i % 60));
    if (queue.capacity() > 64) REQUIRE(queue.capacity() <= 4 * most);
  }
}

TEST_CASE("a queue behaves like a deque of bytes under random operations") {
  const unsigned seed = Catch::rngSeed();
  INFO("seed " << seed);
  std::mt19937 random{seed};
  ByteQueue queue;
  std::deque<std::byte> model;

  const auto append = [&](const std::vector<std::byte>& bytes) {
    model.insert(model.end(), bytes.begin(), bytes.end());
  };
  for (int i = 0; i < 20000; ++i) {
    const std::size_t size = random() % (random() % 50 == 0 ? 5000 : 100);
    const std::vector<std::byte> bytes = random_bytes(random, size);
    switch (random() % 16) {
      case 0:
        if (random() % 20 != 0) break;
        queue.clear();
        model.clear();
        break;
      case 1:
        if (random() % 20 != 0) break;
        queue.release();
        model.clear();
        break;
      case 2: {
        const std::size_t left = std::min(model.size(), size);
        queue.truncate(model.size() - left);
        model.resize(model.size() - left);
        break;
      }
      case 3: {
        ByteQueue other{std::move(queue)};
        queue = std::move(other);
        break;
      }
      case 4:
      case 5:
      case 6: {
        const std::size_t spare = random() % 20;
        const MutableBytes room = queue.prepare(size + spare);
        REQUIRE(room.size() >= size + spare);
        std::copy(bytes.begin(), bytes.end(), room.begin());
        queue.commit(size);
        append(bytes);
        break;
      }
      case 7:
      case 8:
      case 9:
        queue.append(bytes);
        append(bytes);
        break;
      default: {
        const std::size_t taken = std::min(model.size(), size);
        queue.consume(taken);
        model.erase(model.begin(), model.begin() + static_cast<std::ptrdiff_t>(taken));
      }
    }
    REQUIRE(queue.size() == model.size());
    REQUIRE(queue.empty() == model.empty());
    const Bytes view = queue.view();
    REQUIRE(std::equal(view.begin(), view.end(), model.begin(), model.end()));
  }
}

}  // namespace
}  // namespace wsproxy::base
