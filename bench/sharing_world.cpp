#include "sharing_world.hpp"

#include <ctime>
#include <deque>
#include <memory>
#include <optional>

#include "random.hpp"

namespace bench {
namespace {

using namespace wsproxy;

constexpr std::size_t kOwnReach = 8192;
constexpr std::size_t kHousekeeping = 400;  // broadcasts a round

double cpu_nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

struct Member {
  std::vector<bool> is_in;  // by feed
  std::optional<deflate::SharedPlace> place;
  std::unique_ptr<deflate::History> history;
};

class World {
 public:
  World(const Audience& audience, const Traffic& traffic, const Way& way)
      : audience_(audience),
        traffic_(traffic),
        way_(way),
        histories_(encoders_, budget_, 1, way.tuning),
        members_(audience.connections) {
    for (std::size_t i = 0; i < members_.size(); ++i) join(members_[i], i);
    for (std::size_t i = 0; i < audience.feeds; ++i) feeds_.push_back(make_corpus(traffic.kind, 100 + i));
  }

  Result run(std::size_t broadcasts) {
    for (std::size_t i = 0; i < broadcasts; ++i) broadcast();
    compressed_ = deliveries_ = 0;
    feed_ = private_ = {};
    cpu_ = 0;
    for (std::size_t i = 0; i < broadcasts; ++i) broadcast();
    encoders_.retire_all();
    const auto deliveries = static_cast<double>(deliveries_);
    return {.wire = (feed_.wire + private_.wire) / (feed_.payload + private_.payload),
            .feed_wire = feed_.wire / feed_.payload,
            .compressed = static_cast<double>(compressed_) / deliveries,
            .nanoseconds = cpu_ / deliveries,
            .kilobytes = static_cast<double>(budget_.used()) / 1024};
  }

 private:
  struct Sum {
    double wire = 0;
    double payload = 0;
  };

  void join(Member& member, std::size_t number) {
    member.is_in.assign(audience_.feeds, false);
    if (audience_.feeds_each == 1) {
      member.is_in[number % audience_.feeds] = true;
    } else {
      for (std::size_t chosen = 0; chosen < audience_.feeds_each;) {
        const std::size_t feed = random_.below(audience_.feeds);
        if (!member.is_in[feed]) ++chosen;
        member.is_in[feed] = true;
      }
    }
    if (way_.is_shared) {
      member.place.emplace(histories_, std::uint8_t{15});
    } else {
      member.history =
          std::make_unique<deflate::History>(kOwnReach, deflate::History::Keep::may_forget, budget_);
    }
  }

  void broadcast() {
    if (audience_.newcomer_every > 0 && number_ % audience_.newcomer_every == 0) {
      const std::size_t who = random_.below(members_.size());
      join(members_[who], who);
    }
    if (++number_ % kHousekeeping == 0) {
      encoders_.retire_unused();
      histories_.evict_unused();
    }
    const std::size_t feed = random_.below(audience_.feeds);
    const std::string message = feeds_[feed]->next();
    prepare_private(feed);
    const double before = cpu_nanoseconds();
    std::size_t next = 0;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (!members_[i].is_in[feed]) continue;
      if (next < privates_.size() && privates_[next].to == i) {
        ++deliveries_;
        const std::string& text = privates_[next++].text;
        private_.payload += static_cast<double>(text.size());
        private_.wire += static_cast<double>(send_private(members_[i], text));
      }
      ++deliveries_;
      feed_.payload += static_cast<double>(message.size());
      feed_.wire += static_cast<double>(send(members_[i], message));
    }
    cpu_ += cpu_nanoseconds() - before;
  }

  void prepare_private(std::size_t feed) {
    privates_.clear();
    const double chance = traffic_.private_share / (1 - traffic_.private_share);
    for (std::size_t i = 0; i < members_.size(); ++i)
      if (members_[i].is_in[feed] && random_.chance(chance)) privates_.push_back({i, private_text()});
  }

  std::string private_text() {
    std::string text = own_->next();
    if (traffic_.private_size == 0) return text;
    while (text.size() < traffic_.private_size) text += own_->next();
    text.resize(traffic_.private_size);
    return text;
  }

  std::size_t send_private(Member& member, const std::string& message) {
    if (traffic_.privates == Private::raw) return message.size();
    const std::size_t size = send(member, message);
    if (traffic_.privates == Private::restart && member.place) member.place->forget();
    return size;
  }

  std::size_t send(Member& member, const std::string& message) {
    const base::Bytes text = base::as_bytes(message);
    out_.clear();
    if (member.place) {
      if (const base::Bytes known = histories_.known(*member.place, text); !known.empty())
        return known.size();
      ++compressed_;
      const bool shrank = histories_.compress(*member.place, text, histories_.hash(text),
                                              method(text.size(), member.place->size()), out_);
      return shrank ? out_.size() : text.size();
    }
    ++compressed_;
    const auto shape =
        deflate::fitted_shape(method(text.size(), member.history->size()), 15, kOwnReach, text.size());
    return encoders_.compress(text, shape, member.history.get(), out_) ? out_.size() : text.size();
  }

  static deflate::Method method(std::size_t size, std::size_t past) {
    return deflate::method_for(deflate::EngineChoice::automatic, 6, size, past > 0);
  }

  struct Note {
    std::size_t to;
    std::string text;
  };

  Audience audience_;
  Traffic traffic_;
  Way way_;
  Random random_{1};
  deflate::Budget budget_{std::size_t{1} << 30U};
  deflate::EncoderPool encoders_{128, budget_};
  deflate::SharedHistories histories_;
  std::deque<Member> members_;
  std::vector<std::unique_ptr<Corpus>> feeds_;
  std::unique_ptr<Corpus> own_ = make_corpus(traffic_.kind, 7);
  std::vector<Note> privates_;
  base::ByteQueue out_;
  std::size_t number_ = 0;
  std::size_t compressed_ = 0;
  std::size_t deliveries_ = 0;
  Sum feed_;
  Sum private_;
  double cpu_ = 0;
};

}  // namespace

Result run(const Audience& audience, const Traffic& traffic, const Way& way, std::size_t broadcasts) {
  return World{audience, traffic, way}.run(broadcasts);
}

}  // namespace bench
