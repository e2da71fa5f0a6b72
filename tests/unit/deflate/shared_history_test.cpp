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
  explicit Worker(SharedHistories::Tuning tuning = {}, std::size_t memory = std::size_t{64} << 20)
      : budget(memory), histories(encoders, budget, 7, tuning) {}

  Budget budget;
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
  for (int i = 0; i < 2; ++i) worker.histories.evict_unused();
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

/// Two receivers of one feed, the second joining after the first has had `head_start` messages. How many
/// messages until one compression serves both, at most `most`.
template <typename Next>
int messages_until_equal(Worker& worker, int head_start, int most, Next next) {
  Receiver first{worker};
  for (int i = 0; i < head_start; ++i) first.send(next());
  Receiver second{worker};
  for (int i = 0; i < most; ++i) {
    const std::string text = next();
    first.send(text);
    if (second.send(text)) return i;
  }
  return most;
}

TEST_CASE("Receivers of tiny messages become equal as well") {
  Worker worker;
  Texts texts{3};
  const auto tiny = [&] { return "position " + std::to_string(texts.below(1000000)) + std::string(9, '.'); };
  CHECK(messages_until_equal(worker, 300, 4000, tiny) < 1500);
}

TEST_CASE("Receivers become equal when no message of the feed is a mark") {
  constexpr std::uint32_t kHardlyEver = 1U << 31U;
  Worker worker{{.reach = 8192, .mark_every = kHardlyEver}};
  Texts texts{4};
  CHECK(messages_until_equal(worker, 10, 2000, [&] { return texts.chat(); }) < 400);
}

TEST_CASE("A receiver that is ahead of the others leaves them what it was sent") {
  Worker worker{{.reach = 4096, .mark_every = 1024}};
  std::deque<Receiver> receivers;
  for (int i = 0; i < 3; ++i) receivers.emplace_back(worker);
  Texts texts{5};
  int compressed = 0;
  for (int batch = 0; batch < 40; ++batch) {
    std::vector<std::string> messages(10);
    for (std::string& message : messages) message = texts.chat();
    for (Receiver& receiver : receivers)
      for (const std::string& message : messages) compressed += receiver.send(message) ? 0 : 1;
  }
  CHECK(compressed == 400);
}

TEST_CASE("A message that is sent over and over is looked up by its only receiver") {
  for (const std::size_t mark_every : {std::size_t{0}, std::size_t{1}, std::size_t{1} << 31U}) {
    Worker worker{{.reach = 2048, .mark_every = mark_every, .restarts_only = mark_every == 1}};
    Receiver receiver{worker};
    const std::string text = Texts{6}.chat();
    for (int i = 0; i < 40; ++i) receiver.send(text);
    for (int i = 0; i < 5; ++i) CHECK(receiver.send(text));
  }
}

TEST_CASE("A message too short to shrink leaves the encoder where it stands") {
  Worker worker;
  Receiver receiver{worker};
  Texts texts{7};
  receiver.send(texts.chat());
  receiver.send("x");
  receiver.send("");
  receiver.send(texts.chat());
  CHECK(worker.encoders.primed_count() == 1);
}

TEST_CASE("An encoder does not wait where no receiver goes on") {
  // Every message is a mark, so every history begins anew with it.
  Worker worker{{.reach = 4096, .mark_every = 1, .restarts_only = true}};
  Receiver receiver{worker};
  Texts texts{8};
  for (int i = 0; i < 8; ++i) receiver.send(texts.chat());
  CHECK(worker.encoders.idle_count() == 1);
}

TEST_CASE("What is given up takes no memory from its receivers on") {
  Worker worker;
  Receiver receiver{worker};
  Texts texts{9};
  for (int i = 0; i < 100; ++i) receiver.send(texts.chat());
  worker.encoders.retire_all();
  worker.histories.give_up(true);
  CHECK(worker.histories.value_count() == 0);
  CHECK(worker.histories.text_count() == 0);
  CHECK(worker.budget.used() < 512);
  CHECK_FALSE(receiver.send(texts.chat()));
}

TEST_CASE("A feed that begins when memory is full gets that of compressed messages nobody waits for") {
  Worker worker{{.reach = 4096}, 2000000};
  Texts texts{10};
  std::deque<Receiver> idle;
  while (worker.budget.free() > 2000) {
    if (idle.empty() || idle.back().place.size() > 3000) idle.emplace_back(worker);
    idle.back().send(texts.chat());
  }
  Receiver first{worker};
  Receiver second{worker};
  int known = 0;
  for (int i = 0; i < 200; ++i) {
    const auto text = texts.chat();
    first.send(text);
    known += second.send(text) ? 1 : 0;
  }
  CHECK(known == 200);
}

/// What Codecs does when memory is short.
struct Relief final : Budget::Relief {
  explicit Relief(Worker& of) : worker(of) { worker.budget.set_relief(this); }
  void make_room(std::size_t) override { worker.histories.give_up(false); }
  Worker& worker;
};

TEST_CASE("Memory that gets short on the way does not take what is being handed out") {
  // Every message is a mark. The first receiver does not care, the second one begins anew there.
  Worker worker{{.mark_every = 1, .restarts_only = true}};
  Relief relief{worker};
  Receiver first{worker};
  Receiver second{worker};
  first.place.set_realigns(false);
  Texts texts{12};
  const auto text = texts.chat();
  first.send(text);
  second.send(text);
  const auto next = texts.chat();
  first.send(next);
  const std::size_t taken = worker.budget.free();
  worker.budget.reserve(taken);
  CHECK(second.send(next));
  worker.budget.release(taken);
  for (int i = 0; i < 4; ++i) {
    const auto another = texts.chat();
    first.send(another);
    second.send(another);
  }
}

TEST_CASE("With no memory at all every message still arrives") {
  Worker worker{{}, 0};
  Receiver first{worker};
  Receiver second{worker};
  Texts texts{11};
  for (int i = 0; i < 50; ++i) {
    const auto text = texts.chat();
    first.send(text);
    second.send(text);
  }
  CHECK(worker.histories.text_count() == 0);
}

}  // namespace
}  // namespace wsproxy::deflate
