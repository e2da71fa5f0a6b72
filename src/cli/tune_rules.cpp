#include "cli/tune_rules.hpp"

#include "cli/tune_advice.hpp"

namespace wsproxy::cli {

Recommendation recommend(const Figures& figures) {
  return figures.observed.seen_messages > 0 ? recommend_from_trials(figures) : recommend_from_use(figures);
}

}  // namespace wsproxy::cli
