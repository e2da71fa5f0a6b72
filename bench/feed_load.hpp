#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "connection.hpp"
#include "load_kind.hpp"
#include "random.hpp"

namespace bench {

/// Subscribers of feeds connect through the proxy, one publisher a feed straight to the app. A feed's
/// next broadcast is published when all its subscribers have the last one; every delivery is checked.
class FeedLoad : public Load {
 public:
  explicit FeedLoad(const LoadOptions& options) : options_(options) {}
  void connect() override;
  void warm_up() override;
  Result run() override;
  void disconnect() override;
  bool is_compressed() const override { return is_compressed_; }

 private:
  using Text = std::shared_ptr<const std::string>;
  struct Subscriber {
    Connection connection;
    std::size_t feed;
    std::deque<Text> expected{};
  };
  struct Feed {
    Connection publisher;
    std::unique_ptr<Corpus> broadcasts;
    std::unique_ptr<Corpus> privates;
    Random random;
    std::vector<std::size_t> subscribers{};
    std::size_t left_to_publish = 0;
    std::size_t left_to_come = 0;
    std::int64_t published_at_ns = 0;
  };

  void greet();
  void run_rounds(std::size_t rounds, Result& result);
  void publish(Feed& feed);
  void publish_private(Feed& feed, std::size_t member);
  void collect(const Poller::Event& event, Result& result);
  void count_bytes(Result& result, int sign) const;

  LoadOptions options_;
  bool is_compressed_ = false;
  std::vector<Feed> feeds_;
  std::vector<Subscriber> subscribers_;
  std::size_t busy_feeds_ = 0;
  Poller poller_;
};

}  // namespace bench
