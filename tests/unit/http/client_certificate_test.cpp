#include "http/client_certificate.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::http {
namespace {

using namespace std::string_literals;

TEST_CASE("an element has the hash, the subject in quotes, then each URI and DNS name") {
  CHECK(client_cert_element({"ab12", "CN=a", {"spiffe://x/y", "urn:z"}, {"a.example", "*.b.example"}}) ==
        "Hash=ab12;Subject=\"CN=a\";URI=spiffe://x/y;URI=urn:z;DNS=a.example;DNS=*.b.example");
  CHECK(client_cert_element({"ab12", "", {}, {}}) == "Hash=ab12;Subject=\"\"");
}

TEST_CASE("a subject keeps its separators inside the quotes, and cannot end them") {
  CHECK(client_cert_element({"h", "CN=a,O=b\\, c;d=e", {}, {}}) == "Hash=h;Subject=\"CN=a,O=b\\\\, c;d=e\"");
  CHECK(client_cert_element({"h", "CN=\";URI=spiffe://admin;X=\"", {}, {}}) ==
        "Hash=h;Subject=\"CN=\\\";URI=spiffe://admin;X=\\\"\"");
  CHECK(client_cert_element({"h", "a\\\"b", {}, {}}) == "Hash=h;Subject=\"a\\\\\\\"b\"");
}

TEST_CASE("a subject cannot begin a line of the head, nor put anything but ASCII into it") {
  CHECK(client_cert_element({"h", "a\r\nX-Admin: 1", {}, {}}) == "Hash=h;Subject=\"a??X-Admin: 1\"");
  CHECK(client_cert_element({"h", "a\0b\x7F\xC3\xA4\tc"s, {}, {}}) == "Hash=h;Subject=\"a?b????c\"");
}

TEST_CASE("a name with a separator stands in quotes") {
  CHECK(client_cert_element({"h", "", {"spiffe://x?a=b"}, {}}) ==
        "Hash=h;Subject=\"\";URI=\"spiffe://x?a=b\"");
  CHECK(client_cert_element({"h", "", {"urn:a;URI=spiffe://admin"}, {"a,Hash=b"}}) ==
        "Hash=h;Subject=\"\";URI=\"urn:a;URI=spiffe://admin\";DNS=\"a,Hash=b\"");
}

TEST_CASE("a name that no URI or host has is left out, and the others stay") {
  for (const std::string& name :
       {""s, "a\"b"s, "a\\b"s, "a b"s, " a"s, "a\r\nX: 1"s, "a\0b"s, "a\x7F"s, "\xC3\xA4"s, "a\t"s}) {
    CAPTURE(name);
    CHECK(client_cert_element({"h", "", {"u:1", name, "u:2"}, {name, "a"}}) ==
          "Hash=h;Subject=\"\";URI=u:1;URI=u:2;DNS=a");
  }
}

}  // namespace
}  // namespace wsproxy::http
