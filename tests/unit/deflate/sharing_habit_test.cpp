#include "deflate/sharing_habit.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::deflate {
namespace {

void note(SharingHabit& habit, bool in_company, int times) {
  for (int i = 0; i < times; ++i) habit.note(in_company);
}

TEST_CASE("A connection is a member once three of four messages are a feed's, and not before four came") {
  SharingHabit habit;
  note(habit, true, 3);
  CHECK_FALSE(habit.is_member());
  note(habit, true, 1);
  CHECK(habit.is_member());
  note(habit, false, 1);
  CHECK(habit.is_member());
  note(habit, false, 1);
  CHECK_FALSE(habit.is_member());
}

TEST_CASE("A member expects private messages until others follow it twice") {
  SharingHabit habit;
  CHECK_FALSE(habit.expects_private());
  note(habit, true, 16);
  CHECK(habit.expects_private());
  habit.note_first(true);
  CHECK(habit.expects_private());
  habit.note_first(true);
  CHECK_FALSE(habit.expects_private());
  habit.note_first(false);
  CHECK(habit.expects_private());
}

TEST_CASE("Eight messages that nobody else got make a connection alone") {
  SharingHabit habit;
  note(habit, true, 5);
  note(habit, false, 7);
  CHECK_FALSE(habit.is_alone());
  note(habit, false, 1);
  CHECK(habit.is_alone());
}

TEST_CASE("So does a feed whose broadcasts have to be compressed for it alone, but not now and then") {
  SharingHabit habit;
  note(habit, true, 16);
  for (int i = 0; i < 1000; ++i) habit.note_broadcast(i % 4 == 0);
  CHECK_FALSE(habit.is_alone());
  int broadcasts = 0;
  for (; !habit.is_alone(); ++broadcasts) habit.note_broadcast(broadcasts % 4 != 0);
  CHECK(broadcasts > 48);
  CHECK(broadcasts < 120);
  habit.change_sides();
  CHECK_FALSE(habit.is_alone());
}

TEST_CASE("Who comes back to sharing has to be surer each time") {
  SharingHabit habit;
  int last = 0;
  for (int change = 0; change < 6; ++change) {
    habit.change_sides();
    int messages = 0;
    do {
      habit.note(true);
      ++messages;
    } while (!habit.should_share());
    CHECK(messages >= 16);
    CHECK(messages > last);
    last = messages;
  }
}

TEST_CASE("An eighth of the bytes may go raw") {
  SharingHabit habit;
  while (habit.spend_raw(200)) {
  }
  std::size_t raw = 0;
  for (int i = 0; i < 800; ++i) {
    habit.earn_raw(200);
    if (habit.spend_raw(200)) ++raw;
  }
  CHECK(raw >= 98);
  CHECK(raw <= 101);
}

}  // namespace
}  // namespace wsproxy::deflate
