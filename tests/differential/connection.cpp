#include "differential/connection.hpp"

#include <array>
#include <utility>

namespace wsproxy::test {
namespace {

constexpr std::array<std::size_t, 4> kMemories{std::size_t{64} << 20U, 600'000, 70'000, 0};

void fill(base::MutableBytes bytes) {
  static std::uint32_t state = 1;
  for (std::byte& byte : bytes) byte = static_cast<std::byte>((state = state * 69069U + 5U) >> 24U);
}

}  // namespace

DifferentialWorker::DifferentialWorker(Dice& dice)
    : codecs({.memory = dice.one_in(2) ? kMemories[0] : dice.of(kMemories),
              .encoders = dice.from_to(0, 5),
              .decoders = dice.below(3),
              .seed = dice.below(1000)}),
      mask_keys(fill),
      workshop{codecs, mask_keys, text, packed, [] { return std::uint64_t{0}; }} {
}

DifferentialConnection::Way::Way(bool to_app, std::unique_ptr<PlainInflater> inflater)
    : listener(to_app, std::move(inflater), meant) {
  listener.keep_in(arrived);
}

DifferentialConnection::DifferentialConnection(DifferentialWorker& worker, Dice& dice, Dice for_setup)
    : worker_(worker),
      dice_(dice),
      setup_(for_setup),
      app_(dice.one_in(2) ? 4096 : 100'000),
      to_client_(false, setup_.inflater()),
      to_app_(true, nullptr),
      relay_(setup_.settings, worker.workshop, meter_) {
  if (!setup_.client) speaker_ = std::make_unique<Speaker>(true, to_app_.meant);
}

void DifferentialConnection::say(Leg leg, bool is_text, const std::string& payload) {
  if (speaks_zlib(leg)) {
    say_with_zlib(is_text, payload);
  } else {
    say_with_beast(leg, is_text, payload);
  }
  carry();
}

void DifferentialConnection::say_with_beast(Leg leg, bool is_text, std::string_view payload) {
  std::deque<Meant>& meant = from(leg).meant;
  std::string_view left = payload;
  for (std::size_t cuts = dice_.one_in(3) ? dice_.below(4) : 0; cuts > 0; --cuts) {
    const std::size_t size = dice_.below(left.size() + 1);
    end(leg).say(is_text, left.substr(0, size), false);
    left.remove_prefix(size);
    if (dice_.one_in(2)) {
      meant.push_back({9, "between", 0, 0});
      end(leg).ping("between");
    }
    // The other side's control frames come, and are answered, in the middle of this message.
    if (dice_.one_in(2)) carry();
  }
  end(leg).say(is_text, left, true);
  meant.push_back({is_text ? 1U : 2U, std::string{payload}, 0, 0});
}

void DifferentialConnection::say_with_zlib(bool is_text, const std::string& payload) {
  std::optional<std::string> packed;
  if (!dice_.one_in(6))
    packed = setup_.deflater->message(payload, static_cast<PlainDeflater::Ending>(dice_.below(5)));
  std::string cuts;
  for (std::size_t count = dice_.one_in(3) ? dice_.below(4) : 0; count > 0; --count) {
    cuts += static_cast<char>(dice_.below(256));
  }
  speaker_->message(is_text ? 1 : 2, payload, packed, cuts, dice_.one_in(4));
}

void DifferentialConnection::ping(Leg leg) {
  const std::string payload(dice_.below(126), 'p');
  if (speaks_zlib(leg)) {
    speaker_->control(dice_.one_in(3) ? 10 : 9, payload);
  } else {
    from(leg).meant.push_back({9, payload, 0, 0});
    end(leg).ping(payload);
  }
  carry();
}

void DifferentialConnection::close(Leg leg) {
  const auto code = static_cast<std::uint16_t>(dice_.one_in(2) ? 1000 : dice_.from_to(3000, 4999));
  const std::string payload{static_cast<char>(code >> 8U), static_cast<char>(code & 0xFFU), 'b', 'y', 'e'};
  // Without Beast at the client's end nobody would answer the app.
  if (!setup_.client) leg = Leg::client;
  if (speaks_zlib(leg)) {
    speaker_->close(payload);
  } else {
    end(leg).close(code, "bye");
  }
  carry();
  require(to(leg == Leg::client ? Leg::app : Leg::client).listener.closed() == payload,
          "a close goes through");
  require(to(leg).listener.closed().has_value(), "a close is answered");
  require(app_.closed() == code, "Beast's app has seen the close");
  require(!setup_.client || setup_.client->closed() == code, "Beast's client has seen the close");
  require(relay_.may_shut_down(Leg::client), "both sides have closed");
}

void DifferentialConnection::carry() {
  // One after the other: carrying may make the other side say something.
  for (bool has_moved = true; has_moved;) {
    has_moved = give(Leg::client);
    has_moved = give(Leg::app) || has_moved;
  }
  for (const Leg leg : {Leg::client, Leg::app}) {
    require(relay_.fault(leg) == websocket::Fault::none, "nobody is at fault");
    require(to(leg).meant.empty(), "all that was meant has arrived");
    require(to(leg).arrived.empty() || (leg == Leg::client && !setup_.client),
            "Beast has heard all that arrived");
    to(leg).arrived.clear();
  }
  require(worker_.text.empty() && worker_.packed.empty(), "scratch is empty between calls");
}

bool DifferentialConnection::give(Leg leg) {
  const std::string said = take_said(leg);
  std::string_view left = said;
  while (!left.empty()) {
    const base::Bytes next = base::as_bytes(left.substr(0, piece()));
    left.remove_prefix(next.size());
    // Memory of its own, so that a sanitizer sees a reader that goes past it.
    std::vector<std::byte> bytes(next.begin(), next.end());
    std::size_t used = 0;
    do {
      used += relay_.received(leg, base::MutableBytes{bytes}.subspan(used), output());
      for (const Leg each : {Leg::client, Leg::app}) {
        require(setup_.room == SIZE_MAX || to(each).queue.size() <= setup_.room + relay::kRoomOvershoot,
                "output keeps to its room");
        deliver(each);
      }
    } while (used < bytes.size() || relay_.is_stalled(leg));
  }
  return !said.empty();
}

std::string DifferentialConnection::take_said(Leg leg) {
  if (!speaks_zlib(leg)) return end(leg).take_wire();
  std::string said{speaker_->wire()};
  speaker_->take(said.size());
  return said;
}

std::size_t DifferentialConnection::piece() {
  return setup_.longest_piece == SIZE_MAX ? SIZE_MAX : dice_.from_to(1, setup_.longest_piece);
}

void DifferentialConnection::deliver(Leg leg) {
  Way& way = to(leg);
  std::string_view wire = base::as_text(way.queue.view());
  if (wire.empty()) return;
  way.listener.hear(wire);
  while (!wire.empty() && (leg == Leg::app || setup_.client)) {
    const std::string_view next = wire.substr(0, piece());
    wire.remove_prefix(next.size());
    end(leg).hear(next);
    compare(leg);
  }
  way.queue.clear();
}

/// Beast makes of the wire what the other reader has made of it, and answers pings.
void DifferentialConnection::compare(Leg leg) {
  std::deque<Meant>& arrived = to(leg).arrived;
  for (const BeastEnd::Heard& heard : end(leg).take_heard()) {
    require(!arrived.empty() && arrived.front().opcode == heard.opcode &&
                arrived.front().payload == heard.payload,
            "Beast hears what was meant");
    arrived.pop_front();
    if (heard.opcode == 9) from(leg).meant.push_back({10, heard.payload, 0, 0});
  }
}

}  // namespace wsproxy::test
