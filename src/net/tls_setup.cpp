#include "net/tls_setup.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "net/tls_ticket_keys.hpp"

namespace wsproxy::net {
namespace {

std::string key_of_app(std::size_t number) {
  return number == 0 ? "upstream.tls" : fmt::format("routes[{}].upstream.tls", number - 1);
}

std::vector<const config::Upstream*> upstreams_of(const config::Config& config) {
  std::vector<const config::Upstream*> all{&config.upstream};
  for (const config::Route& route : config.routes) all.push_back(&route.upstream);
  return all;
}

}  // namespace

TlsSetup load_tls(const config::Config& config, TlsTicketKeys& tickets, TlsProblems& problems) {
  return reload_tls(config, tickets, {}, problems);
}

TlsSetup reload_tls(const config::Config& config, TlsTicketKeys& tickets, const TlsSetup& before,
                    TlsProblems& problems) {
  TlsSetup setup;
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const auto& tls = config.listeners[i].tls;
    const auto old = i < before.listeners.size() ? before.listeners[i] : nullptr;
    if (!tls) {
      setup.listeners.push_back(nullptr);
      continue;
    }
    const auto fresh =
        TlsServer::load(*tls, fmt::format("listeners[{}].tls", i), tickets, problems, old.get());
    setup.listeners.push_back(fresh ? fresh : old);
  }
  const auto upstreams = upstreams_of(config);
  for (std::size_t i = 0; i < upstreams.size(); ++i) {
    const config::UpstreamTls& tls = upstreams[i]->tls;
    const auto end = upstreams.begin() + static_cast<std::ptrdiff_t>(i);
    // A route with the same settings, most often those that it inherits, shares what there is.
    const auto same = std::find_if(upstreams.begin(), end, [&](const config::Upstream* other) {
      return other->url.tls && other->tls == tls;
    });
    if (!upstreams[i]->url.tls) {
      setup.apps.push_back(nullptr);
    } else if (same != end) {
      setup.apps.push_back(setup.apps[static_cast<std::size_t>(same - upstreams.begin())]);
    } else {
      const auto old = i < before.apps.size() ? before.apps[i] : nullptr;
      const auto fresh = TlsClient::load(tls, key_of_app(i), problems, old.get());
      setup.apps.push_back(fresh ? fresh : old);
    }
  }
  return setup;
}

std::vector<std::string> tls_files(const config::Config& config) {
  std::vector<std::string> files;
  const auto add = [&files](const std::string& file) {
    if (!file.empty() && std::ranges::find(files, file) == files.end()) files.push_back(file);
  };
  for (const config::Listener& listener : config.listeners) {
    if (!listener.tls) continue;
    for (const std::string* file : {&listener.tls->certificate, &listener.tls->private_key,
                                    &listener.tls->client_ca, &listener.tls->client_crl}) {
      add(*file);
    }
    for (const config::Certificate& one : listener.tls->additional) {
      add(one.certificate);
      add(one.private_key);
    }
  }
  for (const config::Upstream* upstream : upstreams_of(config)) {
    if (!upstream->url.tls) continue;
    for (const std::string* file :
         {&upstream->tls.ca, &upstream->tls.certificate, &upstream->tls.private_key}) {
      add(*file);
    }
  }
  return files;
}

}  // namespace wsproxy::net
