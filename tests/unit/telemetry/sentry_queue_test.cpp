#include "telemetry/sentry_queue.hpp"

#include <new>

#include <catch2/catch.hpp>

using namespace wsproxy::telemetry;
using namespace std::chrono_literals;

namespace {

SentryEvent named(const std::string& message) {
  SentryEvent event;
  event.message = message;
  return event;
}

const SentryQueue::Time kStart{};

}  // namespace

TEST_CASE("a queue takes nothing until it is open, and after it was closed") {
  SentryQueue queue;
  int calls = 0;
  queue.add(named("early"), kStart);
  queue.open([&calls] { ++calls; });
  queue.add(named("one"), kStart);
  queue.add(named("two"), kStart);
  queue.close();
  queue.add(named("late"), kStart);
  CHECK(calls == 2);
  CHECK(queue.take()->message == "one");
  CHECK(queue.take()->message == "two");
  CHECK_FALSE(queue.take());
  CHECK(queue.take_dropped() == 0);
}

TEST_CASE("so many events in a minute pass, and the others are counted") {
  SentryQueue queue;
  queue.open([] {});
  for (unsigned i = 0; i < SentryQueue::kEventsPerMinute + 5; ++i) queue.add(named("x"), kStart);
  CHECK(queue.size() == SentryQueue::kEventsPerMinute);
  CHECK(queue.take_dropped() == 5);
  CHECK(queue.take_dropped() == 0);
  queue.add(named("too soon"), kStart + 1s);
  CHECK(queue.take_dropped() == 1);
  queue.add(named("in time"), kStart + 3s);
  CHECK(queue.take_dropped() == 0);
  for (unsigned i = 0; i < 100; ++i) queue.add(named("x"), kStart + 10min);
  CHECK(queue.size() == SentryQueue::kEventsPerMinute * 2 + 1);
}

TEST_CASE("a full queue drops what is new") {
  SentryQueue queue;
  queue.open([] {});
  for (unsigned i = 0; i < 500; ++i) queue.add(named(std::to_string(i)), kStart + i * 1min);
  CHECK(queue.size() == SentryQueue::kMostEvents);
  CHECK(queue.take()->message == "0");
  CHECK(queue.take_dropped() == 500 - SentryQueue::kMostEvents);
  queue.count_dropped(3);
  CHECK(queue.take_dropped() == 3);
}

TEST_CASE("an event of which nobody can be told now stays, and is not dropped") {
  SentryQueue queue;
  bool has_memory = false;
  int calls = 0;
  queue.open([&] {
    if (!has_memory) throw std::bad_alloc{};
    ++calls;
  });
  queue.add(named("one"), kStart);
  CHECK(queue.take_dropped() == 0);
  has_memory = true;
  queue.add(named("two"), kStart);
  CHECK(calls == 1);
  CHECK(queue.take()->message == "one");
  CHECK(queue.take()->message == "two");
}
