#include "config/address.hpp"

#include <string>

#include <catch2/catch.hpp>

namespace wsproxy::config {
namespace {

TEST_CASE("an address is host:port, [ipv6]:port or unix:/path") {
  CHECK(*parse_address("127.0.0.1:8009") == Address{"127.0.0.1", 8009, {}});
  CHECK(*parse_address("localhost:1") == Address{"localhost", 1, {}});
  CHECK(*parse_address("my_app.svc-2.cluster.local:65535") ==
        Address{"my_app.svc-2.cluster.local", 65535, {}});
  CHECK(*parse_address("3f2ab1:80") == Address{"3f2ab1", 80, {}});
  CHECK(*parse_address("[::]:0") == Address{"::", 0, {}});
  CHECK(*parse_address("[2001:db8::1]:443") == Address{"2001:db8::1", 443, {}});
  CHECK(*parse_address("unix:/run/wsproxy.sock") == Address{"", 0, "/run/wsproxy.sock"});
}

TEST_CASE("an address that is not one says why") {
  const auto problem = [](const std::string& text) { return parse_address(text).problem; };
  CHECK(problem("") == "has no host");
  CHECK(problem(":8009") == "has no host");
  CHECK(problem("localhost") == "has no port");
  CHECK(problem("localhost:") == "has no port");
  CHECK(problem("localhost:http") == "has a port that is not a number");
  CHECK(problem("localhost:-1") == "has a port that is not a number");
  CHECK(problem("localhost:65536") == "has a port over 65535");
  CHECK(problem("localhost:99999999999999999999") == "has a port that is not a number");
  CHECK(problem("::1:8009") == "has an IPv6 address without brackets");
  CHECK(problem("[::1:8009") == "has no closing bracket");
  CHECK(problem("[::1]") == "has no port");
  CHECK(problem("[::1]8009") == "has no colon after the bracket");
  CHECK(problem("[127.0.0.1]:1") == "has no IPv6 address in its brackets");
  CHECK(problem("[]:1") == "has no IPv6 address in its brackets");
  CHECK(problem("256.0.0.1:1") == "has a host that is neither a name nor an IP address");
  CHECK(problem("1.2.3:1") == "has a host that is neither a name nor an IP address");
  CHECK(problem("a..b:1") == "has a host that is neither a name nor an IP address");
  CHECK(problem("a b:1") == "has a host that is neither a name nor an IP address");
  CHECK(problem("*:1") == "has a host that is neither a name nor an IP address");
  CHECK(problem("http://x:1") == "is a URL");
  CHECK(problem("unix:run.sock") == "has no absolute path");
  CHECK(problem("unix:") == "has no absolute path");
  CHECK(problem("unix:/") == "has no absolute path");
}

TEST_CASE("a unix path is at most as long as the system takes") {
  CHECK(parse_address("unix:/" + std::string(106, 'a')));
  CHECK(parse_address("unix:/" + std::string(107, 'a')).problem == "has a path longer than 107 bytes");
}

TEST_CASE("an address is written as it is read") {
  for (const char* text : {"127.0.0.1:8009", "[::]:80", "localhost:0", "unix:/a b"}) {
    CHECK(parse_address(text).value->text() == text);
  }
}

UpstreamUrl url_of(bool tls, std::string host, std::uint16_t port, std::string base_path = "") {
  return {tls, std::move(host), port, "", std::move(base_path)};
}

TEST_CASE("an upstream URL has defaults for its port and loses slashes at its end") {
  CHECK(*parse_upstream_url("ws://localhost:8008") == url_of(false, "localhost", 8008));
  CHECK(*parse_upstream_url("ws://app") == url_of(false, "app", 80));
  CHECK(*parse_upstream_url("wss://app") == url_of(true, "app", 443));
  CHECK(*parse_upstream_url("WS://App/") == url_of(false, "App", 80));
  CHECK(*parse_upstream_url("ws://app/base//") == url_of(false, "app", 80, "/base"));
  CHECK(*parse_upstream_url("ws://[::1]:81/a/b%20c") == url_of(false, "::1", 81, "/a/b%20c"));
  CHECK(*parse_upstream_url("ws://app:") == url_of(false, "app", 80));
}

TEST_CASE("an app may be behind a unix socket") {
  CHECK(parse_upstream_url("ws+unix:/run/app.sock").value->unix_path == "/run/app.sock");
  CHECK(parse_upstream_url("ws+unix:///run/app.sock").value->unix_path == "/run/app.sock");
  CHECK(parse_upstream_url("ws+unix:run/app.sock").problem == "has no absolute path");
  CHECK(parse_upstream_url("ws+unix:/" + std::string(107, 'a')).problem ==
        "has a path longer than 107 bytes");
}

TEST_CASE("an upstream URL that is not one says why") {
  const auto problem = [](const std::string& text) { return parse_upstream_url(text).problem; };
  CHECK(problem("") == "has another scheme");
  CHECK(problem("http://app") == "has another scheme");
  CHECK(problem("localhost:8008") == "has another scheme");
  CHECK(problem("ws:app") == "has another scheme");
  CHECK(problem("ws://") == "has no host");
  CHECK(problem("ws:///path") == "has no host");
  CHECK(problem("ws://user:secret@app") == "has a user, which is not supported");
  CHECK(problem("ws://app?x=1") == "has a query");
  CHECK(problem("ws://app/a?x=1") == "has a query");
  CHECK(problem("ws://app/#x") == "has a fragment");
  CHECK(problem("ws://app/a b") == "has a character in its path that must be percent-encoded");
  CHECK(problem("ws://app/\xC3\xA4") == "has a character in its path that must be percent-encoded");
  CHECK(problem("ws://app:0") == "has port 0");
  CHECK(problem("ws://app:70000") == "has a port over 65535");
  CHECK(problem("ws://::1") == "has an IPv6 address without brackets");
}

TEST_CASE("an upstream URL is written so that it reads back equal") {
  for (const char* text : {"ws://localhost:8008", "ws://app", "wss://app", "wss://app:80/x",
                           "ws://[::1]:81/a", "ws+unix:/run/app.sock", "ws+unix:////run/app.sock"}) {
    CHECK(parse_upstream_url(text).value->text() == text);
  }
}

TEST_CASE("a network is an IP address and perhaps a prefix length") {
  for (const char* text :
       {"10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "10.0.0.1/32", "fd00::/8", "::1", "::/0", "::1/128"}) {
    CAPTURE(text);
    CHECK(cidr_problem(text).empty());
  }
  CHECK(cidr_problem("10.0.0.0/33") == "has a prefix length that is not 0 to 32");
  CHECK(cidr_problem("::/129") == "has a prefix length that is not 0 to 128");
  for (const char* text :
       {"", "/8", "10.0.0/8", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/8/8", "host/8", "[::1]/8"}) {
    CAPTURE(text);
    CHECK_FALSE(cidr_problem(text).empty());
  }
  CHECK_FALSE(cidr_problem(std::string_view{"10.0.0.1\0", 9}).empty());
}

}  // namespace
}  // namespace wsproxy::config
