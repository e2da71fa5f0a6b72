"""Servers that are wrong in one thing each: a fault is a check of the doctor's, the status it must have, and what differs
from the correct Connection. The tables are in *_faults.py."""

import dataclasses

from harness import frames

from leaving import Closing, Gone, Silent


@dataclasses.dataclass
class Fault:
    check: str
    status: str  # that the check must have
    name: str
    changes: dict  # attributes and methods of Connection
    deep: bool = False
    timeout: str = "500ms"
    tls: dict | None = None  # how to make the server's TLS, for faults that are there
    beside: tuple = ()  # other checks that must run for it to be seen

    def __str__(self):
        return f"{self.check}: {self.name}"


def _fault(status):
    told = {field.name for field in dataclasses.fields(Fault)}

    def fault(check, name, **how):
        """What is no field of Fault is a change of the server."""
        changes = {key: value for key, value in how.items() if key not in told}
        return Fault(check, status, name, changes, **{key: value for key, value in how.items() if key in told})
    return fault


fails, warns = _fault("fail"), _fault("warn")


# What a server does about a frame that breaks a rule, other than to close with the rule's code.


def goes_on():
    pass


def closes_otherwise():
    raise Closing(frames.close_payload(1011, "whatever"))


def drops():
    raise Gone


def falls_silent():
    raise Silent


def of_bad_frames(check, *rules, can_be_ignored=True):
    """The four ways to get a rule wrong; of several rules each is broken alone."""
    for rule in rules:
        if can_be_ignored:
            yield fails(check, f"{rule}: goes on", instead={rule: goes_on})
        yield warns(check, f"{rule}: closes with 1011", instead={rule: closes_otherwise})
        yield warns(check, f"{rule}: drops the connection", instead={rule: drops})
    yield fails(check, f"{rules[0]}: says nothing any more", instead={rules[0]: falls_silent})
