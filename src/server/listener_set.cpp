#include "server/listener_set.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <system_error>

namespace wsproxy::server {

using telemetry::Level;

namespace {

net::Target target_of(const config::Address& address) {
  return {address.host, address.port, address.unix_path};
}

/// Whether the one may keep the other from being bound; in doubt, with a name, yes.
bool may_clash(const config::Address& a, const config::Address& b) {
  if (a.is_unix() || b.is_unix()) return a.unix_path == b.unix_path;
  if (a.port != b.port) return false;
  boost::system::error_code a_is_name, b_is_name;
  const auto one = boost::asio::ip::make_address(a.host, a_is_name);
  const auto other = boost::asio::ip::make_address(b.host, b_is_name);
  return a_is_name || b_is_name || one == other || one.is_unspecified() || other.is_unspecified();
}

}  // namespace

ListenerSet::ListenerSet(net::IoContext& io, telemetry::Log& log, OnAccept on_accept)
    : io_(io), log_(log), on_accept_(std::move(on_accept)) {
}

void ListenerSet::change(const std::vector<config::Listener>& wanted) {
  const std::vector<Open*> same = find_same(wanted);
  std::vector<Open*> leaving;
  for (const OpenPtr& one : open_) {
    if (std::ranges::find(same, one.get()) == same.end()) leaving.push_back(one.get());
  }
  std::vector<OpenPtr> fresh(wanted.size());
  std::vector<Open*> gone;
  try {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (same[i] == nullptr) fresh[i] = open_instead(wanted[i].address, leaving, gone);
    }
  } catch (...) {
    fresh.clear();
    reopen(gone);
    throw;
  }
  for (Open* one : leaving) {
    one->socket->finish();
    log_.write(Level::info, "no longer listening",
               {{"listener", names_[one->place]}, {"address", net::text(target_of(one->address))}});
  }
  std::vector<OpenPtr> next;
  names_.clear();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto kept =
        std::ranges::find_if(open_, [&](const OpenPtr& one) { return one && one.get() == same[i]; });
    next.push_back(kept != open_.end() ? std::move(*kept) : std::move(fresh[i]));
    next.back()->place = i;
    names_.push_back(wanted[i].label());
    if (same[i] != nullptr) continue;
    tell_open(wanted[i], *next.back());
    if (has_started_) next.back()->socket->start();
  }
  open_ = std::move(next);
}

std::vector<ListenerSet::Open*> ListenerSet::find_same(const std::vector<config::Listener>& wanted) const {
  std::vector<Open*> same;
  for (const config::Listener& listener : wanted) {
    const auto found = std::ranges::find_if(open_, [&](const OpenPtr& one) {
      // Several may have port 0.
      return one->address == listener.address && std::ranges::find(same, one.get()) == same.end();
    });
    same.push_back(found != open_.end() ? found->get() : nullptr);
  }
  return same;
}

ListenerSet::OpenPtr ListenerSet::open(const config::Address& address) {
  auto opened = std::make_unique<Open>();
  opened->address = address;
  opened->socket = std::make_unique<net::Listener>(
      io_, target_of(address),
      [this, self = opened.get()](net::AcceptedSocket socket) { on_accept_(std::move(socket), self->place); },
      [this](const net::error_code& error) {
        log_.write(Level::error, "cannot accept connections", {{"reason", error.message()}});
      });
  return opened;
}

ListenerSet::OpenPtr ListenerSet::open_instead(const config::Address& address,
                                               const std::vector<Open*>& leaving, std::vector<Open*>& gone) {
  for (;;) {
    try {
      return open(address);
    } catch (const std::system_error& error) {
      if (error.code() != std::errc::address_in_use) throw;
      const auto rival = std::ranges::find_if(leaving, [&](Open* one) {
        return may_clash(one->address, address) && std::ranges::find(gone, one) == gone.end();
      });
      if (rival == leaving.end()) throw;
      (*rival)->socket->finish();
      gone.push_back(*rival);
    }
  }
}

void ListenerSet::reopen(const std::vector<Open*>& gone) {
  for (Open* one : gone) {
    try {
      OpenPtr again = open(one->address);
      // The callback is that of another place in memory.
      const auto place =
          std::ranges::find_if(open_, [&](const OpenPtr& other) { return other.get() == one; });
      again->place = one->place;
      *place = std::move(again);
      if (has_started_) (*place)->socket->start();
    } catch (const std::exception& error) {
      log_.write(Level::error, "a listener could not be opened again",
                 {{"listener", names_[one->place]}, {"reason", error.what()}});
      // The next configuration that has it opens it.
      std::erase_if(open_, [&](const OpenPtr& other) { return other.get() == one; });
    }
  }
}

void ListenerSet::tell_open(const config::Listener& listener, const Open& open) const {
  net::Target target = target_of(open.address);
  if (!open.address.is_unix()) target.port = open.socket->port();
  log_.write(Level::info, "listening", {{"listener", listener.label()}, {"address", net::text(target)}});
}

void ListenerSet::start() {
  has_started_ = true;
  for (const OpenPtr& one : open_) one->socket->start();
}

void ListenerSet::finish() {
  for (const OpenPtr& one : open_) one->socket->finish();
}

void ListenerSet::stop() {
  for (const OpenPtr& one : open_) one->socket->stop();
}

}  // namespace wsproxy::server
