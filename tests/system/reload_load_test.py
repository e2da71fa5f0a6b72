"""Reloads in a loop while connections talk: none is touched, nothing is lost, no memory is, and every listener answers."""

import asyncio

from harness import SANITIZED, free_port, main
from harness.crowd import CrowdTest, Talker, open_all, until
from harness.reload import ReloadTest, put_by_rename, put_in_place

CLIENTS = 60
ROUNDS = 10 if SANITIZED else 24
MIB = 1 << 20


class ReloadUnderLoad(ReloadTest, CrowdTest):
    def settings_of(self, turn):
        """Something of everything that can change, different from turn to turn."""
        listeners = [{"name": "public", "address": f"127.0.0.1:{self.proxy.port}"}]
        if turn % 2:
            listeners.append({"name": f"second-{turn % 3}", "address": f"127.0.0.1:{self.ports[turn % len(self.ports)]}"})
        return {
            "listeners": listeners,
            "limits": {"max_message_size": f"{turn % 5 + 1}MiB", "max_connections": 1000 + turn % 3},
            "compression": {"level": turn % 9 + 1, "enabled": turn % 4 != 3, "history": f"{turn % 3 + 1}KiB"},
            "routes": [{"match": {"path": f"/route-{at}/"}, "upstream": {"url": self.counting.url}} for at in range(turn % 4)],
            "timeouts": {"close": f"{turn % 7 + 5}s"},
            "drain": {"close_code": (1001, 1012)[turn % 2]},
        }

    async def one_reload(self, turn):
        settings = self.settings_of(turn)
        await asyncio.to_thread(self.reload, put=(put_by_rename, put_in_place)[turn % 2], **settings)
        for listener in settings["listeners"]:
            visitor = Talker(f"ws://{listener['address']}", f"/visitor/{turn}/{listener['name']}", pause=0.01)
            await visitor.open()
            await until(lambda: visitor.got > 2, f"{listener['name']} to answer")
            await visitor.leave()
            self.assertEqual((visitor.code, visitor.faults, visitor.got), (1000, [], visitor.sent))

    async def test_in_a_loop(self):
        self.ports = [free_port(), free_port()]
        await asyncio.to_thread(self.start, app_url=self.counting.url, workers=2)
        crowd = [Talker(self.proxy.url, f"/{at}", pause=0.2) for at in range(CLIENTS)]
        await open_all(crowd)
        memory = []
        for turn in range(ROUNDS):
            await self.one_reload(turn)
            memory.append(self.proxy.own_memory())
        await asyncio.gather(*(one.leave() for one in crowd))
        self.assertEqual([fault for one in crowd for fault in one.faults] + self.counting.faults, [])
        for one in crowd:
            self.assertEqual((one.code, one.got, self.counting.heard[one.name]), (1000, one.sent, one.sent), one.name)
            self.assertTrue(one.compressed)
        metrics = await asyncio.to_thread(self.proxy.metrics)
        self.assertEqual(metrics.sum("wsproxy_config_reloads_total", result="failure"), 0)
        self.assertGreaterEqual(metrics.sum("wsproxy_config_reloads_total", result="success"), ROUNDS)
        if not SANITIZED:
            # what a reload leaves behind would add up
            half = len(memory) // 2
            self.assertLess(min(memory[half:]) - min(memory[half // 2 : half]), 1.5 * MIB, [size // 1024 for size in memory])


if __name__ == "__main__":
    main()
