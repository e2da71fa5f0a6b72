"""What happens to the proxy and to an app while the traffic goes on: reloads of both kinds, and restarts."""

import asyncio
import itertools
import json
import os
import signal

from harness.proxy import merged


def settings_of(turn):
    """Something that a connection uses, different from turn to turn."""
    return {
        "compression": {"level": turn % 9 + 1, "history": f"{2 + turn % 3 * 2}KiB", "min_size": f"{16 << turn % 3}B"},
        "limits": {"max_message_size": f"{16 + turn % 3}MiB", "max_connections": 1000 + turn % 2},
        "drain": {"close_code": (1001, 1012)[turn % 2]},
    }


async def reload(proxy, turn):
    """By the file that has changed or by SIGHUP, in turns; returns when the proxy says that it is done."""
    def reloads():
        return proxy.metrics().sum("wsproxy_config_reloads_total", result="success")
    before = await asyncio.to_thread(reloads)
    if turn % 2:
        proxy.signal(signal.SIGHUP)
    else:
        with open(proxy.config_file + ".new", "w") as file:
            json.dump(merged(proxy.settings, settings_of(turn)), file, indent=1)
        os.replace(proxy.config_file + ".new", proxy.config_file)
    await asyncio.to_thread(proxy.wait_metric, "wsproxy_config_reloads_total", before + 1, result="success")


async def reloads(world, every):
    for turn in itertools.count():
        await world.rest(every)
        if world.is_over:
            return
        await reload(world.proxy, turn)
        world.journal.count("reloads by SIGHUP" if turn % 2 else "reloads by a changed file")


async def restarts(world, every):
    """Away for longer and shorter than the proxy waits for an app, in turns."""
    for turn in itertools.count():
        await world.rest(every)
        if world.is_over:
            return
        kind = ("killed", "stopped")[turn % 2]
        await world.flaky.restart(kind, away=(0.2, 0.2, 3.0, 3.0)[turn % 4])
        world.journal.count(f"restarts of the app, {kind}")
