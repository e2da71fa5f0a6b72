#include <numeric>

#include "net/tls_stream.hpp"
#include "tls_ends.hpp"

namespace wsproxy::net {
namespace {

using namespace std::chrono_literals;
using test::accepted;
using test::anybody;
using test::connected;
using test::converse;
using test::End;
using test::Files;

/// The sizes of the application's records in what a stream has said, without what TLS adds to each.
std::vector<std::size_t> sizes_in(const std::string& said) {
  constexpr std::size_t kHeader = 5;
  constexpr std::size_t kAdded = 17;  // of TLS 1.3: a type and an AEAD's tag
  std::vector<std::size_t> sizes;
  for (std::size_t at = 0; at < said.size();) {
    REQUIRE(said.size() - at > kHeader);
    CHECK(said[at] == 23);
    const std::size_t size = base::load_be16(reinterpret_cast<const std::byte*>(said.data() + at + 3));
    sizes.push_back(size - kAdded);
    at += kHeader + size;
  }
  return sizes;
}

struct Bench {
  Files files;
  std::shared_ptr<const TlsServer> server = files.load(files.listener(anybody()));
  std::shared_ptr<const TlsClient> client = Files::load(files.app());
  End ours = accepted(*server);
  End theirs = connected(*client);
  Clock::time_point now = Clock::now();

  Bench() {
    converse(theirs, ours);
    REQUIRE(ours.stream().is_version_1_3());
  }
  std::vector<std::size_t> seal(std::size_t size) {
    const std::string plain(size, 'x');
    CHECK(ours.stream().seal(base::as_bytes(plain), now));
    return sizes_in(ours.said());
  }
};

TEST_CASE("the first ten records of a burst fit a segment each, those behind them are full",
          "[tls_records]") {
  Bench bench;
  std::vector<std::size_t> expected(10, 1369);
  expected.insert(expected.end(), {16384, 16384, 100});
  CHECK(bench.seal(10 * 1369 + 2 * 16384 + 100) == expected);
  CHECK(bench.seal(50'000) == std::vector<std::size_t>{16384, 16384, 16384, 848});
}

TEST_CASE("what is said in one call is in one record while that fits", "[tls_records]") {
  Bench bench;
  CHECK(bench.seal(1369) == std::vector<std::size_t>{1369});
  CHECK(bench.seal(1370) == std::vector<std::size_t>{1369, 1});
  CHECK(bench.seal(1) == std::vector<std::size_t>{1});
  CHECK(bench.seal(0).empty());
}

TEST_CASE("a second of silence makes records small again, and less does not", "[tls_records]") {
  Bench bench;
  bench.seal(100'000);
  bench.now += 1s;
  CHECK(bench.seal(20'000) == std::vector<std::size_t>{16384, 3616});
  bench.now += 1s;
  CHECK(bench.seal(20'000).size() == 2);  // each of them counts from the one before
  bench.now += 1s + 1ns;
  const auto sizes = bench.seal(20'000);
  CHECK(sizes.front() == 1369);
  CHECK(sizes.size() == 11);
  CHECK(std::accumulate(sizes.begin(), sizes.end(), std::size_t{0}) == 20'000);
}

TEST_CASE("5246 6.2.1: no record has more than 16384 bytes, in TLS 1.2 either", "[tls_records]") {
  Files files;
  const auto server = files.load(files.listener(anybody()));
  const auto context = wsproxy::test::client_context(wsproxy::test::only_version(TLS1_2_VERSION));
  End ours = accepted(*server);
  wsproxy::test::TlsPeer theirs{*context};
  converse(theirs, ours);
  REQUIRE(theirs.is_done());
  const std::string text(200'000, 'x');
  ours.write(text);
  const std::string said = ours.said();
  std::size_t longest = 0;
  for (const std::size_t size : sizes_in(said)) longest = std::max(longest, size);
  CHECK(longest <= 16384 + 7);  // an explicit nonce of 8 bytes, and no type of its own
  theirs.hear(said);
  const bool is_all = theirs.read() == text;
  CHECK(is_all);
}

}  // namespace
}  // namespace wsproxy::net
