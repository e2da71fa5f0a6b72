#pragma once

#include "net/types.hpp"

/// Linked into an executable, manual_clock.cpp takes the place of net/clock.cpp: time stands still until a
/// test lets it pass. One thread.
namespace wsproxy::test {

/// What was due by then has been called when it returns, and what that asked for at once.
void pass(net::IoContext& io, net::Clock::duration time);

}  // namespace wsproxy::test
