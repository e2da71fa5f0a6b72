#include "http/response_head.hpp"

#include "http/body_framing.hpp"
#include "http/head_collector.hpp"
#include "http/head_parser.hpp"
#include "http/head_rules.hpp"

namespace wsproxy::http {

struct ResponseHeadReader::State {
  explicit State(std::size_t max_bytes) : collector(max_bytes) {}

  /// What is wrong with the whole head.
  std::string judge() {
    if (const auto wrong = problem_with_lines(collector.text()); !wrong.empty()) return std::string{wrong};
    if (std::string wrong = parse_response_head(collector.text(), head); !wrong.empty()) return wrong;
    if (head.status < 100 || head.status > 599) return "a status outside 100 to 599";
    return std::string{problem_with_framing(head.fields, head.version_minor)};
  }

  /// RFC 9110 section 15.2: an answer before the answer. 101 is the last of its connection.
  bool is_interim() const { return head.status < 200 && head.status != 101; }

  HeadCollector collector;
  HeadStatus status = HeadStatus::need_more;
  ResponseHead head;
  BodyFraming framing;
  std::string problem;
};

ResponseHeadReader::ResponseHeadReader(std::size_t max_bytes) : state_(std::make_unique<State>(max_bytes)) {
}
ResponseHeadReader::~ResponseHeadReader() = default;
ResponseHeadReader::ResponseHeadReader(ResponseHeadReader&&) noexcept = default;
ResponseHeadReader& ResponseHeadReader::operator=(ResponseHeadReader&&) noexcept = default;

HeadStatus ResponseHeadReader::feed(base::Bytes input, std::size_t& used) {
  State& state = *state_;
  while (state.status == HeadStatus::need_more) {
    std::size_t taken = 0;
    state.status = state.collector.feed(input, taken);
    input = input.subspan(taken);
    used += taken;
    if (state.status != HeadStatus::complete) {
      state.problem = state.collector.problem();
      break;
    }
    state.problem = state.judge();
    if (!state.problem.empty()) {
      state.status = HeadStatus::malformed;
    } else if (state.is_interim()) {
      state.status = HeadStatus::need_more;
      state.collector.restart();
    } else {
      state.head.raw = state.collector.text();
      state.framing = BodyFraming{state.head};
    }
  }
  return state.status;
}

ResponseHead& ResponseHeadReader::head() {
  return state_->head;
}

std::string_view ResponseHeadReader::problem() const {
  return state_->problem;
}

ResponseHeadReader::BodyStatus ResponseHeadReader::body(base::Bytes input, std::size_t& used) {
  if (state_->status != HeadStatus::complete) return BodyStatus::malformed;
  return state_->framing.feed(input, used);
}

}  // namespace wsproxy::http
