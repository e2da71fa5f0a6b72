#include "net/tls_names.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::net {
namespace {

using Set = TlsNames::Set;
using Names = std::vector<std::string>;

constexpr int kRsa = 1;
constexpr int kEcdsa = 2;

Set found(const TlsNames& names, std::string_view asked) {
  return names.sets().at(names.find(asked));
}

TEST_CASE("a name gets the certificate that has it, in whatever case and with a root's dot", "[tls_names]") {
  const TlsNames names{{{{"a.example"}, kRsa}, {{"b.example", "c.example"}, kRsa}}};
  CHECK(found(names, "a.example") == Set{0});
  for (const char* asked : {"b.example", "c.example", "B.Example", "b.example.", "C.EXAMPLE."}) {
    CAPTURE(asked);
    CHECK(found(names, asked) == Set{1});
  }
}

TEST_CASE("a name that nobody has, or no name, gets the first certificate", "[tls_names]") {
  const TlsNames names{{{{"a.example"}, kRsa}, {{"b.example", "localhost"}, kRsa}}};
  for (const char* asked : {"", ".", "..", "x", "example", "x.b.example", "b.example.x", "xb.example",
                            "b.example..", ".b.example", "*", "*.example"}) {
    CAPTURE(asked);
    CHECK(names.find(asked) == 0);
  }
  CHECK(names.sets().front() == Set{0});
}

TEST_CASE("6125 6.4.3: a wildcard stands for one label, and for the leftmost only", "[tls_names]") {
  const TlsNames names{{{{"x.test"}, kRsa}, {{"*.b.example"}, kRsa}}};
  CHECK(found(names, "a.b.example") == Set{1});
  CHECK(found(names, "A.b.Example.") == Set{1});
  for (const char* asked :
       {"b.example", "a.a.b.example", "*.b.example", "*", "*a.b.example", "a.c.example"}) {
    CAPTURE(asked);
    CHECK(found(names, asked) == Set{0});
  }
}

TEST_CASE("an exact name beats a wildcard wherever they stand", "[tls_names]") {
  const TlsNames first{{{{"*.example"}, kRsa}, {{"a.example"}, kRsa}}};
  CHECK(found(first, "a.example") == Set{1});
  CHECK(found(first, "b.example") == Set{0});
  const TlsNames last{{{{"a.example"}, kRsa}, {{"*.example"}, kRsa}}};
  CHECK(found(last, "a.example") == Set{0});
  CHECK(found(last, "b.example") == Set{1});
}

TEST_CASE("of two certificates with the same name and kind of key the earlier one counts", "[tls_names]") {
  const TlsNames names{{{{"x"}, kRsa}, {{"a.example", "*.b"}, kRsa}, {{"a.example", "*.b"}, kRsa}}};
  CHECK(found(names, "a.example") == Set{1});
  CHECK(found(names, "a.b") == Set{1});
}

TEST_CASE("a name with an ECDSA and an RSA certificate gets both for the client to choose", "[tls_names]") {
  const TlsNames names{{{{"a.example"}, kEcdsa}, {{"b.example"}, kRsa}, {{"a.example"}, kRsa}}};
  CHECK(found(names, "a.example") == Set{0, 2});
  CHECK(found(names, "b.example") == Set{1});
  CHECK(found(names, "unknown") == Set{0, 2});
}

TEST_CASE("a wildcard of the other kind of key goes with an exact name", "[tls_names]") {
  const TlsNames names{{{{"x"}, kRsa}, {{"*.example"}, kRsa}, {{"a.example"}, kEcdsa}}};
  CHECK(found(names, "a.example") == Set{2, 1});
  CHECK(found(names, "b.example") == Set{1});
}

TEST_CASE("the default's set is for the first certificate's first name, by a wildcard too", "[tls_names]") {
  const TlsNames names{{{{"a.example", "b.test"}, kEcdsa}, {{"b.test"}, kRsa}, {{"*.example"}, kRsa}}};
  CHECK(found(names, "unknown") == Set{0, 2});
  CHECK(found(names, "b.test") == Set{0, 1});
}

TEST_CASE("a certificate without names serves as the default and no more", "[tls_names]") {
  const TlsNames names{{{{}, kRsa}, {{"a.example"}, kRsa}, {{}, kEcdsa}}};
  CHECK(found(names, "") == Set{0});
  CHECK(found(names, "a.example") == Set{1});
  CHECK(names.sets().size() == 2);
}

TEST_CASE("names with the same certificates share one set", "[tls_names]") {
  const TlsNames names{
      {{{"a.example", "b.example", "*.c.example"}, kRsa}, {{"d.example", "e.example"}, kRsa}}};
  CHECK(names.sets().size() == 2);
  CHECK(names.find("d.example") == names.find("e.example"));
}

}  // namespace
}  // namespace wsproxy::net
