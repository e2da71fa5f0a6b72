#include "http/response_head.hpp"

#include "http/body_framing.hpp"
#include "http/head_collector.hpp"
#include "http/head_parser.hpp"
#include "http/head_rules.hpp"

namespace wsproxy::http {

struct ResponseHeadReader::State {
  State(std::size_t max, Interim what) : max_bytes(max), interim(what), collector(max) {}

  /// What is wrong with the whole head.
  std::string judge() {
    if (const auto wrong = problem_with_lines(collector.text()); !wrong.empty()) return std::string{wrong};
    if (std::string wrong = parse_response_head(collector.text(), head); !wrong.empty()) return wrong;
    if (head.status < 100) return "a status below 100";
    return std::string{problem_with_framing(head.fields, head.version_minor)};
  }

  std::size_t max_bytes;
  Interim interim;
  HeadCollector collector;
  HeadStatus status = HeadStatus::need_more;
  ResponseHead head;
  BodyFraming framing;
  std::string problem;
};

ResponseHeadReader::ResponseHeadReader(std::size_t max_bytes, Interim interim)
    : state_(std::make_unique<State>(max_bytes, interim)) {
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
    } else if (state.head.is_interim() && state.interim == Interim::skipped) {
      state.status = HeadStatus::need_more;
      state.collector.restart();
    } else {
      state.head.raw = state.collector.text();
      state.framing = BodyFraming::of(state.head, "GET");
    }
  }
  return state.status;
}

ResponseHead& ResponseHeadReader::head() {
  return state_->head;
}

void ResponseHeadReader::next() {
  state_->collector = HeadCollector{state_->max_bytes};
  state_->status = HeadStatus::need_more;
}

std::string_view ResponseHeadReader::problem() const {
  return state_->problem;
}

ResponseHeadReader::BodyStatus ResponseHeadReader::body(base::Bytes input, std::size_t& used) {
  if (state_->status != HeadStatus::complete) return BodyStatus::malformed;
  return state_->framing.feed(input, used);
}

}  // namespace wsproxy::http
