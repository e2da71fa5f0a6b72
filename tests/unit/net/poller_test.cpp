#include "net/poller.hpp"

#include <cstdint>
#include <functional>
#include <unistd.h>
#include <utility>

#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <sys/eventfd.h>

#include "net/descriptor.hpp"

namespace wsproxy::net {
namespace {

/// Something that can be made ready, and counts how often it was told so.
class Bell final : private Poller::Watch {
 public:
  explicit Bell(Poller& poller, std::function<void()> on_told = {})
      : poller_(poller), descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), on_told_(std::move(on_told)) {
    REQUIRE(descriptor_.number() >= 0);
    REQUIRE_FALSE(poller_.add(descriptor_.number(), *this));
  }
  ~Bell() override { poller_.remove(*this); }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  void ring() const {
    const std::uint64_t one = 1;
    REQUIRE(::write(descriptor_.number(), &one, sizeof one) == sizeof one);
  }
  std::size_t told() const { return told_; }

 private:
  void on_events(Poller::Events) override {
    ++told_;
    if (on_told_) on_told_();
  }

  Poller& poller_;
  Descriptor descriptor_;
  std::function<void()> on_told_;
  std::size_t told_ = 0;
};

/// A new bell is writable, which is an event too.
void settle(IoContext& io) {
  for (int i = 0; i < 4; ++i) io.poll();
}

TEST_CASE("Under load what becomes ready during a turn is told in the same turn") {
  IoContext io;
  Poller poller{io};
  const Bell late{poller};
  bool rings = false;
  const auto ring_late = [&] {
    if (rings) late.ring();
  };
  const Bell first{poller, ring_late};
  const Bell second{poller, ring_late};
  settle(io);
  const std::size_t before = late.told();
  rings = true;
  first.ring();
  second.ring();
  REQUIRE(io.run_one() == 1);
  CHECK(late.told() == before + 1);
}

TEST_CASE("However much there is to tell, what was posted has its turn") {
  IoContext io;
  Poller poller{io};
  const Bell* bells[2] = {};
  std::size_t calls = 0;
  const auto ring_on = [&] {
    constexpr std::size_t kEnough = 10'000;  // fail then, but end
    if (bells[0] == nullptr || ++calls > kEnough) return;
    for (const Bell* bell : bells) bell->ring();
  };
  const Bell first{poller, ring_on};
  const Bell second{poller, ring_on};
  settle(io);
  bells[0] = &first;
  bells[1] = &second;
  bool was_posted = false;
  first.ring();
  second.ring();
  REQUIRE(io.run_one() == 1);
  CHECK(calls > 2);
  CHECK(calls <= 128);
  boost::asio::post(io, [&] { was_posted = true; });
  io.poll();
  CHECK(was_posted);
}

}  // namespace
}  // namespace wsproxy::net
