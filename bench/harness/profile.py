"""Where the proxy's CPU goes: `perf record` during the measured messages, its samples sorted into a few shares."""

import contextlib
import os
import re
import subprocess
from collections import Counter

from .process import Failed, Process, require

SAMPLES_A_SECOND = 1999  # not a divisor of what runs every millisecond

SHARES = ("read", "parse", "relay", "codec", "tls", "write", "events", "sockets", "memory", "other")
HEAD = "| load | " + " | ".join(SHARES) + " | CPU µs | samples |\n" + "| --- " * (len(SHARES) + 3) + "|"

# The kernel's work for a system call, and the C library's wrapper of it.
CALLS = (
    ("read", re.compile(r"^(__\w+_sys_|__libc_|__)?(recv|recvfrom|recvmsg|read|readv)$")),
    ("write", re.compile(r"^(__\w+_sys_|__libc_|__)?(send|sendto|sendmsg|write|writev)$")),
    ("events", re.compile(r"^(__\w+_sys_|__)?(epoll_\w+|timerfd_\w+)$")),
    ("sockets", re.compile(r"^(__\w+_sys_|__)?(accept4?|connect|socket|close|shutdown|[gs]etsockopt|getsockname)$")),
)
# Functions of ours by their room, codecs by their library or, linked statically, by name. What the compiler has
# inlined counts for its caller.
FUNCTIONS = (
    ("codec", re.compile(r"wsproxy::deflate::|\bisal|deflate|inflate|longest_match|_tr_|adler32|crc32|_icf|huff|compress_block")),
    ("parse", re.compile(r"wsproxy::(websocket|http|base)::|boost::beast")),
    ("relay", re.compile(r"wsproxy::(relay|proxy|telemetry)::")),
    ("write", re.compile(r"wsproxy::net::WriteQueue")),
    ("events", re.compile(r"wsproxy::(net|server)::|boost::asio|clock")),
    ("memory", re.compile(r"mem(cpy|move|set|cmp|chr)|[mc]alloc|free\b|operator (new|delete)|_int_|unlink_chunk")),
)
LIBRARIES = (("codec", re.compile(r"/lib(z|isal)\.so")), ("tls", re.compile(r"/lib(ssl|crypto)\.so")))
KERNEL = "([kernel.kallsyms])"
FRAME = re.compile(r"^\s+[0-9a-f]+ (?P<symbol>.+?)(\+0x[0-9a-f]+)? (?P<where>\(\S*\))$")


class Recorder:
    """Records a process for as long as the context that `watch` gives lasts."""

    def __init__(self, directory, cpus):
        require("perf")
        self.path = os.path.join(directory, "perf.data")
        self.cpus = cpus

    @contextlib.contextmanager
    def watch(self, process):
        # perf says over the second pipe when it has begun.
        (orders_out, orders_in), (answers_out, answers_in) = os.pipe(), os.pipe()
        command = ["perf", "record", "--quiet", "--freq", str(SAMPLES_A_SECOND), "--call-graph", "fp", "--delay", "-1"]
        command += ["--control", f"fd:{orders_out},{answers_in}", "--output", self.path]
        command += ["--pid", ",".join(map(str, process.family()))]
        perf = Process(command, self.path + ".log", self.cpus, pass_fds=(orders_out, answers_in))
        os.close(orders_out)
        os.close(answers_in)
        with perf, open(orders_in, "w") as orders, open(answers_out) as answers:
            _tell(perf, orders, answers, "enable")
            yield
            _tell(perf, orders, answers, "stop")
            perf.popen.wait(60)

    def shares(self):
        """Of all samples, and how many there were."""
        command = ["perf", "script", "-i", self.path, "-F", "ip,sym,symoff,dso"]
        return shares_of(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def row(name, shares, samples, cpu_us):
    cells = [name, *(f"{shares.get(share, 0):.0%}" for share in SHARES), f"{cpu_us:.1f}", str(samples)]
    return "| " + " | ".join(cells) + " |"


def shares_of(script):
    found = Counter(share_of(sample.splitlines()) for sample in script.split("\n\n") if sample.strip())
    total = sum(found.values())
    if not total:
        raise Failed("perf has no samples")
    return {share: count / total for share, count in found.items()}, total


def share_of(lines):
    """The share that a sample belongs to; its lines go from the function that ran to its callers."""
    frames = [FRAME.match(line) for line in lines]
    frames = [(frame["symbol"], frame["where"]) for frame in frames if frame]
    if not frames:
        return "other"
    if frames[0][1] == KERNEL:
        return _first(CALLS, (symbol for symbol, _ in frames))
    symbol, where = frames[0]
    for kinds, name in ((LIBRARIES, where), (CALLS, symbol), (FUNCTIONS, symbol)):
        share = _first(kinds, [name])
        if share != "other":
            return share
    return "other"


def _first(kinds, names):
    for name in names:
        for share, pattern in kinds:
            if pattern.search(name):
                return share
    return "other"


def _tell(perf, orders, answers, order):
    orders.write(order + "\n")
    orders.flush()
    if order == "enable" and "ack" not in answers.readline():
        raise Failed(f"perf does not record: {perf.log()}")
