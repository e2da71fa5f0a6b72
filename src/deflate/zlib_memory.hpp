#pragma once

#include <zlib.h>

#include "deflate/budget.hpp"

namespace wsproxy::deflate {

/// Makes zlib take this stream's memory through the budget. To be called before the stream is
/// initialised; the budget outlives the stream.
void charge_to(Budget& budget, z_stream& stream);

}  // namespace wsproxy::deflate
