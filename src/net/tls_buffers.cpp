#include "net/tls_buffers.hpp"

namespace wsproxy::net {

void TlsBuffers::warm(WarmStream& stream) {
  stream.round_ = round_;
  if (stream.is_linked()) {
    warm_.splice(warm_.begin(), warm_, warm_.iterator_to(stream));
    return;
  }
  warm_.push_front(stream);
  if (warm_.size() > kMostWarm) cool_oldest();
}

void TlsBuffers::forget(WarmStream& stream) {
  if (stream.is_linked()) warm_.erase(warm_.iterator_to(stream));
}

void TlsBuffers::keep_house() {
  while (!warm_.empty() && warm_.back().round_ != round_) cool_oldest();
  ++round_;
}

void TlsBuffers::cool_oldest() {
  WarmStream& oldest = warm_.back();
  warm_.pop_back();
  oldest.cool();
}

}  // namespace wsproxy::net
