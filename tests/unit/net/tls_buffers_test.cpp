#include "net/tls_buffers.hpp"

#include <memory>
#include <vector>

#include <catch2/catch.hpp>

namespace wsproxy::net {
namespace {

class Stream final : public WarmStream {
 public:
  int cooled = 0;

 private:
  void cool() override { ++cooled; }
};

TEST_CASE("only so many streams stay warm: the one that was busy longest ago cools first", "[tls_buffers]") {
  std::vector<Stream> streams(TlsBuffers::kMostWarm + 2);
  TlsBuffers buffers;
  for (std::size_t i = 0; i < TlsBuffers::kMostWarm; ++i) buffers.warm(streams[i]);
  CHECK(buffers.warm_streams() == TlsBuffers::kMostWarm);
  buffers.warm(streams[0]);  // busy again
  buffers.warm(streams[TlsBuffers::kMostWarm]);
  CHECK(streams[0].cooled == 0);
  CHECK(streams[1].cooled == 1);
  CHECK(streams[2].cooled == 0);
  buffers.warm(streams[TlsBuffers::kMostWarm + 1]);
  CHECK(streams[2].cooled == 1);
  CHECK(buffers.warm_streams() == TlsBuffers::kMostWarm);
  for (Stream& stream : streams) buffers.forget(stream);
}

TEST_CASE("who is idle for two rounds is cooled, and who is busy is not", "[tls_buffers]") {
  Stream idle;
  Stream busy;
  TlsBuffers buffers;
  buffers.warm(idle);
  buffers.warm(busy);
  buffers.keep_house();
  buffers.warm(busy);
  CHECK(idle.cooled == 0);
  buffers.keep_house();
  CHECK(idle.cooled == 1);
  CHECK(busy.cooled == 0);
  CHECK(buffers.warm_streams() == 1);
  buffers.keep_house();
  CHECK(busy.cooled == 1);
  CHECK(buffers.warm_streams() == 0);
  buffers.warm(idle);
  CHECK(buffers.warm_streams() == 1);
  buffers.forget(idle);
}

TEST_CASE("who is forgotten is not cooled, and may be forgotten twice", "[tls_buffers]") {
  Stream stream;
  TlsBuffers buffers;
  buffers.warm(stream);
  buffers.forget(stream);
  buffers.forget(stream);
  for (int i = 0; i < 3; ++i) buffers.keep_house();
  CHECK(stream.cooled == 0);
  CHECK(buffers.warm_streams() == 0);
}

}  // namespace
}  // namespace wsproxy::net
