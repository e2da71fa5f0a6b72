"""A well-behaved connection that talks all the while somebody else does not."""

import contextlib
import threading

from .wire import DEADLINE


class Bystander:
    """Echoes on a thread of its own until `leave`, which fails when anything has gone wrong or nothing has been said."""

    def __init__(self, client):
        self.client, self.turns, self.problem = client, 0, None
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._talk, daemon=True)
        self._thread.start()

    def _talk(self):
        try:
            while not self._ends.is_set():
                text = f"{self.turns}: minding my own business, minding my own business"
                self.client.send(text)
                got = self.client.read_message().text
                assert got == text, f"{got!r} instead of {text!r}"
                self.turns += 1
        except Exception as problem:  # shown by leave()
            self.problem = problem

    def leave(self):
        self._ends.set()
        self._thread.join(2 * DEADLINE)
        assert self.problem is None, f"the bystander was disturbed: {self.problem!r}"
        assert self.turns > 0, "the bystander has said nothing"
        self.client.finish()


@contextlib.contextmanager
def bystander(client):
    one = Bystander(client)
    yield one
    one.leave()
