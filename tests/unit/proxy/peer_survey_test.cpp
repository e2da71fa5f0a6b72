#include "proxy/peer_survey.hpp"

#include <algorithm>
#include <deque>
#include <set>

#include <catch2/catch.hpp>

#include "support/frame_bytes.hpp"
#include "support/session_rig.hpp"

using namespace wsproxy;
using test::FrameBytes;
using test::Peer;

namespace {

struct Guest {
  Peer client;
  std::unique_ptr<Peer> app;
  proxy::SessionPtr session;
  void leave() { session->cut("it leaves"); }
};

/// Sessions of one worker; the rig's own stays before its handshake and is in no table.
class Crowd {
 public:
  explicit Crowd(config::Config config = {}) : rig(std::move(config)) { rig.start_app(); }
  ~Crowd() {
    for (Guest& guest : guests) guest.leave();
  }

  /// A WebSocket connection.
  Guest& meet(const std::string& target) {
    Guest& guest = come(target);
    guest.app->say(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    rig.settle();
    REQUIRE(guest.client.hear().starts_with("HTTP/1.1 101 "));
    return guest;
  }
  /// One that the app has not answered.
  Guest& come(const std::string& target) {
    Guest& guest = guests.emplace_back();
    guest.session = rig.meet(guest.client);
    guest.client.say("GET " + target +
                     " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    rig.settle();
    guest.app = rig.app_is_called();
    REQUIRE(guest.app != nullptr);
    guest.app->hear();
    return guest;
  }
  void send(Guest& guest, std::size_t bytes) {
    guest.client.say(FrameBytes{}.fin().binary().masked().payload(std::string(bytes, 'x')).build());
    rig.settle();
  }
  /// What the app sends and the client does not read, until no more of it is taken.
  void choke(Guest& guest) {
    const std::string message(60'000, 'x');
    const auto frame = FrameBytes{}.fin().binary().payload(message).build();
    for (std::string left; !guest.session->is_paused();) {
      if (left.empty()) left = std::string{base::as_text(frame)};
      left.erase(0, guest.app->try_say(left));
      rig.settle();
    }
  }

  proxy::SessionRegistry& registry() { return rig.context().sessions; }
  proxy::PeerTables survey(std::size_t portion = 1000) {
    proxy::PeerSurvey survey(registry());
    while (survey.go_on(portion)) rig.settle();
    return survey.tables();
  }

  test::SessionRig rig;
  std::deque<Guest> guests;
};

std::vector<std::string> paths(const std::vector<proxy::Peer>& rows) {
  std::vector<std::string> result;
  for (const proxy::Peer& row : rows) result.push_back(row.path);
  return result;
}

using Paths = std::vector<std::string>;

}  // namespace

TEST_CASE("The largest connections are those with the most payload both ways, the largest first") {
  Crowd crowd;
  for (std::size_t i = 0; i < 15; ++i) {
    Guest& guest = crowd.meet("/" + std::to_string(i));
    crowd.send(guest, 10 + (i * 7) % 15);
  }
  // 7 i mod 15 is each of 0 to 14 once: 14 at 2, 13 at 4, ...
  for (const std::size_t portion : {1U, 4U, 1000U}) {
    const proxy::PeerTables tables = crowd.survey(portion);
    CHECK(tables.open == 16);
    CHECK(paths(tables.largest) == Paths{"/2", "/4", "/6", "/8", "/10", "/12", "/14", "/1", "/3", "/5"});
    CHECK(tables.slowest.empty());
  }
}

TEST_CASE("Only WebSocket connections are in the tables") {
  Crowd crowd;
  crowd.come("/asks");
  CHECK(crowd.survey().open == 2);
  CHECK(crowd.survey().largest.empty());
  crowd.meet("/is-there");
  CHECK(paths(crowd.survey().largest) == Paths{"/is-there"});
}

TEST_CASE("The slowest are those whose peers take less than they are sent") {
  Crowd crowd;
  for (int i = 0; i < 3; ++i) crowd.send(crowd.meet("/quick"), 5);
  crowd.choke(crowd.meet("/choked"));
  const proxy::PeerTables tables = crowd.survey();
  REQUIRE(paths(tables.slowest) == Paths{"/choked"});
  const proxy::Peer& peer = tables.slowest.front();
  CHECK(peer.weight.is_paused);
  CHECK(peer.weight.queued_bytes > 100'000);
  CHECK(peer.queued[telemetry::index(telemetry::Direction::to_client)] == peer.weight.queued_bytes);
  CHECK(peer.queued[telemetry::index(telemetry::Direction::to_app)] == 0);
}

TEST_CASE("A row has a connection's own figures, its labels and its path without the query") {
  config::Config config;
  config.listeners[0].name = "public";
  config.routes.push_back({{"", "/chat"}, config.upstream, config.compression, config.limits, "chat"});
  Crowd crowd(std::move(config));
  Guest& guest = crowd.meet("/" + std::string(300, 'p') + "?token=secret");
  crowd.send(guest, 100);
  const proxy::PeerTables tables = crowd.survey();
  const proxy::Peer& peer = tables.largest.at(0);
  CHECK(peer.client == "unix");
  CHECK(peer.listener == "public");
  CHECK(peer.route == "default");
  CHECK(peer.path == "/" + std::string(255, 'p'));
  CHECK(peer.relayed[telemetry::index(telemetry::Direction::to_app)].payload_bytes == 100);
  CHECK(peer.relayed[telemetry::index(telemetry::Direction::to_app)].message_count() == 1);
  CHECK(std::chrono::abs(std::chrono::system_clock::now() - peer.since) < std::chrono::minutes{1});
  CHECK(crowd.meet("/short?token=secret").session->facts().target == "/short?token=secret");
  CHECK(paths(crowd.survey().largest) == Paths{peer.path, "/short"});
}

TEST_CASE("Who leaves while others are looked at is in no table, and nobody is there twice") {
  Crowd crowd;
  for (std::size_t i = 0; i < 9; ++i) crowd.send(crowd.meet("/" + std::to_string(i)), 10 + i);
  proxy::PeerSurvey survey(crowd.registry());
  REQUIRE(survey.go_on(3));  // 8, 7 and 6
  crowd.guests[7].leave();   // 8 takes its place
  crowd.guests[1].leave();   // 8 takes that of one that was not looked at
  crowd.send(crowd.meet("/new"), 1000);
  while (survey.go_on(1)) crowd.rig.settle();
  const Paths seen = paths(survey.tables().largest);
  CHECK(seen == Paths{"/8", "/6", "/5", "/4", "/3", "/2", "/0"});
}

TEST_CASE("All may leave while some are looked at") {
  Crowd crowd;
  for (int i = 0; i < 5; ++i) crowd.meet("/");
  proxy::PeerSurvey survey(crowd.registry());
  REQUIRE(survey.go_on(2));
  for (Guest& guest : crowd.guests) guest.leave();
  crowd.rig.settle();
  while (survey.go_on(1)) crowd.rig.settle();
  CHECK(survey.tables().largest.empty());
}

TEST_CASE("Each session is visited once, also when it leaves during its visit") {
  for (const std::size_t leaving : {1U, 2U, 3U}) {
    Crowd crowd;
    for (int i = 0; i < 7; ++i) crowd.meet("/");
    std::multiset<proxy::Session*> visited;
    std::size_t left = crowd.registry().size();
    crowd.registry().for_each([&](proxy::Session& session) {
      visited.insert(&session);
      if (visited.size() % leaving == 0 && &session != &crowd.rig.session()) {
        session.cut("it leaves");
        --left;
      }
    });
    CHECK(visited.size() == 8);
    CHECK(std::set<proxy::Session*>(visited.begin(), visited.end()).size() == 8);
    CHECK(crowd.registry().size() == left);
  }
}
