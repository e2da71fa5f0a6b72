#include "net/name_lookup.hpp"

#include <boost/asio/error.hpp>

#include "net/poller.hpp"
#include "sockets.hpp"
#include "support/manual_names.hpp"

namespace wsproxy::net {
namespace {

using test::run_until;
using wsproxy::test::HeldName;
using wsproxy::test::look_ups;
using wsproxy::test::set_name;

struct Bench {
  IoContext io;
  Poller poller{io};
  std::vector<std::string> calls;

  std::unique_ptr<NameLookup> ask(const std::string& name) {
    return std::make_unique<NameLookup>(io, name, [this, name](const FoundAddresses& found) {
      std::string text = name;
      for (const auto& address : found.addresses) text += " " + address.to_string();
      calls.push_back(found.error ? name + ": " + found.error.message() : text);
    });
  }
  bool wait(std::size_t count) {
    return run_until(io, [&] { return calls.size() >= count; });
  }
};

TEST_CASE("a name has its addresses in their order, or an error", "[name_lookup]") {
  set_name("two", {"192.0.2.2", "2001:db8::1"});
  Bench bench;
  const auto two = bench.ask("two");
  CHECK(bench.calls.empty());
  REQUIRE(bench.wait(1));
  const auto none = bench.ask("none");
  REQUIRE(bench.wait(2));
  CHECK(bench.calls[0] == "two 192.0.2.2 2001:db8::1");
  CHECK(bench.calls[1] == "none: " + error_code{asio::error::host_not_found}.message());
}

TEST_CASE("who asks for a name that is being looked up shares the answer", "[name_lookup]") {
  set_name("shared", {"192.0.2.1"});
  Bench bench;
  std::vector<std::unique_ptr<NameLookup>> all;
  {
    const HeldName held{"shared"};
    for (int i = 0; i < 5; ++i) all.push_back(bench.ask("shared"));
    REQUIRE(run_until(bench.io, [] { return look_ups("shared") > 0; }));
    for (int i = 0; i < 5; ++i) all.push_back(bench.ask("shared"));
    all.erase(all.begin());
  }
  REQUIRE(bench.wait(9));
  CHECK(look_ups("shared") == 1);
  all.push_back(bench.ask("shared"));
  REQUIRE(bench.wait(10));
  CHECK(look_ups("shared") == 2);
}

TEST_CASE("a name server that does not answer holds up no other name and no end", "[name_lookup]") {
  set_name("quick", {"192.0.2.1"});
  Bench bench;
  const HeldName held{"stuck"};
  auto stuck = bench.ask("stuck");
  REQUIRE(run_until(bench.io, [] { return look_ups("stuck") > 0; }));
  const auto quick = bench.ask("quick");
  REQUIRE(bench.wait(1));
  CHECK(bench.calls == std::vector<std::string>{"quick 192.0.2.1"});
  stuck.reset();  // and the loop itself ends with the bench
}

}  // namespace
}  // namespace wsproxy::net
