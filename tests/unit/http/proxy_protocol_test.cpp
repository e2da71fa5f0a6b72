#include "http/proxy_protocol.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "support/splits.hpp"

namespace wsproxy::http {
namespace {

using namespace std::string_literals;
using wsproxy::test::Split;

const std::string kRequest = "GET / HTTP/1.1\r\nHost: 192.168.0.11\r\n\r\n";
const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

struct Outcome {
  ProxyHeaderStatus status = ProxyHeaderStatus::need_more;
  ProxiedAddresses addresses;
  std::string problem;
  std::string rest;  // what the reader left
};

Outcome read_pieces(const Split& split) {
  ProxyHeaderReader reader;
  Outcome outcome;
  for (const auto& piece : split.pieces) {
    std::size_t used = 0;
    if (outcome.status == ProxyHeaderStatus::need_more) outcome.status = reader.feed(piece, used);
    outcome.rest += base::as_text(base::Bytes{piece}.subspan(used));
  }
  outcome.addresses = reader.addresses();
  outcome.problem = reader.problem();
  return outcome;
}

void accepts(const std::string& header, const ProxiedAddresses& expected) {
  CAPTURE(header);
  for (const std::string& behind : {""s, "\r\n"s, kRequest, header}) {
    const std::string bytes = header + behind;
    wsproxy::test::for_each_split(base::as_bytes(bytes), [&](const Split& split) {
      const Outcome outcome = read_pieces(split);
      CHECK(outcome.status == ProxyHeaderStatus::complete);
      CHECK(outcome.addresses == expected);
      CHECK(outcome.rest == behind);
    });
  }
}

void refuses(const std::string& bytes, const std::string& problem) {
  CAPTURE(bytes);
  wsproxy::test::for_each_split(base::as_bytes(bytes + kRequest), [&](const Split& split) {
    const Outcome outcome = read_pieces(split);
    CHECK(outcome.status == ProxyHeaderStatus::malformed);
    CHECK(outcome.problem == problem);
  });
}

void waits(const std::string& bytes) {
  CAPTURE(bytes);
  wsproxy::test::for_each_split(base::as_bytes(bytes), [&](const Split& split) {
    const Outcome outcome = read_pieces(split);
    CHECK(outcome.status == ProxyHeaderStatus::need_more);
    CHECK(outcome.rest.empty());
  });
}

ProxiedAddresses from_to(const std::string& host, std::uint16_t port, const std::string& to_host,
                         std::uint16_t to_port) {
  return {false, {host, port}, {to_host, to_port}};
}

const ProxiedAddresses kLocal;
const ProxiedAddresses kUnix{false, {}, {}};

std::string v2(unsigned version_and_command, unsigned family, const std::string& block) {
  std::string header = kSignature;
  header += static_cast<char>(version_and_command);
  header += static_cast<char>(family);
  header += static_cast<char>(block.size() >> 8);
  header += static_cast<char>(block.size() & 0xff);
  return header + block;
}

const std::string kV4Block = "\xc0\xa8\x00\x01\xc0\xa8\x00\x0b\xdc\x04\x01\xbb"s;
const std::string kV6Block = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01" + "\x20\x01\x0d\xb8"s +
                             std::string(11, '\0') + "\x02" + "\x00\x50\xff\xff"s;
const std::string kTlvs = "\x01\x00\x02h2\x04\x00\x00\x03\x00\x04\x01\x02\x03\x04"s;

TEST_CASE("PROXY 2.1: the lines of the specification are read", "[proxy_protocol]") {
  accepts("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n",
          from_to("192.168.0.1", 56324, "192.168.0.11", 443));
  accepts("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
          from_to("255.255.255.255", 65535, "255.255.255.255", 65535));
  const std::string most = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
  accepts("PROXY TCP6 " + most + " " + most + " 65535 65535\r\n", from_to(most, 65535, most, 65535));
  accepts("PROXY UNKNOWN\r\n", kLocal);
  accepts("PROXY UNKNOWN " + most + " " + most + " 65535 65535\r\n", kLocal);
  accepts("PROXY UNKNOWN anything,  at all\x7f\r\n", kLocal);
  accepts("PROXY TCP4 0.0.0.0 1.2.3.4 0 0\r\n", from_to("0.0.0.0", 0, "1.2.3.4", 0));
}

TEST_CASE("PROXY 2.1: an IPv6 address has one text, whatever the balancer's", "[proxy_protocol]") {
  const auto reads_as = [](const std::string& written, const std::string& normal) {
    accepts("PROXY TCP6 " + written + " ::1 1 2\r\n", from_to(normal, 1, "::1", 2));
  };
  reads_as("2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1");
  reads_as("2001:db8:0:0::1", "2001:db8::1");
  reads_as("::", "::");
  reads_as("0:0:0:0:0:0:0:0", "::");
  reads_as("1::", "1::");
  reads_as("::1:0:0:0:2:3", "0:0:1::2:3");
  reads_as("1:0:0:2:0:0:0:3", "1:0:0:2::3");
  reads_as("1:0:0:2:3:0:0:4", "1::2:3:0:0:4");
  reads_as("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7");
  reads_as("1::3:4:5:6:7:8", "1:0:3:4:5:6:7:8");
  reads_as("64:ff9b::192.0.2.33", "64:ff9b::c000:221");
}

TEST_CASE("PROXY 2.1: IPv4 in IPv6 is told as IPv4", "[proxy_protocol]") {
  accepts("PROXY TCP6 ::ffff:192.0.2.1 ::FFFF:c000:0202 1 2\r\n", from_to("192.0.2.1", 1, "192.0.2.2", 2));
  const std::string mapped = std::string(10, '\0') + "\xff\xff\xc0\x00\x02"s;
  accepts(v2(0x21, 0x21, mapped + "\x01" + mapped + "\x02" + "\x00\x01\x00\x02"s),
          from_to("192.0.2.1", 1, "192.0.2.2", 2));
}

TEST_CASE("PROXY 2.1: a line that is not exactly as specified is refused", "[proxy_protocol]") {
  const std::string start = "it begins like no PROXY protocol header";
  for (const char* bytes : {"GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\n", "proxy TCP4 ", "PROXY\tTCP4 ",
                            "PROXY\r\n", "\x16\x03\x01"}) {
    refuses(bytes, start);
  }
  const std::string family = "the protocol is not TCP4, TCP6 or UNKNOWN";
  for (const char* name : {"TCP", "TCP5", "tcp4", "UDP4", "UNKNOWNX", "unknown", "", " TCP4", "\tTCP4"}) {
    refuses("PROXY "s + name + " 1.2.3.4 1.2.3.4 1 2\r\n", family);
  }
  refuses("PROXY \r\n", family);
  refuses("PROXY TCP4\r\n", family);
  for (const char* fields : {"", "1.2.3.4", "1.2.3.4 1.2.3.4", "1.2.3.4 1.2.3.4 1"}) {
    refuses("PROXY TCP4 "s + fields + "\r\n", "a field is missing");
  }
}

TEST_CASE("PROXY 2.1: a line ends with CRLF and nothing else", "[proxy_protocol]") {
  const std::string end = "the line does not end with CRLF";
  refuses("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", end);
  refuses("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r", end);
  refuses("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\r\n", end);
  refuses("PROXY UNKNOWN\n", end);
  refuses("PROXY UNKNOWN a\rb\r\n", end);
  refuses("PROXY \n", end);
  waits("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r");
}

TEST_CASE("PROXY 2.1: a line has at most 107 bytes", "[proxy_protocol]") {
  const std::string line = "PROXY UNKNOWN ";
  accepts(line + std::string(107 - line.size() - 2, 'x') + "\r\n", kLocal);
  refuses(line + std::string(107 - line.size() - 1, 'x') + "\r\n", "the line is longer than 107 bytes");
  refuses(line + std::string(100'000, 'x') + "\r\n", "the line is longer than 107 bytes");
  waits(line + std::string(106 - line.size(), 'x'));
}

TEST_CASE("PROXY 2.1: addresses are those of the family, without leading zeros", "[proxy_protocol]") {
  for (const char* v4 :
       {"1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.00", "1.2.3.-4", "1.2.3.+4", "1..3.4",
        "1.2.3.4.", ".1.2.3", "1.2.3.1000", "0x1.2.3.4", "a.b.c.d", "::1", "1.2.3.4/8", ""}) {
    refuses("PROXY TCP4 "s + v4 + " 1.2.3.4 1 2\r\n", "an address is not one of its family");
    refuses("PROXY TCP4 1.2.3.4 "s + v4 + " 1 2\r\n", "an address is not one of its family");
  }
  for (const char* v6 : {"1.2.3.4",
                         ":::",
                         "1::2::3",
                         "1:2:3:4:5:6:7",
                         "1:2:3:4:5:6:7:8:9",
                         "1:2:3:4:5:6:7::8:9",
                         "1::2:3:4:5:6:7:8",
                         "12345::",
                         "g::",
                         ":1:2:3:4:5:6:7:8",
                         "1:2:3:4:5:6:7:8:",
                         "1:2:3:4:5:6:7:",
                         ":",
                         "1:",
                         "[::1]",
                         "fe80::1%lo",
                         "::1.2.3",
                         "::1.2.3.4.5",
                         "1.2.3.4::",
                         "::1.2.3.4:1",
                         "1:2:3:4:5:6:7:1.2.3.4",
                         ""}) {
    refuses("PROXY TCP6 "s + v6 + " ::1 1 2\r\n", "an address is not one of its family");
  }
}

TEST_CASE("PROXY 2.1: ports are plain numbers up to 65535", "[proxy_protocol]") {
  for (const char* port :
       {"65536", "99999", "100000", "01", "00", "-1", "+1", "1a", "0x1", "", "18446744073709551617"}) {
    refuses("PROXY TCP4 1.2.3.4 1.2.3.4 "s + port + " 2\r\n", "a port is not a number up to 65535");
    refuses("PROXY TCP4 1.2.3.4 1.2.3.4 1 "s + port + "\r\n", "a port is not a number up to 65535");
  }
  for (const char* odd : {"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
                          "PROXY TCP4 1.2.3.4 1.2.3.4 1  2\r\n"}) {
    refuses(odd, "a port is not a number up to 65535");
  }
  refuses("PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n", "an address is not one of its family");
}

TEST_CASE("PROXY 2.2: TCP over IPv4 and IPv6, with and without TLVs", "[proxy_protocol]") {
  for (const std::string& tlvs : {""s, kTlvs, std::string(60'000, 'x')}) {
    accepts(v2(0x21, 0x11, kV4Block + tlvs), from_to("192.168.0.1", 56324, "192.168.0.11", 443));
    accepts(v2(0x21, 0x21, kV6Block + tlvs), from_to("2001:db8::1", 80, "2001:db8::2", 65535));
  }
}

TEST_CASE("PROXY 2.2: LOCAL keeps the socket's own addresses, whatever else it says", "[proxy_protocol]") {
  accepts(v2(0x20, 0x00, ""), kLocal);
  accepts(v2(0x20, 0x11, kV4Block), kLocal);
  accepts(v2(0x20, 0xff, "x"), kLocal);
  accepts(v2(0x20, 0x00, std::string(65535, 'x')), kLocal);
}

TEST_CASE("PROXY 2.2: what is unspecified or no stream keeps them too", "[proxy_protocol]") {
  for (const unsigned family : {0x00U, 0x01U, 0x02U, 0x10U, 0x20U, 0x30U}) {
    accepts(v2(0x21, family, ""), kLocal);
    accepts(v2(0x21, family, kV4Block + kTlvs), kLocal);
  }
  accepts(v2(0x21, 0x12, kV4Block + kTlvs), kLocal);
  accepts(v2(0x21, 0x22, kV6Block), kLocal);
  accepts(v2(0x21, 0x32, std::string(216, '/')), kLocal);
}

TEST_CASE("PROXY 2.2: a client on a unix socket has no address", "[proxy_protocol]") {
  accepts(v2(0x21, 0x31, std::string(216, '/')), kUnix);
  accepts(v2(0x21, 0x31, std::string(216, '\0') + kTlvs), kUnix);
}

TEST_CASE("PROXY 2.2: an unknown version, command, family or transport is refused", "[proxy_protocol]") {
  for (const unsigned version : {0x01U, 0x11U, 0x31U, 0xf1U}) {
    refuses(v2(version, 0x11, kV4Block), "the version is not 2");
  }
  for (unsigned command = 2; command < 16; ++command) {
    refuses(v2(0x20 | command, 0x11, kV4Block), "the command is not LOCAL or PROXY");
  }
  for (const unsigned family : {0x41U, 0xf1U, 0x13U, 0x1fU, 0x03U, 0x40U}) {
    refuses(v2(0x21, family, std::string(216, 'x')), "the family or the transport is not a known one");
  }
}

TEST_CASE("PROXY 2.2: a block too short for its family is refused, one byte less or none",
          "[proxy_protocol]") {
  const std::string problem = "the addresses are shorter than their family needs";
  for (const unsigned transport : {1U, 2U}) {
    for (const std::size_t missing : {1U, 12U}) {
      refuses(v2(0x21, 0x10 | transport, std::string(12 - missing, 'x')), problem);
      refuses(v2(0x21, 0x20 | transport, std::string(36 - missing, 'x')), problem);
      refuses(v2(0x21, 0x30 | transport, std::string(216 - missing, 'x')), problem);
    }
  }
}

TEST_CASE("PROXY 2.2: a signature with one other byte is refused there", "[proxy_protocol]") {
  for (std::size_t at = 0; at < kSignature.size(); ++at) {
    std::string bytes = kSignature.substr(0, at + 1);
    bytes[at] = '\x01';
    refuses(bytes, "it begins like no PROXY protocol header");
  }
}

TEST_CASE("PROXY 2: a header that is not all there is waited for", "[proxy_protocol]") {
  for (const std::string& header :
       {"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n"s, v2(0x21, 0x11, kV4Block + kTlvs), v2(0x21, 0x21, kV6Block),
        v2(0x21, 0x31, std::string(216, '/')), v2(0x20, 0x00, "x")}) {
    for (std::size_t size = 0; size < header.size(); ++size) {
      ProxyHeaderReader reader;
      std::size_t used = 0;
      CHECK(reader.feed(base::as_bytes(header).first(size), used) == ProxyHeaderStatus::need_more);
      CHECK(used == size);
      CHECK(reader.has_begun() == (size > 0));
    }
  }
}

TEST_CASE("PROXY: what has been judged is not read any further", "[proxy_protocol]") {
  for (const char* bytes : {"PROXY UNKNOWN\r\n", "GET"}) {
    ProxyHeaderReader reader;
    std::size_t used = 0;
    const auto status = reader.feed(base::as_bytes(bytes), used);
    CHECK(status != ProxyHeaderStatus::need_more);
    used = 0;
    CHECK(reader.feed(base::as_bytes("PROXY UNKNOWN\r\n"), used) == status);
    CHECK(used == 0);
  }
}

TEST_CASE("PROXY: headers are written as the specification shows them", "[proxy_protocol]") {
  const auto v4 = from_to("192.168.0.1", 56324, "192.168.0.11", 443);
  CHECK(proxy_header(ProxyVersion::v1, v4) == "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n");
  CHECK(proxy_header(ProxyVersion::v2, v4) == v2(0x21, 0x11, kV4Block));
  const auto v6 = from_to("2001:db8::1", 80, "2001:db8::2", 65535);
  CHECK(proxy_header(ProxyVersion::v1, v6) == "PROXY TCP6 2001:db8::1 2001:db8::2 80 65535\r\n");
  CHECK(proxy_header(ProxyVersion::v2, v6) == v2(0x21, 0x21, kV6Block));
}

TEST_CASE("PROXY: ends of different families are both written as IPv6", "[proxy_protocol]") {
  CHECK(proxy_header(ProxyVersion::v1, from_to("192.0.2.1", 1, "2001:db8::2", 2)) ==
        "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1 2\r\n");
  CHECK(proxy_header(ProxyVersion::v1, from_to("2001:db8::2", 1, "192.0.2.1", 2)) ==
        "PROXY TCP6 2001:db8::2 ::ffff:192.0.2.1 1 2\r\n");
}

TEST_CASE("PROXY: without two addresses the header says that it knows none", "[proxy_protocol]") {
  const auto v4 = from_to("192.0.2.1", 1, "192.0.2.2", 2);
  ProxiedAddresses local = v4;
  local.is_local = true;
  for (const ProxiedAddresses& unknown :
       {kLocal, kUnix, local, from_to("", 0, "192.0.2.2", 2), from_to("192.0.2.1", 1, "", 0),
        from_to("host.example", 1, "192.0.2.2", 2), from_to("fe80::1%lo", 1, "::1", 2)}) {
    CHECK(proxy_header(ProxyVersion::v1, unknown) == "PROXY UNKNOWN\r\n");
    CHECK(proxy_header(ProxyVersion::v2, unknown) == v2(0x20, 0x00, ""));
  }
}

TEST_CASE("PROXY: what is written is read as it was meant", "[proxy_protocol]") {
  for (const ProxiedAddresses& addresses :
       {from_to("192.0.2.1", 1, "198.51.100.255", 65535), from_to("2001:db8::1", 0, "::", 443),
        from_to("192.0.2.1", 1, "2001:db8::2", 2), from_to("fe80::1:2", 10, "203.0.113.7", 20), kLocal}) {
    for (const ProxyVersion version : {ProxyVersion::v1, ProxyVersion::v2}) {
      accepts(proxy_header(version, addresses), addresses);
    }
  }
}

}  // namespace
}  // namespace wsproxy::http
