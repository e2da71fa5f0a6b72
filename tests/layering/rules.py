"""What each room of src/ may include and use: the floors of the house and the purity of its lower rooms.

A breach is a line of text, FILE:LINE: what is wrong.
"""

import re
from pathlib import Path

PROTOCOLS = {"websocket", "deflate", "http", "config", "telemetry"}

# What a room may include of ours, besides itself. A room that is missing here is a breach.
FLOORS = {
    "base": set(),
    "websocket": {"base"},
    "deflate": {"base", "websocket"},
    "http": {"base"},
    "config": {"base"},
    "telemetry": {"base"},
    "relay": {"base", "websocket", "deflate"},
    "net": {"base"} | PROTOCOLS,
    "proxy": {"base", "relay", "net"} | PROTOCOLS,
    "server": {"base", "relay", "net", "proxy"} | PROTOCOLS,
    "doctor": {"base", "websocket", "deflate", "http"},
    "cli": {"base", "relay", "net", "proxy", "server", "doctor"} | PROTOCOLS,
    "main.cpp": {"cli"},
}

PURE = {"base", "websocket", "deflate", "http", "relay"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
COMMENT_OR_TEXT = re.compile(r'//.*|/\*.*?\*/|"(?:\\.|[^"\\])*"')

# Headers of the world outside that a pure room does not know: sockets, event loops, clocks that tick,
# logs, threads, files.
IMPURE_HEADERS = re.compile(
    r"^(boost/asio.*|boost/beast/(?!http/).*|openssl/ssl\.h|spdlog/.*|fmt/(printf|ostream|os)\.h|prometheus/.*|iostream"
    r"|fstream|filesystem|cstdio|stdio\.h|thread|mutex|shared_mutex|atomic|condition_variable|future|semaphore"
    r"|barrier|latch|stop_token|random|ctime|time\.h|csignal|signal\.h|unistd\.h|fcntl\.h|poll\.h|netdb\.h"
    r"|pthread\.h|sys/.*|netinet/.*|arpa/.*)$"
)
IMPURE_CODE = re.compile(
    r"::now\s*\(|\bthread_local\b|\bgetenv\s*\(|\bstd::(cout|cerr|clog|random_device|rand)\b|\bspdlog::|\bsleep_for\b"
)
COROUTINE = re.compile(r"\bco_(await|return|yield)\b|^coroutine$")
# Event loops and TLS stop in net/: what carries data above it uses net's names, what is below knows none.
LOOPLESS = PURE | {"config", "telemetry"}


def room_of(file, source):
    return file.relative_to(source).parts[0]


def check_include(room, quote, target, source):
    if quote == "<":
        if COROUTINE.search(target):
            yield f"<{target}>: no coroutines in src/"
        if room in PURE and IMPURE_HEADERS.match(target):
            yield f"<{target}>: {room}/ is pure"
        elif room in LOOPLESS and target.startswith("boost/asio"):
            yield f"<{target}>: {room}/ knows no event loop"
        return
    if not (source / target).is_file():
        yield f'"{target}": project headers are written from src/, and this one is not there'
        return
    other = Path(target).parts[0]
    if other != room and other not in FLOORS[room]:
        yield f'"{target}": {room} may not include {other}'


def check_line(room, line, source):
    include = INCLUDE.match(line)
    if include:
        yield from check_include(room, include[1], include[2], source)
        return
    code = COMMENT_OR_TEXT.sub("", line)
    if COROUTINE.search(code):
        yield "no coroutines in src/"
    impure = IMPURE_CODE.search(code)
    if room in PURE and impure:
        yield f"{impure[0].strip()}: {room}/ is pure; it comes as an argument"


def breaches(source):
    for file in sorted(source.rglob("*")):
        if file.suffix not in (".hpp", ".cpp"):
            continue
        name, room = file.relative_to(source), room_of(file, source)
        if room not in FLOORS:
            yield f"{name}:1: {room} has no floor"
            continue
        lines = file.read_text(encoding="utf-8").splitlines()
        if file.suffix == ".hpp" and "#pragma once" not in lines:
            yield f"{name}:1: a header begins with #pragma once"
        for number, line in enumerate(lines, 1):
            for problem in check_line(room, line, source):
                yield f"{name}:{number}: {problem}"
