#include "deflate/live_encoder.hpp"

#include "deflate/zlib_encoder.hpp"
#ifdef WSPROXY_HAS_ISAL
#include "deflate/isal_encoder.hpp"
#endif

namespace wsproxy::deflate {

std::unique_ptr<LiveEncoder> make_live_encoder(EncoderShape shape, Budget& budget) {
#ifdef WSPROXY_HAS_ISAL
  if (shape.method.engine == Engine::isal) return make_isal_encoder(shape, budget);
#endif
  return make_zlib_encoder(shape, budget);
}

std::size_t memory_of(EncoderShape shape) {
#ifdef WSPROXY_HAS_ISAL
  if (shape.method.engine == Engine::isal) return isal_encoder_memory(shape);
#endif
  return zlib_encoder_memory(shape);
}

}  // namespace wsproxy::deflate
