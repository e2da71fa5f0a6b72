#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "net/listener.hpp"
#include "telemetry/log.hpp"

namespace wsproxy::server {

/// The listeners of the configuration that is in force. On the main thread.
class ListenerSet {
 public:
  /// `listener` is its place in that configuration.
  using OnAccept = std::function<void(net::AcceptedSocket socket, std::size_t listener)>;

  /// Both outlive this. Nothing is open yet.
  ListenerSet(net::IoContext& io, telemetry::Log& log, OnAccept on_accept);

  /// Opens what is new in `wanted`, keeps what has the same address, and closes the rest. Either all of it,
  /// or it throws std::exception with one line for the operator and everything is as before.
  void change(const std::vector<config::Listener>& wanted);
  /// Those that are open, and those to come, accept from now on.
  void start();
  /// Hands over who has connected already and closes all.
  void finish();
  void stop();

 private:
  struct Open {
    config::Address address;
    std::unique_ptr<net::Listener> socket;
    std::size_t place = 0;
  };
  using OpenPtr = std::unique_ptr<Open>;

  /// In the order of `wanted`; nothing where none is open with that address.
  std::vector<Open*> find_same(const std::vector<config::Listener>& wanted) const;
  OpenPtr open(const config::Address& address);
  /// For the case that one of `leaving` has its port, which leaves for it then and is put into `gone`.
  OpenPtr open_instead(const config::Address& address, const std::vector<Open*>& leaving,
                       std::vector<Open*>& gone);
  void reopen(const std::vector<Open*>& gone);
  void tell_open(const config::Listener& listener, const Open& open) const;

  net::IoContext& io_;
  telemetry::Log& log_;
  OnAccept on_accept_;
  std::vector<OpenPtr> open_;
  std::vector<std::string> names_;
  bool has_started_ = false;
};

}  // namespace wsproxy::server
