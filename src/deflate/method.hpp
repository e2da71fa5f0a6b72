#pragma once

#include <cstddef>
#include <cstdint>

namespace wsproxy::deflate {

/// Whose code compresses.
enum class Engine : std::uint8_t { zlib, isal };

/// compression.engine.
enum class EngineChoice : std::uint8_t { automatic, zlib, isal };

/// Whether this build has ISA-L. Without it every choice is zlib.
bool has_isal();

/// An engine and its own level: zlib's 1..9; ISA-L's 1..3, or 0, which here always means static tables.
struct Method {
  Engine engine = Engine::zlib;
  std::uint8_t level = 6;
  bool operator==(const Method&) const = default;
};

/// What compresses a message of `text_size`, by measured rules (docs/compression.md). `level` is the
/// operator's, 1..9. Static tables only ever with `context_takeover`: without a history they save nothing.
Method method_for(EngineChoice choice, std::uint8_t level, std::size_t text_size, bool context_takeover);

}  // namespace wsproxy::deflate
