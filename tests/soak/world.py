"""Everything that a soak runs: the apps, the proxy, the crowd, and what the run found."""

import asyncio
import contextlib
import dataclasses
import json
import logging
import re
import shutil
import ssl
import tempfile

from harness.app import wait_until
from harness.authority import Authority
from harness.ports import free_port
from harness.proxy import Proxy

from . import events, growth, visitors, watch
from .app import PlainApp, SoakApp
from .journal import Journal

# What the log may say at level warning or error, and why; only of the app that is restarted. Anything else is a fault.
EXPECTED_LINES = {"upstream error": "connections and handshakes of the app that was killed or away"}


@dataclasses.dataclass
class Plan:
    seconds: float
    crowd: dict  # kind: how many at a time
    interval: float  # seconds between two samples
    reload_every: float
    restart_every: float
    largest_document: float = 22.3  # as a power of two
    seed: int = 1

    @staticmethod
    def of(seconds, seed=1):
        return Plan(seconds, visitors.CROWD, interval=min(30.0, max(1.0, seconds / 200)), reload_every=max(2.5, min(30, seconds / 12)),
                    restart_every=max(4.0, min(40, seconds / 8)), seed=seed)


class World:
    """`run` may be given something that is between the proxy and the steady app, for tests of the soak itself."""

    def __init__(self, plan, settings=None):
        self.plan, self.settings = plan, settings or {}
        self.journal, self.is_over = Journal(), False
        self._over = asyncio.Event()
        self.samples = []

    def address(self, chance):
        """The URL of a listener, one in three of them with TLS, and what connecting takes."""
        if chance.random() < 0.33:
            return f"wss://localhost:{self.tls_port}", {"ssl": self.trust, "server_hostname": "localhost"}
        how = {} if chance.random() < 0.8 else {"compression": None}
        return f"ws://127.0.0.1:{self.port}", how

    def app_of(self, visitor):
        return self.flaky if visitor.app_restarts else self.steady

    async def rest(self, seconds):
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)

    def finish(self):
        self.is_over = True
        self._over.set()

    def configuration(self, pulse_port):
        def route(path, port):
            return {"match": {"path": path}, "upstream": {"url": f"ws://127.0.0.1:{port}"}}
        return {
            "listeners": [{"name": "public", "address": f"127.0.0.1:{self.port}"},
                          {"name": "tls", "address": f"127.0.0.1:{self.tls_port}", "tls": self.certificate.tls}],
            "routes": [route("/flaky/", self.flaky.port), route("/pulse/", pulse_port), route("/plain/", self.plain.port)],
            "timeouts": {"ping_interval": "5s", "ping_timeout": "10s"},
            "limits": {"max_connections": 1000},
            "log": {"access_sample": 200},
            **self.settings,
        }

    @contextlib.asynccontextmanager
    async def running(self, through=None):
        logging.getLogger("websockets").setLevel(logging.CRITICAL)  # of what apps and clients here do on purpose
        folder = tempfile.mkdtemp(prefix="wsproxy-soak-")
        self.steady, self.flaky, self.plain = SoakApp(), SoakApp(), PlainApp()
        pulse = watch.Pulse(self.plan.interval)
        self.proxy = None
        try:
            for app in (self.steady, self.flaky, self.plain):
                await app.start()
            authority = Authority(folder)
            self.certificate, self.trust = authority.issue("localhost"), ssl.create_default_context(cafile=authority.crt)
            self.port, self.tls_port = free_port(), free_port()
            if through:
                await through.start(self.steady.port)
            url = f"ws://127.0.0.1:{(through or self.steady).port}"
            self.proxy = await asyncio.to_thread(Proxy, url, self.configuration(pulse.app_port))
            yield pulse
        finally:
            pulse.kill()
            if self.proxy:
                await asyncio.to_thread(self.proxy.stop)
            for app in (self.steady, self.flaky, self.plain, *([through] if through else [])):
                await app.stop()
            shutil.rmtree(folder)

    async def run(self, through=None):
        async with self.running(through) as pulse:
            before = watch.process_figures(self.proxy.pid)
            await asyncio.to_thread(pulse.begin, self.port)
            seed = self.plan.seed
            self.crowd = [kind(self, f"{seed} {at}") for kind, count in self.plan.crowd.items() for at in range(count)]
            people = [asyncio.create_task(one.run()) for one in self.crowd]
            looks = asyncio.create_task(watch.samples(self, pulse, self.samples))
            publisher = asyncio.create_task(visitors.publish(self, seed))
            happenings = [asyncio.create_task(events.reloads(self, self.plan.reload_every)),
                          asyncio.create_task(events.restarts(self, self.plan.restart_every))]
            try:
                await self._pass_time([looks, publisher, *people, *happenings])
                await asyncio.wait_for(asyncio.gather(*people, *happenings), 120)
            finally:
                self.finish()
                for task in (publisher, *people, *happenings):
                    task.cancel()
                pulse.end()
                words = await looks
            await asyncio.to_thread(self._settle, before, words)

    async def _pass_time(self, tasks):
        """Until the end of the plan; no task should end before."""
        done, _ = await asyncio.wait(tasks, timeout=self.plan.seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        self.finish()

    def _settle(self, before, pulse):
        """All have left: what the proxy itself says now."""
        journal, totals = self.journal, self.journal.totals
        if pulse is None or pulse["code"] != 1000:
            journal.fault(f"the bystander's connection did not last: {pulse}")
        echoes = pulse["sent"] if pulse else 0
        try:
            wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 0, "all connections to be forgotten", 20)
        except AssertionError as odd:
            journal.fault(str(odd))
        self.end = watch.process_figures(self.proxy.pid)
        if self.end["descriptors"] > before["descriptors"] + 20:  # kept connections for plain requests are some
            journal.fault(f"{self.end['descriptors']} descriptors are open after all have left, {before['descriptors']} were before")
        metrics = self.proxy.metrics()

        def messages(direction):
            return sum(metrics.sum("wsproxy_messages_total", direction=direction, type=kind) for kind in ("text", "binary")) - echoes
        for direction, said, heard in (("to_app", totals.said_by_clients, totals.heard_by_apps),
                                       ("to_client", totals.said_by_apps, totals.heard_by_clients)):
            if not heard <= messages(direction) <= said:
                journal.fault(f"the metrics say {messages(direction):.0f} messages {direction}; {said} were sent, {heard} came")
        if metrics.sum("wsproxy_config_reloads_total", result="failure"):
            journal.fault("a reload failed")
        self._look_at_lines()

    def _look_at_lines(self):
        """What the proxy says about connections with faults goes to these, what it warns of is counted."""
        self.lines, faulty = {}, {re.split("[:,]", fault)[0] for fault in self.journal.faults}
        for line in self.proxy.lines:
            entry = json.loads(line) if line.startswith("{") else {"level": "error", "message": line}
            if entry["message"] == "access" and entry.get("path") in faulty:
                self.journal.faults.append(f"the access line of that one: {line}")
            if entry["level"] in ("warning", "error"):
                said = entry["message"]
                self.lines[said] = self.lines.get(said, 0) + entry.get("repeated", 1)
                if said not in EXPECTED_LINES or not entry["upstream"].endswith(f":{self.flaky.port}"):
                    self.journal.fault(f"an unexpected line: {line[:300]}")

    @property
    def verdicts(self):
        return growth.verdicts(self.samples)

