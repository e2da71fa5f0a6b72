// Which texts a shared history should cover, and what to do with a private message between broadcasts: the
// ways of DESIGN section 5 beside each other, as a Markdown table. No sockets; docs/decisions/0007 has the
// result.

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <CLI/CLI.hpp>

#include "sharing_world.hpp"

namespace {

using namespace bench;

std::vector<Way> ways(bool all) {
  constexpr std::size_t kKiB = 1024;
  std::vector<Way> ways{{.name = "own history, 8 KiB", .is_shared = false, .tuning = {}}};
  const auto add = [&](std::string name, wsproxy::deflate::SharedHistories::Tuning tuning) {
    ways.push_back({.name = std::move(name), .is_shared = true, .tuning = tuning});
  };
  for (const std::size_t reach : {8, 32})
    add("(a) cover " + std::to_string(reach) + " KiB",
        {.reach = reach * kKiB, .mark_every = 0, .patience = 0});
  for (const std::size_t marks : {2, 4, 8, 16})
    add("(b) restart every " + std::to_string(marks) + " KiB",
        {.mark_every = marks * kKiB, .restarts_only = true, .patience = 0});
  for (const std::size_t reach : {8, 16, 32}) {
    for (const std::size_t marks : {1, 2, 4, 8}) {
      if (!all && marks != 2 && marks != 4) continue;
      const auto name = std::to_string(reach) + " KiB, marks " + std::to_string(marks) + " KiB";
      add("(c) " + name, {.reach = reach * kKiB, .mark_every = marks * kKiB, .patience = 0});
      for (const std::uint16_t patience : {std::uint16_t{4}, std::uint16_t{32}}) {
        if (!all && patience != 4) continue;
        add("(d) " + name + ", patience " + std::to_string(patience),
            {.reach = reach * kKiB, .mark_every = marks * kKiB, .patience = patience});
      }
    }
  }
  return ways;
}

const std::vector<Audience> kAudiences{
    {.name = "1 feed to 100", .feeds = 1, .connections = 100},
    {.name = "10 feeds to 100 each", .feeds = 10, .connections = 1000},
    {.name = "10 feeds, 100 connections with 3 each", .feeds = 10, .connections = 100, .feeds_each = 3},
    {.name = "1 feed to 100, a newcomer every 4", .feeds = 1, .connections = 100, .newcomer_every = 4},
};

constexpr const char* kSuffix[]{", split", ", restart", ", raw"};

void print_row(const std::string& first, const Result& result) {
  std::printf("| %s | %.3f | %.3f | %.2f | %.0f | %.0f |\n", first.c_str(), result.wire, result.feed_wire,
              result.compressed * 100, result.nanoseconds, result.kilobytes);
  std::fflush(stdout);
}

void print_head(const std::string& title, const char* first) {
  std::printf(
      "\n### %s\n\n| %s | wire | of broadcasts | compressed %% | ns a delivery | KB at the end |\n"
      "|---|---|---|---|---|---|\n",
      title.c_str(), first);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Compares ways to share histories between connections"};
  std::string kind_name = "chat";
  std::vector<std::size_t> audiences{0, 1, 2, 3};
  std::vector<int> shares{0, 1, 5, 20};
  std::vector<std::size_t> sizes{0};
  std::string only;
  std::size_t broadcasts = 600;
  bool all = false;
  app.add_option("--kind", kind_name, "chat or state");
  app.add_option("--audience", audiences, "which of the four")
      ->check(CLI::Range(std::size_t{0}, std::size_t{3}));
  app.add_option("--private", shares, "per cent of the deliveries")->check(CLI::Range(0, 90));
  app.add_option("--private-size", sizes, "bytes; 0: as the others");
  app.add_option("--only", only, "ways whose name contains this");
  app.add_option("--broadcasts", broadcasts, "counted ones, a feed");
  app.add_flag("--all", all, "every distance of marks");
  CLI11_PARSE(app, argc, argv);
  const auto kind = kind_from(kind_name);
  if (!kind) return 2;
  for (const std::size_t number : audiences) {
    const Audience& audience = kAudiences[number];
    for (const int share : shares) {
      for (const std::size_t size : sizes) {
        print_head(audience.name + ", " + kind_name + ", " + std::to_string(share) + " % private" +
                       (size > 0 ? " of " + std::to_string(size) + " bytes" : ""),
                   "way");
        for (const Way& way : ways(all)) {
          if (way.name.find(only) == std::string::npos) continue;
          for (const Private privates : {Private::split, Private::restart, Private::raw}) {
            if (privates != Private::raw && share == 0) continue;
            if (privates == Private::restart && !way.is_shared) continue;
            const Traffic traffic{*kind, share / 100.0, privates, size};
            print_row(way.name + (share == 0 ? "" : kSuffix[static_cast<std::size_t>(privates)]),
                      run(audience, traffic, way, broadcasts * audience.feeds));
          }
        }
      }
    }
  }
}
