"""A proxy whose system calls fail when a test says so: failing_calls.cpp is preloaded, and a file that both map has the plan."""

import contextlib
import ctypes
import errno
import mmap
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))

from harness import SANITIZED, WSPROXY, EchoApp, SystemTest, wait_until  # noqa: E402

LIBRARY = os.environ.get("WSPROXY_FAILING_CALLS", "")
FOR_EVER = 0xFFFFFFFF
MAIN_THREAD = os.path.basename(WSPROXY)[:15]  # has the name of the program
TICKS = os.sysconf("SC_CLK_TCK")


class _Plan(ctypes.Structure):
    """As `Plan` in failing_calls.cpp."""

    _fields_ = [("armed", ctypes.c_uint32), ("call", ctypes.c_char * 24), ("thread", ctypes.c_char * 16),
                ("port", ctypes.c_uint32), ("error", ctypes.c_int32), ("most", ctypes.c_uint32),
                ("skip", ctypes.c_uint32), ("times", ctypes.c_uint32), ("hits", ctypes.c_uint32),
                ("clock_shift", ctypes.c_int64)]


class FaultPlan:
    """Nothing fails until `arm`; one kind of call at a time does."""

    def __init__(self):
        self._file = tempfile.NamedTemporaryFile(prefix="wsproxy-faults-")
        self._file.truncate(mmap.PAGESIZE)
        self._memory = mmap.mmap(self._file.fileno(), mmap.PAGESIZE)
        self._plan = _Plan.from_buffer(self._memory)

    def environment(self):
        assert os.path.exists(LIBRARY), "WSPROXY_FAILING_CALLS has to name the library that the build makes of failing_calls.cpp"
        return {"LD_PRELOAD": LIBRARY, "WSPROXY_FAULT_PLAN": self._file.name}

    def arm(self, call, error, *, thread="", port=0, skip=0, times=1, most=1):
        """`error` is a number, or the name of an errno; 0 is not a failure, but at most `most` bytes."""
        self._plan.armed = 0
        self._plan.call, self._plan.thread, self._plan.port = call.encode(), thread.encode(), port
        self._plan.error = getattr(errno, error) if isinstance(error, str) else error
        self._plan.most, self._plan.skip, self._plan.times, self._plan.hits = most, skip, times, 0
        self._plan.armed = 1

    def disarm(self):
        self._plan.armed = 0
        return self.hits

    @property
    def hits(self):
        return self._plan.hits

    def wait_hits(self, count=1):
        return wait_until(lambda: self.hits >= count, f"the fault to have struck {count} times")

    def shift_clock(self, seconds):
        self._plan.clock_shift = seconds


class FailingTest(SystemTest):
    """A proxy with a plan of faults, and an echo app; `assert_all_is_well` is what must be true after each."""

    def setUp(self):
        super().setUp()
        if SANITIZED:
            self.skipTest("a sanitizer's library must be the first that is loaded, and takes these calls itself")
        self.plan = FaultPlan()

    def start_failing(self, app=None, *, first_port=None, **settings):
        """`first_port` is that of the first listener, where it is not the harness's."""
        settings.setdefault("workers", 1)
        settings.setdefault("upstream", {"connect_timeout": "300ms"})
        self.start(app or EchoApp(), env=self.plan.environment(), **settings)
        self.proxy.port = first_port or self.proxy.port
        # What is made once, such as threads that look for names, is not a leak.
        self.echo("first").finish()
        self.proxy.get("/readyz")
        self.descriptors_before = self.quiet_descriptors()

    def echo(self, text="hello hello hello hello hello hello", client=None, **how):
        how.setdefault("extensions", "permessage-deflate")
        client = client or self.echo_client(**how)
        client.send(text)
        self.assertEqual(client.read_message().text, text)
        return client

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.proxy.pid}/fd"))

    def quiet_descriptors(self):
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 0, "no connection to be open")
        with side_port_left(self.proxy):
            return self.descriptors()

    def assert_all_is_well(self, bystander=None):
        self.assertTrue(self.proxy.running(), "the proxy died")
        self.echo().finish()
        if bystander is not None:
            self.echo("the bystander", bystander)
        open_now = 0 if bystander is None else 1
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == open_now, "the others to be gone")
        wait_until(lambda: self.descriptors() <= self.descriptors_before + 2 * open_now, "all descriptors to be given back")

    def cpu_seconds(self):
        fields = open(f"/proc/{self.proxy.pid}/stat").read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @contextlib.contextmanager
    def assert_no_spinning(self, seconds=0.6, most=0.3):
        """What the block does and that many seconds after it take no more than that part of one CPU."""
        began, used = time.monotonic(), self.cpu_seconds()
        yield
        # The time itself is the subject.
        time.sleep(max(0, seconds - (time.monotonic() - began)))
        part = (self.cpu_seconds() - used) / (time.monotonic() - began)
        self.assertLess(part, most, "it turns in circles")

    def lines_about(self, text, since=0):
        return [line for line in self.proxy.lines[since:] if text in line]


@contextlib.contextmanager
def side_port_left(proxy):
    """Asking over the side port has a connection of its own for a moment: it is gone within this block."""
    own = f":{proxy.admin_port:04X}"

    def is_left():
        rows = [line.split() for line in open("/proc/net/tcp").readlines()[1:]]
        return not any(row[1].endswith(own) and row[3] in ("01", "08") for row in rows)
    wait_until(is_left, "the side port's connections to be gone")
    yield
