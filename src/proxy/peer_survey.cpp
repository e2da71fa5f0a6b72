#include "proxy/peer_survey.hpp"

#include <algorithm>

#include "proxy/destination.hpp"

namespace wsproxy::proxy {

using telemetry::Direction;

namespace {

PeerWeight weight_of(Session& session) {
  PeerWeight weight;
  for (const auto& direction : session.facts().relayed) weight.payload_bytes += direction.payload_bytes;
  for (const Leg leg : {Leg::client, Leg::app}) weight.queued_bytes += session.wire(leg).queue.size();
  weight.is_paused = session.is_paused();
  return weight;
}

std::string cut(std::string text) {
  if (text.size() > PeerTables::kTextBytes) text.resize(PeerTables::kTextBytes);
  return text;
}

Peer describe(const PeerWeight& weight, Session& session) {
  const SessionFacts& facts = session.facts();
  const config::Config& config = session.config();
  Peer peer;
  peer.weight = weight;
  peer.client = cut(session.client());
  peer.listener = config.listeners[session.listener()].label();
  peer.route = route_label(config, session.app_number());
  peer.path = cut(facts.target.substr(0, facts.target.find('?')));
  peer.since =
      std::chrono::system_clock::now() -
      std::chrono::duration_cast<std::chrono::system_clock::duration>(net::Clock::now() - session.started());
  peer.relayed = facts.relayed;
  peer.queued[telemetry::index(Direction::to_client)] = session.wire(Leg::client).queue.size();
  peer.queued[telemetry::index(Direction::to_app)] = session.wire(Leg::app).queue.size();
  return peer;
}

}  // namespace

bool PeerSurvey::go_on(std::size_t most) {
  // Backwards, as for_each: who takes a free place comes from the end, and has been looked at or is new.
  left_ = std::min(left_, sessions_.size());
  for (; most > 0 && left_ > 0; --most) {
    Session& session = sessions_.at(--left_);
    if (!session.is_relayed()) continue;
    const PeerWeight weight = weight_of(session);
    consider(largest_, weight, session, is_larger);
    if (weight.is_slow()) consider(slowest_, weight, session, is_slower);
  }
  return left_ > 0;
}

void PeerSurvey::consider(Entries& entries, const PeerWeight& weight, Session& session, Order comes_before) {
  const bool is_full = entries.size() == PeerTables::kRows;
  if (is_full && !comes_before(weight, entries.back().weight)) return;
  // One that took the place of another may be seen a second time.
  if (std::ranges::any_of(entries, [&](const Entry& entry) { return entry.session.get() == &session; }))
    return;
  if (is_full) entries.pop_back();
  const auto place = std::ranges::upper_bound(entries, weight, comes_before, &Entry::weight);
  entries.insert(place, {weight, SessionPtr{&session}});
}

PeerTables PeerSurvey::tables() const {
  PeerTables tables;
  tables.open = sessions_.size();
  const auto add = [](std::vector<Peer>& rows, const Entries& entries) {
    for (const auto& [weight, session] : entries) {
      if (session->is_relayed()) rows.push_back(describe(weight, *session));
    }
  };
  add(tables.largest, largest_);
  add(tables.slowest, slowest_);
  return tables;
}

}  // namespace wsproxy::proxy
