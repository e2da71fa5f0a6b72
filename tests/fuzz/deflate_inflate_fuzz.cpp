// The first three bytes choose window, takeover, limit and cuts, the rest is a compressed message. However
// it is cut, the result is the same and at most the one byte over the limit that tells, and the pool still
// inflates a good message afterwards.

#include <cstdlib>
#include <string>

#include "deflate/decoder.hpp"

namespace {

using namespace wsproxy;
using deflate::DecodeStatus;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Decoded {
  DecodeStatus status = DecodeStatus::corrupt;
  std::string text;
  std::string history;
  bool operator==(const Decoded&) const = default;
};

struct Setup {
  std::uint8_t window_bits = 15;
  bool takeover = true;
  std::size_t limit = 0;
};

/// Numbers that depend on the input only.
class Dice {
 public:
  explicit Dice(std::uint32_t seed) : state_(seed * 2654435761u + 1) {}
  std::size_t up_to(std::size_t bound) {
    state_ = state_ * 1664525u + 1013904223u;
    return 1 + (state_ >> 8) % bound;
  }

 private:
  std::uint32_t state_;
};

/// Calls until more than `limit` bytes are out or no more come; `call` gets how much it may put out.
template <typename Call>
DecodeStatus drain(Call call, const base::ByteQueue& out, std::size_t limit, std::size_t step) {
  while (true) {
    const std::size_t before = out.size();
    const std::size_t room = std::min(step, limit + 1 - before);
    const auto status = call(room);
    require(out.size() - before <= room);
    if (out.size() > limit) return DecodeStatus::output_full;
    if (status != DecodeStatus::output_full) return status;
    require(out.size() - before == room);
  }
}

Decoded decode(deflate::DecoderPool& pool, deflate::Budget& budget, const Setup& setup, base::Bytes payload,
               std::size_t cut, std::size_t step) {
  deflate::History history{std::size_t{1} << setup.window_bits, deflate::History::Keep::must_keep, budget};
  history.append(base::as_bytes("what the client has sent before, before, and before"));
  Decoded decoded;
  {
    auto decoder = pool.begin(setup.window_bits, setup.takeover ? &history : nullptr);
    base::ByteQueue out;
    auto status = DecodeStatus::needs_input;
    Dice dice{static_cast<std::uint32_t>(cut)};
    while (!payload.empty() && status == DecodeStatus::needs_input) {
      auto input = payload.first(std::min(payload.size(), dice.up_to(cut)));
      payload = payload.subspan(input.size());
      status =
          drain([&](std::size_t room) { return decoder.write(input, out, room); }, out, setup.limit, step);
      require(status != DecodeStatus::needs_input || input.empty());
    }
    if (status == DecodeStatus::needs_input) {
      status = drain([&](std::size_t room) { return decoder.finish(out, room); }, out, setup.limit, step);
      require(status != DecodeStatus::needs_input);
    }
    decoded.status = status;
    decoded.text = base::as_text(out.view());
  }
  decoded.history = base::as_text(history.text());
  return decoded;
}

/// The shorter way may give up, but then without a trace; else it comes to what zlib comes to.
void try_whole(deflate::DecoderPool& pool, deflate::Budget& budget, const Setup& setup, base::Bytes payload,
               const Decoded& expected) {
  deflate::History history{std::size_t{1} << setup.window_bits, deflate::History::Keep::must_keep, budget};
  history.append(base::as_bytes("what the client has sent before, before, and before"));
  base::ByteQueue out;
  const Decoded before{DecodeStatus::corrupt, "", std::string{base::as_text(history.text())}};
  const bool done = pool.inflate_whole(setup.window_bits, setup.takeover ? &history : nullptr, payload, out,
                                       setup.limit + 1);
  const Decoded after{done ? DecodeStatus::message_end : DecodeStatus::corrupt,
                      std::string{base::as_text(out.view())}, std::string{base::as_text(history.text())}};
  require(after == (done ? expected : before));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const Setup setup{.window_bits = static_cast<std::uint8_t>(8 + (data[0] & 7)),
                    .takeover = (data[0] & 8) == 0,
                    // One of them is far more than most inputs can give.
                    .limit = (data[0] & 16) != 0 ? std::size_t{1} << 14 : 1 + std::size_t{data[1]} * 16};
  const auto payload = base::as_bytes({reinterpret_cast<const char*>(data), size}).subspan(3);
  const std::size_t cut = 1 + data[2] % 64u;
  const std::size_t step = 1 + data[2] / 64u * 300u;

  deflate::Budget budget{1 << 20};
  {
    deflate::DecoderPool pool{1, budget};
    const auto whole =
        decode(pool, budget, setup, payload, std::max<std::size_t>(1, payload.size()), setup.limit);
    require(whole.text.size() <= setup.limit + 1);
    const auto in_pieces = decode(pool, budget, setup, payload, cut, step);
    const auto byte_by_byte = decode(pool, budget, setup, payload, 1, setup.limit);
    require(whole == in_pieces);
    require(whole == byte_by_byte);
    try_whole(pool, budget, setup, payload, whole);

    constexpr std::string_view kHello{"\xf2\x48\xcd\xc9\xc9\x07\x00", 7};
    const auto good = decode(pool, budget, {.limit = 100}, base::as_bytes(kHello), 2, 3);
    require(good.status == DecodeStatus::message_end && good.text == "Hello");
  }
  require(budget.used() == 0);
  return 0;
}
