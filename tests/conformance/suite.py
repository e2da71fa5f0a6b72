"""Runs a table of cases against the built proxy: `AREA_test.py [NUMBER...]`, where 5.3 is also all that begins with 5.3."""

import re
import sys
import time

from judge import EchoGround

from harness import Proxy

SETTINGS = {"timeouts": {"close": "2s", "ping_interval": "0s"}}


def chosen(cases, numbers):
    """5 is 5.1 and 5.1+joined, not 51."""
    return [case for case in cases if not numbers or any(re.match(rf"{re.escape(number)}(?![0-9])", case.number) for number in numbers)]


def check_numbers(cases):
    numbers = [case.number for case in cases]
    twice = {number for number in numbers if numbers.count(number) > 1} if len(set(numbers)) != len(numbers) else None
    assert not twice, f"numbers given twice: {sorted(twice)}"


def failures(judge, cases):
    for case in cases:
        if faults := judge.play(case):
            yield case, faults


def main(area, cases, settings=None):
    check_numbers(cases)
    wanted = chosen(cases, sys.argv[1:])
    began = time.monotonic()
    ground = EchoGround(lambda url: Proxy(url, SETTINGS | (settings or {})))
    failed = 0
    try:
        for case, faults in failures(ground.judge, wanted):
            failed += 1
            print(f"FAILED {case.number} ({case.section}) {case.name}", *faults, sep="\n    ")
        if failed:
            print("the last lines of wsproxy:", *ground.proxy.lines[-40:], sep="\n  ")
    finally:
        ground.stop()
    print(f"conformance {area}: {len(wanted)} cases, {failed} failed, {time.monotonic() - began:.1f} s")
    sys.exit(1 if failed or not wanted else 0)
