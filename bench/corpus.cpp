#include "corpus.hpp"

#include <cstdio>
#include <vector>

#include "random.hpp"
#include "words.hpp"

namespace bench {
namespace {

// Every stream lives in the world made from this seed.
constexpr std::uint64_t kWorldSeed = 20241117;
constexpr std::uint64_t kEpochMs = 1731801600000;
// Message ids count milliseconds from an epoch of their own, about ten years back.
constexpr std::uint64_t kIdEpochMs = kEpochMs - 305'000'000'000;

std::string pick_code(Random& random, char prefix, std::size_t length) {
  constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::string code(1, prefix);
  while (code.size() <= length) code += kAlphabet[random.below(kAlphabet.size())];
  return code;
}

std::string sentence(Random& random, const Zipf& usage, std::size_t word_count) {
  std::string text;
  for (std::size_t i = 0; i < word_count; ++i) {
    if (i != 0) text += random.chance(0.06) ? ", " : " ";
    text += words()[usage.pick(random)];
  }
  if (random.chance(0.5)) text += random.chance(0.3) ? "?" : (random.chance(0.2) ? "!" : ".");
  return text;
}

std::string quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

std::string decimal(double value, const char* format) {
  char text[32];
  // The formats are the literals below; the compiler cannot see that.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  const int length = std::snprintf(text, sizeof text, format, value);
#pragma GCC diagnostic pop
  return {text, static_cast<std::size_t>(length)};
}

struct Person {
  std::string id;
  std::string name;
};

std::vector<Person> make_people(Random& random, std::size_t count) {
  std::vector<Person> people;
  for (std::size_t i = 0; i < count; ++i) {
    const auto first = first_names()[random.below(first_names().size())];
    const auto last = last_names()[random.below(last_names().size())];
    people.push_back({pick_code(random, 'U', 8), std::string(first) + "." + std::string(last)});
  }
  return people;
}

/// Messages, replies and reactions of 60 users in 8 rooms; ids are of the time-ordered 64-bit kind.
class Chat : public Corpus {
 public:
  explicit Chat(std::uint64_t seed) : random_(seed) {
    Random world(kWorldSeed);
    people_ = make_people(world, 60);
    for (int i = 0; i < 8; ++i) rooms_.push_back(pick_code(world, 'C', 8));
  }

  std::string next() override {
    for (;;) {
      std::string message = compose();
      if (message.size() >= 150 && message.size() <= 400) return message;
    }
  }

 private:
  std::string compose() {
    now_ms_ += random_.between(40, 9000);
    const std::string id = std::to_string(((now_ms_ - kIdEpochMs) << 22U) + random_.below(1U << 17U));
    const auto& author = people_[speakers_.pick(random_)];
    const bool reaction = random_.chance(0.1);
    std::string json = std::string(R"({"type":)") + (reaction ? R"("reaction")" : R"("message")") +
                       R"(,"id":)" + quoted(id) + R"(,"room":)" + quoted(rooms_[room_usage_.pick(random_)]) +
                       R"(,"user":{"id":)" + quoted(author.id) + R"(,"name":)" + quoted(author.name) +
                       R"(},"ts":)" + std::to_string(now_ms_);
    if (reaction)
      add_reaction(json);
    else
      add_text(json);
    recent_.push_back(id);
    if (recent_.size() > 20) recent_.erase(recent_.begin());
    return json + "}";
  }

  void add_reaction(std::string& json) {
    constexpr std::string_view kEmoji[] = {"thumbsup", "heart", "joy",    "eyes",
                                           "tada",     "pray",  "rocket", "100"};
    json += R"(,"target":)" + quoted(any_recent()) + R"(,"emoji":)" + quoted(kEmoji[random_.below(8)]);
  }

  void add_text(std::string& json) {
    if (random_.chance(0.15)) json += R"(,"reply_to":)" + quoted(any_recent());
    if (random_.chance(0.1)) json += R"(,"mentions":[)" + quoted(people_[speakers_.pick(random_)].id) + "]";
    json += R"(,"edited":)" + std::string(random_.chance(0.04) ? "true" : "false");
    json += R"(,"attachments":[],"text":)" + quoted(chatter());
  }

  /// Stock phrases and free text in turn; most messages are a line, some are a paragraph.
  std::string chatter() {
    std::string text;
    const std::size_t parts = random_.chance(0.8) ? random_.between(1, 2) : random_.between(3, 4);
    for (std::size_t i = 0; i < parts; ++i) {
      if (i != 0) text += " ";
      text += random_.chance(0.35) ? std::string(phrases()[phrase_usage_.pick(random_)])
                                   : sentence(random_, usage_, random_.between(3, 16));
    }
    return text;
  }

  std::string any_recent() { return recent_.empty() ? "0" : recent_[random_.below(recent_.size())]; }

  Random random_;
  std::vector<Person> people_;
  std::vector<std::string> rooms_;
  std::vector<std::string> recent_;
  Zipf speakers_{60};
  Zipf room_usage_{8};
  Zipf usage_{words().size()};
  Zipf phrase_usage_{phrases().size()};
  std::uint64_t now_ms_ = kEpochMs;
};

/// 400 entities that move and change; a message carries those that changed.
class State : public Corpus {
 public:
  explicit State(std::uint64_t seed) : random_(seed) {
    Random world(kWorldSeed);
    constexpr std::string_view kKinds[] = {"vehicle", "depot", "parcel", "driver"};
    const auto people = make_people(world, 60);
    for (int i = 0; i < 400; ++i)
      entities_.push_back({pick_code(world, 'E', 10), std::string(kKinds[world.below(4)]),
                           people[world.below(people.size())].name, 48.0 + world.unit(), 11.0 + world.unit(),
                           world.unit() * 100});
  }

  std::string next() override {
    const std::size_t wanted = random_.between(2048, 8000);
    std::string json = R"({"op":"patch","version":)" + std::to_string(++version_) + R"(,"entities":[)";
    while (json.size() + 230 < wanted) {
      if (json.back() != '[') json += ",";
      add_entity(json, entities_[busy_.pick(random_)]);
    }
    return json + "]}";
  }

 private:
  struct Entity {
    std::string id, kind, owner;
    double latitude, longitude, charge;
    std::size_t status = 0;
  };

  void add_entity(std::string& json, Entity& entity) {
    constexpr std::string_view kStatus[] = {"moving", "waiting", "loading", "offline"};
    if (random_.chance(0.2)) entity.status = random_.below(4);
    entity.latitude += (random_.unit() - 0.5) * 0.01;
    entity.longitude += (random_.unit() - 0.5) * 0.01;
    entity.charge = entity.charge < 1 ? 100 : entity.charge - random_.unit() * 0.5;
    now_ms_ += random_.between(1, 50);
    json += R"({"id":)" + quoted(entity.id) + R"(,"__typename":)" + quoted(entity.kind) + R"(,"owner":)" +
            quoted(entity.owner) + R"(,"status":)" + quoted(kStatus[entity.status]) +
            R"(,"position":{"lat":)" + decimal(entity.latitude, "%.5f") + R"(,"lon":)" +
            decimal(entity.longitude, "%.5f") + R"(},"charge":)" + decimal(entity.charge, "%.1f") +
            R"(,"alarm":null,"updatedAt":)" + std::to_string(now_ms_) + "}";
  }

  Random random_;
  std::vector<Entity> entities_;
  Zipf busy_{400};
  std::uint64_t version_ = 1000;
  std::uint64_t now_ms_ = kEpochMs;
};

/// Pages of orders: about 150 of them, from 300 products and 60 customers.
class Doc : public Corpus {
 public:
  Doc(std::uint64_t seed, std::size_t size) : random_(seed), size_(size) {
    Random world(kWorldSeed);
    people_ = make_people(world, 60);
    for (int i = 0; i < 300; ++i)
      products_.push_back({pick_code(world, 'P', 7), sentence(world, usage_, 3), world.between(199, 49999)});
  }

  std::string next() override {
    std::string json = R"({"page":)" + std::to_string(++page_) + R"(,"orders":[)";
    while (json.size() < size_) add_order(json);
    json += "]}";
    return json;
  }

 private:
  struct Product {
    std::string sku, title;
    std::size_t cents;
  };

  void add_order(std::string& json) {
    if (json.back() != '[') json += ",";
    now_ms_ += random_.between(1000, 90000);
    const auto& customer = people_[random_.below(people_.size())];
    json += R"({"order":)" + quoted(std::to_string(random_.next() % 10000000000ULL)) + R"(,"placed":)" +
            std::to_string(now_ms_) + R"(,"customer":{"id":)" + quoted(customer.id) + R"(,"name":)" +
            quoted(customer.name) + R"(},"note":)" + quoted(sentence(random_, usage_, random_.below(12))) +
            R"(,"items":[)";
    for (std::size_t i = random_.between(1, 5); i > 0; --i) {
      const auto& product = products_[random_.below(products_.size())];
      json += R"({"sku":)" + quoted(product.sku) + R"(,"title":)" + quoted(product.title) +
              R"(,"quantity":)" + std::to_string(random_.between(1, 9)) + R"(,"price":)" +
              decimal(static_cast<double>(product.cents) / 100, "%.2f") + (i > 1 ? "}," : "}");
    }
    json += "]}";
  }

  Random random_;
  std::size_t size_;
  std::vector<Person> people_;
  std::vector<Product> products_;
  Zipf usage_{words().size()};
  std::uint64_t page_ = 0;
  std::uint64_t now_ms_ = kEpochMs;
};

class Noise : public Corpus {
 public:
  explicit Noise(std::uint64_t seed) : random_(seed) {}
  std::string next() override {
    std::string bytes(4096, '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random_.below(256));
    return bytes;
  }

 private:
  Random random_;
};

class Large : public Corpus {
 public:
  explicit Large(std::uint64_t seed) : doc_(seed, 65536) {}
  std::string next() override { return doc_.next().substr(0, 65536); }

 private:
  Doc doc_;
};

struct KindName {
  std::string_view name;
  Kind kind;
  std::size_t size;
};
constexpr KindName kKindNames[] = {{"chat", Kind::chat, 250},
                                   {"state", Kind::state, 5000},
                                   {"doc", Kind::doc, 64000},
                                   {"random", Kind::random, 4096},
                                   {"large", Kind::large, 65536}};

}  // namespace

std::optional<Kind> kind_from(std::string_view name) {
  for (const auto& entry : kKindNames)
    if (entry.name == name) return entry.kind;
  return std::nullopt;
}

std::size_t typical_size(Kind kind) {
  return kKindNames[static_cast<std::size_t>(kind)].size;
}
bool is_text(Kind kind) {
  return kind != Kind::random;
}

std::unique_ptr<Corpus> make_corpus(Kind kind, std::uint64_t seed) {
  switch (kind) {
    case Kind::chat:
      return std::make_unique<Chat>(seed);
    case Kind::state:
      return std::make_unique<State>(seed);
    case Kind::doc:
      return std::make_unique<Doc>(seed, 64000);
    case Kind::random:
      return std::make_unique<Noise>(seed);
    case Kind::large:
      return std::make_unique<Large>(seed);
  }
  return nullptr;
}

}  // namespace bench
