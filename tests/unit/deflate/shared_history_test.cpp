#include "deflate/shared_history.hpp"

#include <deque>

#include <catch2/catch.hpp>

#include "unit/deflate/plain_zlib.hpp"

namespace wsproxy::deflate {
namespace {

using test::PeerInflater;
using test::text_of;
using test::Texts;

struct Worker {
  explicit Worker(SharedHistories::Tuning tuning = {}) : histories(encoders, budget, 7, tuning) {}

  Budget budget{std::size_t{64} << 20};
  EncoderPool encoders{8, budget};
  SharedHistories histories;
};

Method method() {
  return method_for(EngineChoice::automatic, 6, 200, true);
}

struct Receiver {
  explicit Receiver(Worker& of, std::uint8_t bits = 15)
      : worker(of), place(of.histories, bits), peer(bits, true) {}

  /// Whether somebody else's bytes served.
  bool send(const std::string& text) {
    const base::Bytes known = worker.histories.known(place, base::as_bytes(text));
    if (!known.empty()) {
      REQUIRE(peer.message(base::as_text(known)) == text);
      return true;
    }
    base::ByteQueue out;
    if (worker.histories.compress(place, base::as_bytes(text), worker.histories.hash(base::as_bytes(text)),
                                  method(), out)) {
      REQUIRE(peer.message(text_of(out)) == text);
    }
    return false;
  }

  Worker& worker;
  SharedPlace place;
  PeerInflater peer;
};

TEST_CASE("What one receiver of a feed was sent serves all the others, and each inflates it") {
  Worker worker;
  {
    std::deque<Receiver> receivers;
    for (int i = 0; i < 20; ++i) receivers.emplace_back(worker);
    Texts texts{1};
    for (int round = 0; round < 300; ++round) {
      const auto text = texts.chat();
      std::size_t known = 0;
      for (Receiver& receiver : receivers) known += receiver.send(text) ? 1 : 0;
      REQUIRE(known == 19);
      REQUIRE(receivers.front().place.is_in_company());
    }
    CHECK(worker.histories.text_count() < 300);
  }
  CHECK(worker.histories.value_count() == 0);
  CHECK(worker.histories.text_count() == 0);
}

TEST_CASE("Who joins a feed later has the same history as the others once the reach has passed by") {
  Worker worker{{.reach = 8192, .mark_every = 1024}};
  std::deque<Receiver> receivers;
  Texts texts{2};
  const auto send_all = [&] {
    const auto text = texts.chat();
    std::size_t compressed = 0;
    for (Receiver& receiver : receivers) compressed += receiver.send(text) ? 0 : 1;
    return compressed;
  };
  for (int i = 0; i < 30; ++i) {
    receivers.emplace_back(worker);
    for (int j = 0; j < 7; ++j) CHECK(send_all() < 16);
  }
  for (int i = 0; i < 100; ++i) send_all();
  CHECK(send_all() == 1);
}

}  // namespace
}  // namespace wsproxy::deflate
