"""A drain with 500 connections of a real client library that talk: nothing is lost, everybody is told, evenly spread."""

import asyncio
import time

from harness import SANITIZED, main
from harness.crowd import CrowdTest, Talker, open_all, until
from harness.quiet_crowd import QuietCrowd

CLIENTS = 100 if SANITIZED else 500
QUIET = 100
SPREAD = 2  # seconds


class DrainUnderLoad(CrowdTest):
    async def drained(self, ask, code):
        """The crowd after a drain that `ask` begins."""
        await asyncio.to_thread(self.start, app_url=self.counting.url, drain={"spread": f"{SPREAD}s", "close_code": code},
                                timeouts={"ping_interval": "0s"})
        quiet = QuietCrowd(self.proxy.port)
        self.addCleanup(quiet.close)
        crowd = [Talker(self.proxy.url, f"/{at}", pause=0.5) for at in range(CLIENTS)]
        tenth = CLIENTS // 10
        for at in range(10):  # mixed, as it may be the oldest who are told first
            await open_all(crowd[at * tenth : (at + 1) * tenth], **({"compression": None} if at % 2 else {}))
            await asyncio.to_thread(quiet.open, QUIET // 10)
        quiet.watch()
        await until(lambda: all(one.got > 0 for one in crowd), "everybody's first echo")
        began = time.monotonic()
        asking = asyncio.create_task(asyncio.to_thread(ask))
        times, codes = await asyncio.to_thread(quiet.told)
        await asyncio.gather(*(one.wait_closed(30) for one in crowd))
        await asking
        await until(lambda: len(self.counting.codes) == CLIENTS + QUIET, "the app to be told by everybody")
        self.assertEqual(codes, {code})
        self.assert_evenly_spread([when - began for when in times])
        return crowd

    def assert_nothing_lost(self, crowd, code):
        self.assertEqual([fault for one in crowd for fault in one.faults] + self.counting.faults, [])
        self.assertEqual({one.code for one in crowd}, {code})
        self.assertEqual(sum(one.compressed for one in crowd), CLIENTS // 2)
        for one in crowd:
            # what it was about to send when the close frame came may have gone or not
            self.assertIn(self.counting.heard[one.name], (one.sent, one.tried), f"{one.name}: the app did not hear all of it")
            # echoes that follow the close frame have nobody to go to
            self.assertLessEqual(one.got, self.counting.heard[one.name])
            self.assertGreater(one.got, 0)
        times = [one.closed_at for one in crowd]
        self.assertGreater(max(times) - min(times), SPREAD / 4)  # this process is busy and sees them late

    def assert_evenly_spread(self, times):
        self.assertEqual(len(times), QUIET)
        first, last = times[0], times[-1]
        self.assertGreater(last - first, 0.8 * SPREAD)
        self.assertLess(last, SPREAD + 3)
        # Kolmogorov and Smirnov: of the uniform distribution over the spread; of a random one 0.2 by chance once in
        # a thousand runs
        worst = max(abs((at + 1) / len(times) - min(1, (when - first) / SPREAD)) for at, when in enumerate(times))
        self.assertLess(worst, 0.2, f"not evenly: {[round(when, 2) for when in times[:: len(times) // 20]]}")

    async def test_by_a_hook(self):
        answers = []
        crowd = await self.drained(lambda: answers.append(self.proxy.ask("/drain", deadline=30)), 1012)
        self.assert_nothing_lost(crowd, 1012)
        [answer] = answers
        self.assertEqual(answer.status, 200)
        self.assertRegex(answer.data.decode(), rf"\b{CLIENTS + QUIET}\b.* 0 cut")
        self.assertTrue(self.proxy.running())
        metrics = await asyncio.to_thread(self.proxy.metrics)
        self.assertEqual(metrics.sum("wsproxy_connections_active"), 0)
        self.assertEqual(metrics.sum("wsproxy_closes_total", side="client", code="1012"), CLIENTS + QUIET)

    async def test_by_sigterm(self):
        crowd = await self.drained(self.proxy_terminates, 1001)
        self.assert_nothing_lost(crowd, 1001)
        self.assertEqual(await asyncio.to_thread(self.proxy.wait_exit), 0)

    def proxy_terminates(self):
        self.proxy.terminate()


if __name__ == "__main__":
    main()
