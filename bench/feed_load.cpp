#include "feed_load.hpp"

#include <stdexcept>

namespace bench {
namespace {

std::string masked_frame(Opcode opcode, std::string_view payload) {
  FrameHead head;
  head.opcode = opcode;
  head.is_masked = true;
  std::string frame;
  append_frame(frame, head, payload);
  return frame;
}

}  // namespace

void FeedLoad::connect() {
  for (std::size_t i = 0; i < options_.feeds; ++i) {
    feeds_.push_back(
        {.publisher = Connection(Endpoint{options_.app_port}, "/publish/" + std::to_string(i), ""),
         .broadcasts = make_corpus(options_.kind, options_.seed + i),
         .privates = make_corpus(options_.kind, options_.seed + 100000 + i),
         .random = Random(options_.seed + i)});
    // Publishers get nothing but room to write.
    poller_.add(feeds_.back().publisher.channel().socket(), options_.connections + i);
  }
  subscribers_.reserve(options_.connections);
  for (std::size_t i = 0; i < options_.connections; ++i) {
    Feed& feed = feeds_[i % feeds_.size()];
    const std::string path =
        "/feed/" + std::to_string(i % feeds_.size()) + "/" + std::to_string(feed.subscribers.size());
    subscribers_.push_back({Connection(options_.server, path, options_.offer()), i % feeds_.size()});
    feed.subscribers.push_back(i);
    is_compressed_ = subscribers_.back().connection.agreement().is_on;
    poller_.add(subscribers_.back().connection.channel().socket(), i);
  }
}

void FeedLoad::warm_up() {
  greet();
  Result ignored;
  run_rounds(options_.warmup, ignored);
}

Result FeedLoad::run() {
  Result result;
  result.tls = subscribers_.front().connection.channel().tls_description();
  count_bytes(result, -1);
  const std::int64_t start = now_ns();
  run_rounds(options_.messages, result);
  result.seconds = static_cast<double>(now_ns() - start) * 1e-9;
  count_bytes(result, +1);
  return result;
}

void FeedLoad::disconnect() {
  for (auto& subscriber : subscribers_) subscriber.connection.say_goodbye();
  subscribers_.clear();
  feeds_.clear();
}

void FeedLoad::greet() {
  // A proxy may answer the upgrade before it has reached the app; who has an echo is a member there.
  const auto hello = std::make_shared<const std::string>("hello");
  Result ignored;
  for (auto& subscriber : subscribers_) {
    subscriber.expected.push_back(hello);
    ++feeds_[subscriber.feed].left_to_come;
    subscriber.connection.send(masked_frame(Opcode::text, *hello));
  }
  while (ignored.messages < subscribers_.size())
    for (const auto& event : poller_.wait())
      if (event.tag < subscribers_.size()) collect(event, ignored);
}

void FeedLoad::run_rounds(std::size_t rounds, Result& result) {
  if (rounds == 0) return;
  busy_feeds_ = feeds_.size();
  for (auto& feed : feeds_) {
    feed.left_to_publish = rounds;
    publish(feed);
  }
  while (busy_feeds_ > 0)
    for (const auto& event : poller_.wait())
      if (event.tag < subscribers_.size())
        collect(event, result);
      else
        feeds_[event.tag - options_.connections].publisher.flush();
}

void FeedLoad::publish(Feed& feed) {
  --feed.left_to_publish;
  feed.published_at_ns = now_ns();
  for (std::size_t member = 0; member < feed.subscribers.size(); ++member)
    if (feed.random.chance(options_.private_share)) publish_private(feed, member);
  const auto text = std::make_shared<const std::string>(feed.broadcasts->next());
  for (const std::size_t index : feed.subscribers) subscribers_[index].expected.push_back(text);
  feed.left_to_come += feed.subscribers.size();
  feed.publisher.send(masked_frame(Opcode::text, *text));
}

void FeedLoad::publish_private(Feed& feed, std::size_t member) {
  const auto text = std::make_shared<const std::string>(feed.privates->next());
  subscribers_[feed.subscribers[member]].expected.push_back(text);
  ++feed.left_to_come;
  // The app takes binary as four octets with a subscriber's number and the text for that one only.
  std::string payload;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) payload += static_cast<char>(member >> shift & 0xffU);
  feed.publisher.send(masked_frame(Opcode::binary, payload + *text));
}

void FeedLoad::collect(const Poller::Event& event, Result& result) {
  Subscriber& subscriber = subscribers_[event.tag];
  Feed& feed = feeds_[subscriber.feed];
  subscriber.connection.read([&](Opcode opcode, std::string_view text) {
    if (opcode != Opcode::text || subscriber.expected.empty() || text != *subscriber.expected.front())
      throw std::runtime_error("a delivery differs from what was published");
    subscriber.expected.pop_front();
    ++result.messages;
    result.payload_bytes += text.size();
    result.latencies_ns.push_back(now_ns() - feed.published_at_ns);
    --feed.left_to_come;
  });
  // Events of a feed that has ended, or that came without a message, must not start anything.
  if (feed.left_to_come > 0 || feed.published_at_ns == 0) return;
  feed.published_at_ns = 0;
  if (feed.left_to_publish > 0)
    publish(feed);
  else
    --busy_feeds_;
}

void FeedLoad::count_bytes(Result& result, int sign) const {
  for (const auto& subscriber : subscribers_) {
    const Channel& channel = subscriber.connection.channel();
    result.received_bytes += channel.received_bytes() * static_cast<std::uint64_t>(sign);
    result.sent_bytes += channel.sent_bytes() * static_cast<std::uint64_t>(sign);
  }
}

}  // namespace bench
