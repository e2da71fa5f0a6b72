#include "script.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "frame.hpp"
#include "random.hpp"

namespace bench {
namespace {

constexpr std::size_t kPoolBytes = 4U << 20U;
// Connections start this far apart in the pool, so that they do not walk through it in step.
constexpr std::size_t kPoolStride = 37;

std::vector<Message> make_stream(const Scripts::Plan& plan, std::uint64_t seed, std::size_t count) {
  const auto corpus = make_corpus(plan.kind, seed);
  Random keys(~seed);
  std::optional<Deflater> deflater;
  if (plan.agreement.is_on) deflater.emplace(plan.agreement);
  std::vector<Message> stream(count);
  for (auto& message : stream) {
    message.payload = corpus->next();
    FrameHead head;
    head.opcode = is_text(plan.kind) ? Opcode::text : Opcode::binary;
    head.is_compressed = deflater.has_value();
    head.is_masked = true;
    const std::uint64_t key = keys.next();
    std::memcpy(head.key.data(), &key, head.key.size());
    append_frame(message.frame, head, deflater ? deflater->message(message.payload) : message.payload);
  }
  return stream;
}

}  // namespace

Scripts::Scripts(const Plan& plan) : is_shared_(!plan.agreement.is_on) {
  if (is_shared_) {
    const std::size_t count = std::clamp<std::size_t>(kPoolBytes / typical_size(plan.kind), 16, 4096);
    streams_.push_back(make_stream(plan, plan.seed, count));
    return;
  }
  for (std::size_t i = 0; i < plan.connections; ++i)
    streams_.push_back(make_stream(plan, plan.seed + i, plan.messages));
}

const Message& Scripts::at(std::size_t connection, std::size_t index) const {
  if (!is_shared_) return streams_[connection][index];
  const auto& pool = streams_.front();
  return pool[(connection * kPoolStride + index) % pool.size()];
}

}  // namespace bench
