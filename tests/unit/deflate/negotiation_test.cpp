#include "deflate/negotiation.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::deflate {
namespace {

using enum NegotiationResult;

struct Row {
  const char* header;
  NegotiationResult result;
  const char* answer = "";
  Params params = {};
};

void check(const std::vector<Row>& rows, const NegotiationPolicy& policy) {
  for (const auto& row : rows) {
    INFO(row.header);
    const auto negotiation = negotiate(row.header, policy);
    CHECK(negotiation.result == row.result);
    CHECK(negotiation.answer == row.answer);
    CHECK(negotiation.params.server_window_bits == row.params.server_window_bits);
    CHECK(negotiation.params.client_window_bits == row.params.client_window_bits);
    CHECK(negotiation.params.server_no_context_takeover == row.params.server_no_context_takeover);
    CHECK(negotiation.params.client_no_context_takeover == row.params.client_no_context_takeover);
  }
}

/// Nothing is asked of the client on our own.
constexpr NegotiationPolicy kOpen{.server_window_bits = 15,
                                  .client_window_bits = 15,
                                  .server_context_takeover = true,
                                  .client_context_takeover = true};

TEST_CASE("A client that offers no permessage-deflate gets no extension header (RFC 7692 section 5.1)") {
  check({{"", absent},
         {"  ", absent},
         {",", absent},
         {"permessage-bzip2", absent},
         {"x-webkit-deflate-frame", absent},
         {"x-webkit-deflate-frame; no_context_takeover, permessage-bzip2; level=9", absent},
         {"permessage-deflat", absent},
         {"permessage-deflatee", absent},
         // The same letters in another order.
         {"permessage-delfate", absent}},
        kOpen);
}

TEST_CASE("A plain offer is accepted as it stands (RFC 7692 section 7.1)") {
  check({{"permessage-deflate", accepted, "permessage-deflate"},
         {"Permessage-DEFLATE", accepted, "permessage-deflate"},
         {" permessage-deflate ,", accepted, "permessage-deflate"},
         {"permessage-bzip2; level=9, permessage-deflate", accepted, "permessage-deflate"},
         {"x-webkit-deflate-frame, permessage-deflate", accepted, "permessage-deflate"}},
        kOpen);
}

TEST_CASE("server_no_context_takeover is answered when offered (RFC 7692 section 7.1.1.1)") {
  check({{"permessage-deflate; server_no_context_takeover",
          accepted,
          "permessage-deflate; server_no_context_takeover",
          {15, 15, true, false}},
         {"permessage-deflate; Server_No_Context_Takeover",
          accepted,
          "permessage-deflate; server_no_context_takeover",
          {15, 15, true, false}},
         {"permessage-deflate; server_no_context_takeover=1", declined},
         {"permessage-deflate; server_no_context_takeover=\"true\"", declined},
         {"permessage-deflate; server_no_context_takeover; server_no_context_takeover", declined}},
        kOpen);
}

TEST_CASE("client_no_context_takeover is answered when offered (RFC 7692 section 7.1.1.2)") {
  check({{"permessage-deflate; client_no_context_takeover",
          accepted,
          "permessage-deflate; client_no_context_takeover",
          {15, 15, false, true}},
         {"permessage-deflate; client_no_context_takeover=0", declined},
         {"permessage-deflate; client_no_context_takeover; client_no_context_takeover", declined},
         {"permessage-deflate; client_no_context_takeover; server_no_context_takeover",
          accepted,
          "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
          {15, 15, true, true}}},
        kOpen);
}

TEST_CASE("server_max_window_bits is honoured and always answered (RFC 7692 section 7.1.2.1)") {
  check({{"permessage-deflate; server_max_window_bits=8",
          accepted,
          "permessage-deflate; server_max_window_bits=8",
          {8, 15, false, false}},
         {"permessage-deflate; server_max_window_bits=9",
          accepted,
          "permessage-deflate; server_max_window_bits=9",
          {9, 15, false, false}},
         {"permessage-deflate; server_max_window_bits=10",
          accepted,
          "permessage-deflate; server_max_window_bits=10",
          {10, 15, false, false}},
         {"permessage-deflate; server_max_window_bits=\"12\"",
          accepted,
          "permessage-deflate; server_max_window_bits=12",
          {12, 15, false, false}},
         {"permessage-deflate; server_max_window_bits = 12",
          accepted,
          "permessage-deflate; server_max_window_bits=12",
          {12, 15, false, false}},
         {"permessage-deflate; server_max_window_bits=15", accepted,
          "permessage-deflate; server_max_window_bits=15"}},
        kOpen);
}

TEST_CASE("An invalid server_max_window_bits declines the offer (RFC 7692 section 7.1.2.1)") {
  check({{"permessage-deflate; server_max_window_bits", declined},
         {"permessage-deflate; server_max_window_bits=7", declined},
         {"permessage-deflate; server_max_window_bits=0", declined},
         {"permessage-deflate; server_max_window_bits=16", declined},
         {"permessage-deflate; server_max_window_bits=19", declined},
         {"permessage-deflate; server_max_window_bits=20", declined},
         {"permessage-deflate; server_max_window_bits=08", declined},
         {"permessage-deflate; server_max_window_bits=010", declined},
         {"permessage-deflate; server_max_window_bits=015", declined},
         {"permessage-deflate; server_max_window_bits=+12", declined},
         {"permessage-deflate; server_max_window_bits=-12", declined},
         {"permessage-deflate; server_max_window_bits=1e1", declined},
         {"permessage-deflate; server_max_window_bits=0xc", declined},
         {"permessage-deflate; server_max_window_bits=12.0", declined},
         {"permessage-deflate; server_max_window_bits=4294967307", declined},
         {"permessage-deflate; server_max_window_bits=18446744073709551627", declined},
         {"permessage-deflate; server_max_window_bits=12; server_max_window_bits=12", declined},
         {"permessage-deflate; server_max_window_bits=12; SERVER_MAX_WINDOW_BITS=11", declined}},
        kOpen);
}

TEST_CASE("client_max_window_bits is answered with a value, and only if offered (RFC 7692 section 7.1.2.2)") {
  const NegotiationPolicy policy{.server_window_bits = 15,
                                 .client_window_bits = 12,
                                 .server_context_takeover = true,
                                 .client_context_takeover = true};
  check({{"permessage-deflate", accepted, "permessage-deflate"},
         {"permessage-deflate; client_max_window_bits",
          accepted,
          "permessage-deflate; client_max_window_bits=12",
          {15, 12, false, false}},
         {"permessage-deflate; client_max_window_bits=15",
          accepted,
          "permessage-deflate; client_max_window_bits=12",
          {15, 12, false, false}},
         {"permessage-deflate; client_max_window_bits=\"13\"",
          accepted,
          "permessage-deflate; client_max_window_bits=12",
          {15, 12, false, false}},
         {"permessage-deflate; client_max_window_bits=12",
          accepted,
          "permessage-deflate; client_max_window_bits=12",
          {15, 12, false, false}},
         {"permessage-deflate; client_max_window_bits=11",
          accepted,
          "permessage-deflate; client_max_window_bits=11",
          {15, 11, false, false}},
         {"permessage-deflate; client_max_window_bits=9",
          accepted,
          "permessage-deflate; client_max_window_bits=9",
          {15, 9, false, false}},
         {"permessage-deflate; client_max_window_bits=8",
          accepted,
          "permessage-deflate; client_max_window_bits=8",
          {15, 8, false, false}}},
        policy);
  check({{"permessage-deflate; client_max_window_bits", accepted,
          "permessage-deflate; client_max_window_bits=15"}},
        kOpen);
}

TEST_CASE("An invalid client_max_window_bits declines the offer (RFC 7692 section 7.1.2.2)") {
  check({{"permessage-deflate; client_max_window_bits=7", declined},
         {"permessage-deflate; client_max_window_bits=16", declined},
         {"permessage-deflate; client_max_window_bits=08", declined},
         {"permessage-deflate; client_max_window_bits=x", declined},
         {"permessage-deflate; client_max_window_bits; client_max_window_bits", declined},
         {"permessage-deflate; client_max_window_bits=12; client_max_window_bits", declined}},
        kOpen);
}

TEST_CASE("An unknown parameter declines its offer only (RFC 7692 section 7.1)") {
  check({{"permessage-deflate; level=9", declined},
         {"permessage-deflate; no_context_takeover", declined},
         {"permessage-deflate; server_max_window_bit=12", declined},
         {"permessage-deflate; level=9, permessage-deflate", accepted, "permessage-deflate"},
         {"permessage-deflate; server_max_window_bits, permessage-deflate; server_max_window_bits=10",
          accepted,
          "permessage-deflate; server_max_window_bits=10",
          {10, 15, false, false}}},
        kOpen);
}

TEST_CASE("The first acceptable offer wins (RFC 7692 section 5.1)") {
  check(
      {{"permessage-deflate; client_max_window_bits=10, permessage-deflate",
        accepted,
        "permessage-deflate; client_max_window_bits=10",
        {15, 10, false, false}},
       {"permessage-deflate, permessage-deflate; client_max_window_bits=10", accepted, "permessage-deflate"},
       {"permessage-deflate; x, permessage-deflate; server_no_context_takeover, permessage-deflate",
        accepted,
        "permessage-deflate; server_no_context_takeover",
        {15, 15, true, false}},
       {"permessage-deflate; x, permessage-deflate; y=1, foo", declined}},
      kOpen);
}

TEST_CASE("A malformed header agrees to nothing (RFC 6455 section 9.1)") {
  check({{"permessage-deflate;", declined},
         {"permessage-deflate; client_max_window_bits=", declined},
         {"permessage-deflate; client_max_window_bits=\"12", declined},
         {"permessage-deflate, ;", declined},
         {"permessage-deflate client_max_window_bits", declined},
         {"@", declined}},
        kOpen);
}

TEST_CASE("The operator's window is announced even when the client offered none (RFC 7692 section 7.1.2.1)") {
  const NegotiationPolicy policy{.server_window_bits = 12,
                                 .client_window_bits = 15,
                                 .server_context_takeover = true,
                                 .client_context_takeover = true};
  check({{"permessage-deflate",
          accepted,
          "permessage-deflate; server_max_window_bits=12",
          {12, 15, false, false}},
         {"permessage-deflate; server_max_window_bits=15",
          accepted,
          "permessage-deflate; server_max_window_bits=12",
          {12, 15, false, false}},
         {"permessage-deflate; server_max_window_bits=10",
          accepted,
          "permessage-deflate; server_max_window_bits=10",
          {10, 15, false, false}}},
        policy);
}

TEST_CASE("The operator's no context takeover is answered without being offered (RFC 7692 section 7.1.1)") {
  check({{"permessage-deflate",
          accepted,
          "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
          {15, 15, true, true}}},
        {.server_window_bits = 15,
         .client_window_bits = 15,
         .server_context_takeover = false,
         .client_context_takeover = false});
  check({{"permessage-deflate; client_no_context_takeover",
          accepted,
          "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
          {15, 15, true, true}}},
        {.server_window_bits = 15,
         .client_window_bits = 15,
         .server_context_takeover = false,
         .client_context_takeover = true});
}

TEST_CASE("No context takeover where a connection's full histories do not fit into the memory left") {
  const auto with = [](std::size_t free_memory) {
    NegotiationPolicy policy;
    policy.history_bytes = 4096;
    policy.free_memory = free_memory;
    return policy;
  };
  const char* offer = "permessage-deflate; client_max_window_bits=10";
  check({{offer, accepted, "permessage-deflate; client_max_window_bits=10", {15, 10, false, false}}},
        with(4096 + 1024));
  check({{offer,
          accepted,
          "permessage-deflate; client_no_context_takeover; client_max_window_bits=10",
          {15, 10, false, true}}},
        with(4096 + 1023));
  // What the one may not have the other can still use.
  check({{offer,
          accepted,
          "permessage-deflate; server_no_context_takeover; client_max_window_bits=10",
          {15, 10, true, false}},
         {"permessage-deflate; server_no_context_takeover; client_max_window_bits=10",
          accepted,
          "permessage-deflate; server_no_context_takeover; client_max_window_bits=10",
          {15, 10, true, false}}},
        with(4095));
  check({{offer,
          accepted,
          "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
          "client_max_window_bits=10",
          {15, 10, true, true}}},
        with(0));
}

TEST_CASE("What a client may refer to is agreed to only while all that is promised to clients can be kept") {
  NegotiationPolicy policy;
  policy.free_for_promises = 1024;
  const char* offer = "permessage-deflate; client_max_window_bits=10";
  check({{offer, accepted, "permessage-deflate; client_max_window_bits=10", {15, 10, false, false}}}, policy);
  CHECK_FALSE(negotiate(offer, policy).lacked_memory);
  --policy.free_for_promises;
  check({{offer,
          accepted,
          "permessage-deflate; client_no_context_takeover; client_max_window_bits=10",
          {15, 10, false, true}}},
        policy);
  CHECK(negotiate(offer, policy).lacked_memory);
}

TEST_CASE("That memory was why context takeover was not agreed to is told, and only then") {
  const auto lacked_memory = [](const char* offer, std::size_t free_memory, bool takes_over = true) {
    NegotiationPolicy policy;
    policy.history_bytes = 4096;
    policy.free_memory = free_memory;
    policy.server_context_takeover = policy.client_context_takeover = takes_over;
    return negotiate(offer, policy).lacked_memory;
  };
  const char* offer = "permessage-deflate; client_max_window_bits=10";
  CHECK_FALSE(lacked_memory(offer, 4096 + 1024));
  CHECK(lacked_memory(offer, 4096 + 1023));
  CHECK(lacked_memory(offer, 4095));
  CHECK_FALSE(lacked_memory(offer, 0, false));
  CHECK_FALSE(lacked_memory("permessage-deflate; server_no_context_takeover; client_no_context_takeover", 0));
  CHECK_FALSE(lacked_memory("permessage-deflate; unknown", 0));
}

TEST_CASE(
    "A history is no longer than the agreed window, and a client that sets no limit uses all of 32 KiB") {
  NegotiationPolicy policy;
  policy.history_bytes = 4096;
  policy.free_memory = 1024 + 32767;
  check({{"permessage-deflate; server_max_window_bits=10",
          accepted,
          "permessage-deflate; client_no_context_takeover; server_max_window_bits=10",
          {10, 15, false, true}}},
        policy);
  ++policy.free_memory;
  check({{"permessage-deflate; server_max_window_bits=10",
          accepted,
          "permessage-deflate; server_max_window_bits=10",
          {10, 15, false, false}}},
        policy);
}

TEST_CASE("All four parameters are answered in one fixed order") {
  const NegotiationPolicy policy{.server_window_bits = 12,
                                 .client_window_bits = 12,
                                 .server_context_takeover = false,
                                 .client_context_takeover = false};
  check({{"permessage-deflate; client_max_window_bits; server_max_window_bits=15",
          accepted,
          "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
          "server_max_window_bits=12; client_max_window_bits=12",
          {12, 12, true, true}}},
        policy);
}

TEST_CASE("What browsers and common clients offer is accepted with the default policy") {
  check(
      {// Chromium, Firefox, Safari
       {"permessage-deflate; client_max_window_bits",
        accepted,
        "permessage-deflate; client_max_window_bits=12",
        {15, 12, false, false}},
       {"permessage-deflate", accepted, "permessage-deflate"},
       // A library that asks for no takeover both ways and insists on both in the answer
       {"permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        accepted,
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        {15, 15, true, true}},
       {"permessage-deflate; server_max_window_bits=12; client_max_window_bits=12, permessage-deflate",
        accepted,
        "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12",
        {12, 12, false, false}}},
      NegotiationPolicy{});
}

}  // namespace
}  // namespace wsproxy::deflate
