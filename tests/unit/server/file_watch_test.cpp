#include "server/file_watch.hpp"

#include <filesystem>

#include <catch2/catch.hpp>

#include "support/certificates.hpp"
#include "support/manual_clock.hpp"

namespace wsproxy::server {
namespace {

using namespace std::chrono_literals;
using test::TemporaryFolder;
namespace fs = std::filesystem;

/// A watch in a folder, and how many changes it has told.
struct Bench {
  TemporaryFolder folder;
  net::IoContext io;
  int changes = 0;
  std::unique_ptr<FileWatch> watch;

  void start(const std::vector<std::string>& names) {
    std::vector<std::string> files;
    for (const std::string& name : names) files.push_back(folder.path(name));
    watch = std::make_unique<FileWatch>(io, files, [this] { ++changes; });
    CHECK(watch->watch());
    watch->start();
  }
  /// What has been told by now, with all of it seen that was to be seen.
  int told() {
    test::pass(io, 0s);
    test::pass(io, FileWatch::kQuiet);
    return std::exchange(changes, 0);
  }
};

TEST_CASE("a file that is written anew is a change, once it is quiet", "[file_watch]") {
  Bench bench;
  bench.folder.write("a", "1");
  bench.start({"a"});
  CHECK(bench.told() == 0);
  bench.folder.write("a", "22");
  test::pass(bench.io, 0s);
  test::pass(bench.io, FileWatch::kQuiet - 1ms);
  CHECK(bench.changes == 0);
  test::pass(bench.io, 1ms);
  CHECK(bench.changes == 1);
  bench.changes = 0;
  CHECK(bench.told() == 0);
  bench.folder.write("a", "333");
  CHECK(bench.told() == 1);
}

TEST_CASE("what happens within a short time is one change", "[file_watch]") {
  Bench bench;
  bench.start({"a", "b"});
  for (int i = 1; i < 5; ++i) {
    bench.folder.write("a", std::string(static_cast<std::size_t>(i), 'x'));
    test::pass(bench.io, 0s);
    test::pass(bench.io, FileWatch::kQuiet - 1ms);
    bench.folder.write("b", std::string(static_cast<std::size_t>(i), 'x'));
    test::pass(bench.io, 0s);
    test::pass(bench.io, FileWatch::kQuiet - 1ms);
  }
  CHECK(bench.changes == 0);
  CHECK(bench.told() == 1);
}

TEST_CASE("a folder that is never quiet is looked at after a second", "[file_watch]") {
  Bench bench;
  bench.start({"a"});
  bench.folder.write("a", "new");
  for (int i = 0; i < 9; ++i) {
    bench.folder.write("other", std::to_string(i));
    test::pass(bench.io, 0s);
    test::pass(bench.io, FileWatch::kQuiet - 1ms);
  }
  CHECK(bench.changes == 0);
  bench.folder.write("other", "more");
  test::pass(bench.io, 0s);
  test::pass(bench.io, FileWatch::kLongest - 9 * (FileWatch::kQuiet - 1ms));
  CHECK(bench.changes == 1);
}

TEST_CASE("another file of the same size that is renamed over one is a change", "[file_watch]") {
  Bench bench;
  bench.folder.write("a", "1");
  bench.start({"a"});
  bench.folder.write("a.new", "2");
  CHECK(bench.told() == 0);
  fs::rename(bench.folder.path("a.new"), bench.folder.path("a"));
  CHECK(bench.told() == 1);
}

TEST_CASE("a file that comes, goes and comes back is a change each time", "[file_watch]") {
  Bench bench;
  bench.start({"a"});
  bench.folder.write("a", "1");
  CHECK(bench.told() == 1);
  fs::remove(bench.folder.path("a"));
  CHECK(bench.told() == 1);
  bench.folder.write("a", "1");
  CHECK(bench.told() == 1);
}

TEST_CASE("rights that change are a change: a key may be readable now", "[file_watch]") {
  Bench bench;
  bench.folder.write("a", "1", 0600);
  bench.start({"a"});
  fs::permissions(bench.folder.path("a"), fs::perms{0640});
  CHECK(bench.told() == 1);
}

TEST_CASE("other files of the folder, and reading, are no change", "[file_watch]") {
  Bench bench;
  bench.folder.write("a", "1");
  bench.start({"a"});
  bench.folder.write("b", "1");
  fs::create_directory(bench.folder.path("c"));
  fs::remove(bench.folder.path("b"));
  CHECK(bench.told() == 0);
  CHECK(fs::exists(bench.folder.path("a")));
  CHECK(bench.told() == 0);
}

/// A Secret as the kubelet mounts it: tls.crt -> ..data/tls.crt, ..data -> ..1.
struct Mounted : Bench {
  explicit Mounted(int version = 1) {
    write(version);
    fs::create_directory_symlink(".." + std::to_string(version), folder.path("..data"));
    fs::create_symlink("..data/tls.crt", folder.path("tls.crt"));
  }
  void write(int version) const {
    const std::string name = ".." + std::to_string(version);
    fs::create_directory(folder.path(name));
    folder.write(name + "/tls.crt", "version");
  }
  /// As the kubelet does: a new link is renamed over the one before, whose folder goes.
  void swap(int from, int to) const {
    write(to);
    fs::create_directory_symlink(".." + std::to_string(to), folder.path("..data_tmp"));
    fs::rename(folder.path("..data_tmp"), folder.path("..data"));
    fs::remove_all(folder.path(".." + std::to_string(from)));
  }
};

TEST_CASE("the kubelet's swap of ..data is one change, again and again", "[file_watch]") {
  Mounted bench;
  bench.start({"tls.crt"});
  CHECK(bench.told() == 0);
  for (int version = 1; version < 4; ++version) {
    bench.swap(version, version + 1);
    CHECK(bench.told() == 1);
  }
}

TEST_CASE("where the links lead to after a swap is watched from then on", "[file_watch]") {
  Mounted bench;
  bench.start({"tls.crt"});
  bench.swap(1, 2);
  CHECK(bench.told() == 1);
  bench.folder.write("..2/tls.crt", "written in place");
  CHECK(bench.told() == 1);
}

TEST_CASE("a file behind links is watched where it is", "[file_watch]") {
  Bench bench;
  fs::create_directory(bench.folder.path("real"));
  fs::create_directory(bench.folder.path("links"));
  bench.folder.write("real/a", "1");
  SECTION("a link to the file, by a way of its own") {
    fs::create_symlink("../real/a", bench.folder.path("links/a"));
    bench.start({"links/a"});
  }
  SECTION("a link to its folder") {
    fs::create_directory_symlink(bench.folder.path("real"), bench.folder.path("links/folder"));
    bench.start({"links/folder/a"});
  }
  SECTION("a link to a link") {
    fs::create_symlink("../real/a", bench.folder.path("links/one"));
    fs::create_symlink("one", bench.folder.path("links/two"));
    bench.start({"links/two"});
  }
  bench.folder.write("real/a", "22");
  CHECK(bench.told() == 1);
}

TEST_CASE("links in a ring are no file, and no end of the watch", "[file_watch]") {
  Bench bench;
  fs::create_symlink("b", bench.folder.path("a"));
  fs::create_symlink("a", bench.folder.path("b"));
  bench.folder.write("c", "1");
  bench.start({"a", "c"});
  bench.folder.write("c", "22");
  CHECK(bench.told() == 1);
}

TEST_CASE("a folder that was removed and made again is watched again, by its parent", "[file_watch]") {
  Bench bench;
  fs::create_directory(bench.folder.path("tls"));
  bench.folder.write("tls/a", "1");
  bench.start({"tls/a"});
  fs::remove_all(bench.folder.path("tls"));
  CHECK(bench.told() == 1);
  fs::create_directory(bench.folder.path("tls"));
  bench.folder.write("tls/a", "1");
  CHECK(bench.told() == 1);
}

TEST_CASE("a watch without files, without a folder, or that was stopped tells nothing", "[file_watch]") {
  Bench bench;
  SECTION("no files") {
    bench.start({});
  }
  SECTION("no folder") {
    bench.start({"none/a"});
  }
  SECTION("stopped") {
    bench.start({"a"});
    bench.watch->stop();
  }
  SECTION("stopped before it was quiet") {
    bench.start({"a"});
    bench.folder.write("a", "1");
    test::pass(bench.io, 0s);
    bench.watch->stop();
  }
  bench.folder.write("a", "22");
  CHECK(bench.told() == 0);
}

TEST_CASE("a watch may be destroyed while a change waits for quiet", "[file_watch]") {
  Bench bench;
  bench.start({"a"});
  bench.folder.write("a", "1");
  test::pass(bench.io, 0s);
  bench.watch.reset();
  CHECK(bench.told() == 0);
}

}  // namespace
}  // namespace wsproxy::server
