#include "server/crash_line.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include "telemetry/utc_time.hpp"

namespace wsproxy::server {
namespace {

constexpr std::size_t kRoomForImages = 1200;
constexpr std::size_t kRoomForImage = 240;
constexpr std::uint64_t kNextToNull = std::uint64_t{1} << 20;
constexpr std::uint64_t kNextToStack = std::uint64_t{1} << 20;

const CrashImage* image_at(const CrashFacts& facts, std::uint64_t address) {
  for (const CrashImage& image : std::span{facts.images}.first(facts.image_count)) {
    if (address >= image.base && address - image.base < image.size) return &image;
  }
  return nullptr;
}

void put_address(CrashText& out, const CrashFacts& facts) {
  const bool is_on_stack =
      facts.address + kNextToStack > facts.stack && facts.address < facts.stack + kNextToStack;
  if (facts.code <= 0 || facts.number == SIGABRT) {
    out.put("none");
  } else if (facts.code == SI_KERNEL) {
    out.put("elsewhere");  // no address of this machine, so it does not tell which
  } else if (facts.address < kNextToNull || image_at(facts, facts.address) != nullptr) {
    out.hexadecimal(facts.address);
  } else {
    out.put(is_on_stack ? "the stack" : "elsewhere");
  }
}

void put_frame(CrashText& out, const CrashFacts& facts, std::uint64_t address) {
  out.put("\"");
  if (const CrashImage* image = image_at(facts, address)) {
    out.name(image->name.data());
    out.put("+");
    out.hexadecimal(address - image->base);
  } else {
    out.put("?");
  }
  out.put("\"");
}

void put_images(CrashText& out, const CrashFacts& facts, std::span<void* const> frames) {
  const char* separator = "";
  for (const CrashImage& image : std::span{facts.images}.first(facts.image_count)) {
    const bool is_used = &image == facts.images.data() || std::ranges::any_of(frames, [&](void* frame) {
      return image_at(facts, reinterpret_cast<std::uint64_t>(frame)) == &image;
    });
    if (!is_used || out.left() < kRoomForImage) continue;
    out.put(std::exchange(separator, ","));
    out.put(R"({"name":")");
    out.name(image.name.data());
    out.put(R"(","base":")");
    out.hexadecimal(image.base);
    out.put(R"(","size":")");
    out.hexadecimal(image.size);
    out.put(R"(","build_id":")");
    out.name(image.build_id.data());
    out.put("\"}");
  }
}

void put_what(CrashText& out, const CrashFacts& facts, std::chrono::system_clock::time_point now) {
  const auto time = telemetry::utc_text(now);
  out.put(R"({"time":")");
  out.put({time.data(), time.size()});
  out.put(R"(","level":"error","message":"crashed","signal":")");
  out.put(facts.signal);
  out.put(R"(","number":)");
  out.decimal(facts.number);
  out.put(R"(,"code":)");
  out.decimal(facts.code);
  out.put(R"(,"address":")");
  put_address(out, facts);
  if (facts.reason != nullptr) {
    out.put(R"(","reason":"unhandled exception )");
    out.name(std::string_view{facts.reason}.substr(0, 200));
  }
}

void put_who(CrashText& out, const CrashFacts& facts) {
  out.put(R"(","thread":")");
  out.name(facts.thread.data());
  out.put(R"(","thread_id":)");
  out.decimal(facts.thread_id);
  out.put(R"(,"version":")");
  out.name(facts.version.data());
  out.put(R"(","build_id":")");
  out.name(facts.images[0].build_id.data());
}

void put_frames(CrashText& out, const CrashFacts& facts, std::span<void* const> frames) {
  const char* separator = "";
  for (void* const frame : frames) {
    if (out.left() < kRoomForImages) break;
    out.put(std::exchange(separator, ","));
    put_frame(out, facts, reinterpret_cast<std::uint64_t>(frame));
  }
}

}  // namespace

void write_crash_line(CrashText& out, const CrashFacts& facts, std::chrono::system_clock::time_point now,
                      std::span<void* const> frames) {
  put_what(out, facts, now);
  put_who(out, facts);
  out.put(R"(","backtrace":[)");
  put_frames(out, facts, frames);
  out.put(R"(],"images":[)");
  put_images(out, facts, frames);
  out.put("]}\n");
}

}  // namespace wsproxy::server
