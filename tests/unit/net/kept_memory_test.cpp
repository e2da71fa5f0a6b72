#include "net/kept_memory.hpp"

#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>

#include "net/types.hpp"
#include "support/allocations.hpp"

namespace wsproxy::net {
namespace {

using wsproxy::test::allocation_count;

TEST_CASE("a call that is kept memory for needs none of the heap, however often it is asked for",
          "[kept_memory]") {
  IoContext io;
  KeptMemory memory;
  for (int i = 0; i < 3; ++i) {
    int calls = 0;
    const std::size_t before = allocation_count();
    asio::post(io, memory.bind([&calls] { ++calls; }));
    CHECK(allocation_count() == before);
    io.poll();
    io.restart();
    CHECK(calls == 1);
  }
}

TEST_CASE("what is asked for while the kept memory is taken goes to the heap", "[kept_memory]") {
  IoContext io;
  KeptMemory memory;
  int calls = 0;
  asio::post(io, memory.bind([&calls] { ++calls; }));
  const std::size_t before = allocation_count();
  asio::post(io, memory.bind([&calls] { ++calls; }));
  CHECK(allocation_count() == before + 1);
  io.poll();
  CHECK(calls == 2);
}

TEST_CASE("a call outlives the kept memory that it is made in", "[kept_memory]") {
  IoContext io;
  int calls = 0;
  {
    KeptMemory memory;
    asio::post(io, memory.bind([&calls] { ++calls; }));
  }
  io.poll();
  CHECK(calls == 1);
}

}  // namespace
}  // namespace wsproxy::net
