"""The soak's own rules: what it finds, and that it finds it when it is there."""

import asyncio
import importlib.util
import os
import random
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "system")]

from harness import main  # noqa: E402
from soak import figure, growth, report, spoiler, visitors  # noqa: E402
from soak.journal import End, Journal, difference, digest  # noqa: E402
from soak.world import Plan, World  # noqa: E402

HAS_PLOTS = importlib.util.find_spec("matplotlib") is not None


def series(of, count=200, spread=0.5, seed=1):
    chance = random.Random(seed)
    return [at * 3.0 for at in range(count)], [of(at) + chance.gauss(0, spread) for at in range(count)]


class GrowthTest(unittest.TestCase):
    BOUND = growth.Bound("memory", "MB", 0.05, 1.0)

    def grows(self, of, bound=BOUND, **how):
        return growth.judge(*series(of, **how), bound).grows

    def test_noise_does_not_grow(self):
        for seed in range(20):
            self.assertFalse(self.grows(lambda at: 20, seed=seed, spread=3))

    def test_a_small_leak_does(self):
        self.assertTrue(self.grows(lambda at: 20 + at * 0.02))

    def test_a_leak_is_seen_through_peaks(self):
        self.assertTrue(self.grows(lambda at: 20 + at * 0.02 + (30 if at % 10 == 0 else 0)))

    def test_peaks_alone_are_no_growth(self):
        self.assertFalse(self.grows(lambda at: 20 + (30 if at % 7 == 0 else 0)))
        self.assertFalse(self.grows(lambda at: 20 + (40 if at > 190 else 0)))

    def test_what_ends_with_the_warm_up_is_none(self):
        self.assertFalse(self.grows(lambda at: min(at, 45)))

    def test_less_than_the_bound_is_none(self):
        self.assertFalse(self.grows(lambda at: 20 + at * 0.004, spread=0.01))

    def test_the_bound_is_the_larger_of_share_and_least(self):
        verdict = growth.judge(*series(lambda at: 100), self.BOUND)
        self.assertAlmostEqual(verdict.allowed, 5, delta=0.1)
        self.assertEqual(growth.judge(*series(lambda at: 2), self.BOUND).allowed, 1)

    def test_the_slope_is_that_of_the_line_and_within_its_interval(self):
        verdict = growth.judge(*series(lambda at: at * 0.1), self.BOUND)
        self.assertAlmostEqual(verdict.grown, 15, delta=0.3)
        self.assertTrue(verdict.low < verdict.grown < verdict.high)

    def test_each_series_can_fail_by_itself(self):
        for name, bound in growth.BOUNDS.items():
            samples = [{"at": at * 3.0, **{other: 10.0 for other in growth.BOUNDS}, name: 10 + at * 0.1} for at in range(200)]
            self.assertEqual([verdict.bound for verdict in growth.verdicts(samples) if verdict.grows], [bound])

    def test_held_descriptors_are_a_leak(self):
        """One lost in five seconds, among those of a crowd that comes and goes."""
        chance = random.Random(2)
        samples = [{"at": at * 3.0, "own_mb": 9, "rss_mb": 20, "added_p99_ms": 1, "descriptors": 240 + chance.randint(-30, 30) + at * 0.6}
                   for at in range(200)]
        self.assertTrue(any(verdict.grows for verdict in growth.verdicts(samples)))

    def test_too_little_is_not_judged(self):
        self.assertIsNone(growth.judge([1, 2, 3], [1, 2, 3], self.BOUND))
        self.assertIsNone(growth.judge([], [], self.BOUND))
        samples = [{"at": at * 1.0, **{name: 10.0 + at for name in growth.BOUNDS}} for at in range(200)]
        self.assertEqual(growth.verdicts(samples), [])


class JournalTest(unittest.TestCase):
    def difference(self, said, heard, whole=True):
        return difference([digest(one) for one in said], [digest(one) for one in heard], whole=whole)

    def test_the_same_is_no_difference(self):
        self.assertIsNone(self.difference("abc", "abc"))

    def test_what_is_missing_at_the_end_is_lost_unless_it_was_cut(self):
        self.assertIn("last 1 of 3", self.difference("abc", "ab"))
        self.assertIsNone(self.difference("abc", "ab", whole=False))

    def test_the_rest_is_wrong_even_when_it_was_cut(self):
        for heard, word in (("ac", "lost"), ("acb", "late"), ("aabc", "again"), ("axc", "another"), ("abcd", "more")):
            self.assertIn(word, self.difference("abc", heard, whole=False), heard)

    def test_a_text_is_not_the_same_bytes_as_binary(self):
        self.assertIsNotNone(self.difference(["a"], [b"a"]))

    def test_both_directions_count(self):
        journal = Journal()
        journal.close("x", End(said=[b"1"]), End(), cut=False)
        journal.close("y", End(), End(said=[b"1"]), cut=False)
        journal.close("z", End(said=[b"1"]), End(said=[b"1"]), cut=True)
        self.assertEqual([fault[:16] for fault in journal.faults], ["x, to the app: t", "y, to the client"])
        self.assertEqual((journal.totals.said_by_clients, journal.totals.said_by_apps, journal.totals.cut), (2, 2, 1))


class ReportTest(unittest.TestCase):
    def test_only_what_is_between_the_marks_is_replaced(self):
        page = report.put("# Reliability\n\n## Attacks\n\ntheirs\n", "first\n")
        self.assertEqual(report.put(page, "second\n"), page.replace("first", "second"))
        self.assertIn("## Attacks\n\ntheirs\n\n## Soak\n\n" + report.BEGIN + "first\n" + report.END, page)

    def test_a_page_that_is_not_there_gets_a_title(self):
        self.assertTrue(report.put("", "x\n").startswith("# Reliability\n\n## Soak\n"))

    @unittest.skipUnless(HAS_PLOTS, "needs python3-matplotlib")
    def test_the_figure_is_small_and_the_same_for_the_same_samples(self):
        chance = random.Random(3)
        names = {name for _, lines in figure.PANELS for name, _ in lines}
        samples = [{"at": at * 10.0, **{name: chance.random() for name in names}} for at in range(3000)]
        with tempfile.TemporaryDirectory() as folder:
            texts = []
            for name in ("a.svg", "b.svg"):
                figure.draw(samples, Path(folder, name))
                texts.append(Path(folder, name).read_text())
        self.assertEqual(*texts)
        self.assertLess(len(texts[0]), 100_000)
        self.assertIn("WebSockets open", texts[0])


@unittest.skipUnless("WSPROXY_BIN" in os.environ, "needs the proxy")
class SpoilerTest(unittest.TestCase):
    """A soak through something that spoils one message of each connection finds it; through one that spoils none it does not."""

    def faults(self, deed, wait=1.5):
        """`wait`: how long for what does not come."""
        world = World(Plan(2.5, {visitors.Passerby: 4, visitors.Chatter: 4}, 1.0, reload_every=60, restart_every=60))
        with unittest.mock.patch.object(visitors, "WAIT", wait):
            asyncio.run(world.run(through=spoiler.Spoiler(deed)))
        return world.journal.faults

    def test_nothing_spoilt_nothing_found(self):
        self.assertEqual(self.faults(lambda number, frame: frame, wait=30), [])

    def test_a_lost_message_is_found(self):
        self.assertTrue(any("lost" in fault or "waits for ever" in fault for fault in self.faults(spoiler.loses(2))))

    def test_a_message_that_comes_twice_is_found(self):
        self.assertTrue(any("again" in fault or "more came" in fault for fault in self.faults(spoiler.repeats(0))))

    def test_one_changed_bit_is_found(self):
        self.assertTrue(any("another" in fault for fault in self.faults(spoiler.corrupts(0))))

    def test_two_swapped_messages_are_found(self):
        self.assertTrue(any("late" in fault for fault in self.faults(spoiler.swaps(2))))


if __name__ == "__main__":
    main()
