#include "doctor/offers.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::doctor {
namespace {

std::string judged(std::string_view offer, std::string_view answer) {
  Agreed agreed;
  return judge_extensions(offer, answer, true, agreed);
}

TEST_CASE("legal answers") {
  struct Case {
    std::string_view offer, answer;
  };
  for (const auto& [offer, answer] : {
           Case{"permessage-deflate", "permessage-deflate"},
           Case{"permessage-deflate", "permessage-deflate; server_max_window_bits=10"},
           Case{"permessage-deflate", "permessage-deflate; client_no_context_takeover"},
           Case{"permessage-deflate", "permessage-deflate; server_no_context_takeover"},
           Case{"permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits=8"},
           Case{"permessage-deflate; client_max_window_bits=10",
                "permessage-deflate; client_max_window_bits=\"9\""},
           Case{"permessage-deflate; client_max_window_bits", "permessage-deflate"},
           Case{"permessage-deflate; server_max_window_bits=10",
                "permessage-deflate; server_max_window_bits=9"},
           Case{"permessage-deflate; server_max_window_bits=7, permessage-deflate", "permessage-deflate"},
           Case{"x, permessage-deflate", "permessage-deflate"},
       }) {
    INFO(offer << " -> " << answer);
    CHECK(judged(offer, answer).empty());
  }
  Agreed agreed;
  CHECK(judge_extensions("permessage-deflate", "", false, agreed).empty());
  CHECK_FALSE(agreed.compression);
}

TEST_CASE("what was agreed") {
  Agreed agreed;
  CHECK(judge_extensions("permessage-deflate; client_max_window_bits",
                         "permessage-deflate; client_max_window_bits=9; server_max_window_bits=10; "
                         "server_no_context_takeover; client_no_context_takeover",
                         true, agreed)
            .empty());
  CHECK(agreed.compression);
  CHECK(agreed.client_window_bits == 9);
  CHECK(agreed.server_window_bits == 10);
  CHECK(agreed.server_no_context_takeover);
  CHECK(agreed.client_no_context_takeover);
}

TEST_CASE("the client's window is the smaller of its hint and of the answer (RFC 7692 7.1.2.2)") {
  struct Case {
    std::string_view offer, answer;
    unsigned bits;
  };
  for (const auto& [offer, answer, bits] : {
           Case{"permessage-deflate; client_max_window_bits=10",
                "permessage-deflate; client_max_window_bits=11", 10},
           Case{"permessage-deflate; client_max_window_bits=10",
                "permessage-deflate; client_max_window_bits=9", 9},
           Case{"permessage-deflate; client_max_window_bits=10", "permessage-deflate", 10},
           Case{"permessage-deflate; client_max_window_bits=7, permessage-deflate; client_max_window_bits=12",
                "permessage-deflate; client_max_window_bits=14", 12},
           Case{"permessage-deflate; client_max_window_bits", "permessage-deflate", 15},
       }) {
    INFO(offer << " -> " << answer);
    Agreed agreed;
    CHECK(judge_extensions(offer, answer, true, agreed).empty());
    CHECK(agreed.client_window_bits == bits);
  }
}

TEST_CASE("answers that are illegal for their offer") {
  struct Case {
    std::string_view offer, answer;
  };
  for (const auto& [offer, answer] : {
           Case{"permessage-deflate", ""},
           Case{"permessage-deflate", "x"},
           Case{"permessage-deflate", "permessage-deflate, permessage-deflate"},
           Case{"permessage-deflate", "permessage-deflate; x"},
           Case{"permessage-deflate", "permessage-deflate; client_max_window_bits=10"},
           Case{"permessage-deflate", "permessage-deflate; server_max_window_bits"},
           Case{"permessage-deflate", "permessage-deflate; server_max_window_bits=7"},
           Case{"permessage-deflate", "permessage-deflate; server_max_window_bits=09"},
           Case{"permessage-deflate", "permessage-deflate; server_no_context_takeover=1"},
           Case{"permessage-deflate",
                "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9"},
           Case{"permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits"},
           Case{"permessage-deflate; server_max_window_bits=10", "permessage-deflate"},
           Case{"permessage-deflate; server_max_window_bits=10",
                "permessage-deflate; server_max_window_bits=11"},
           Case{"permessage-deflate; server_no_context_takeover", "permessage-deflate"},
           Case{"x", "permessage-deflate"},
       }) {
    INFO(offer << " -> " << answer);
    CHECK_FALSE(judged(offer, answer).empty());
  }
}

TEST_CASE("of the offers that are tried, exactly the valid ones can be accepted") {
  for (const Offer& offer : offers_to_try()) {
    INFO(offer.text);
    const bool asks_server = offer.text.find("server_max_window_bits") != std::string_view::npos;
    const std::string answer =
        std::string{"permessage-deflate"} + (asks_server ? "; server_max_window_bits=8" : "") +
        (offer.text.find("server_no") != std::string_view::npos ? "; server_no_context_takeover" : "");
    CHECK(judged(offer.text, answer).empty() == offer.is_valid);
  }
}

}  // namespace
}  // namespace wsproxy::doctor
