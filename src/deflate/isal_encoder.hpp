#pragma once

#include <memory>

#include "deflate/live_encoder.hpp"

namespace wsproxy::deflate {

std::unique_ptr<LiveEncoder> make_isal_encoder(EncoderShape shape, Budget& budget);
std::size_t isal_encoder_memory(EncoderShape shape);

}  // namespace wsproxy::deflate
