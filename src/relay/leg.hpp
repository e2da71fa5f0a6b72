#pragma once

#include <cstdint>

namespace wsproxy::relay {

/// The two sides of a connection.
enum class Leg : std::uint8_t { client, app };

}  // namespace wsproxy::relay
