#pragma once

#include <memory>

#include "deflate/budget.hpp"
#include "deflate/whole_inflater.hpp"

namespace wsproxy::deflate {

/// Null without memory. The budget outlives it.
std::unique_ptr<WholeInflater> make_isal_inflater(Budget& budget);

}  // namespace wsproxy::deflate
