#include "http/request_head.hpp"

#include "http/head_collector.hpp"
#include "http/head_parser.hpp"
#include "http/head_rules.hpp"

namespace wsproxy::http {

struct RequestHeadReader::State {
  explicit State(std::size_t max_bytes) : collector(max_bytes) {}

  /// What is wrong with the whole head.
  std::string judge() {
    if (const auto wrong = problem_with_lines(collector.text()); !wrong.empty()) return std::string{wrong};
    if (std::string wrong = parse_request_head(collector.text(), head); !wrong.empty()) return wrong;
    return std::string{problem_with_request(head)};
  }

  HeadCollector collector;
  HeadStatus status = HeadStatus::need_more;
  RequestHead head;
  std::string problem;
};

RequestHeadReader::RequestHeadReader(std::size_t max_bytes) : state_(std::make_unique<State>(max_bytes)) {
}
RequestHeadReader::~RequestHeadReader() = default;
RequestHeadReader::RequestHeadReader(RequestHeadReader&&) noexcept = default;
RequestHeadReader& RequestHeadReader::operator=(RequestHeadReader&&) noexcept = default;

HeadStatus RequestHeadReader::feed(base::Bytes input, std::size_t& used) {
  State& state = *state_;
  if (state.status != HeadStatus::need_more) return state.status;
  state.status = state.collector.feed(input, used);
  if (state.status == HeadStatus::complete) {
    state.problem = state.judge();
    if (!state.problem.empty()) state.status = HeadStatus::malformed;
  } else {
    state.problem = state.collector.problem();
  }
  return state.status;
}

bool RequestHeadReader::has_begun() const {
  return !state_->collector.text().empty();
}

RequestHead& RequestHeadReader::head() {
  return state_->head;
}

std::string_view RequestHeadReader::problem() const {
  return state_->problem;
}

}  // namespace wsproxy::http
