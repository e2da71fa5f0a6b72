#include "proxy/peer_tables.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace wsproxy::proxy {

namespace {

using Order = bool (*)(const PeerWeight&, const PeerWeight&);

void merge_rows(std::vector<Peer>& into, std::vector<Peer> from, Order comes_before) {
  std::ranges::move(from, std::back_inserter(into));
  std::ranges::stable_sort(into, comes_before, &Peer::weight);
  if (into.size() > PeerTables::kRows) into.resize(PeerTables::kRows);
}

}  // namespace

bool is_larger(const PeerWeight& a, const PeerWeight& b) {
  return a.payload_bytes > b.payload_bytes;
}

bool is_slower(const PeerWeight& a, const PeerWeight& b) {
  return std::tuple{a.queued_bytes, a.is_paused} > std::tuple{b.queued_bytes, b.is_paused};
}

void merge(PeerTables& into, PeerTables from) {
  into.open += from.open;
  merge_rows(into.largest, std::move(from.largest), is_larger);
  merge_rows(into.slowest, std::move(from.slowest), is_slower);
}

}  // namespace wsproxy::proxy
