"""An app that speaks plain HTTP and is played by the test, on the test's own thread."""

import select
import time

from . import http_message
from .app import ListeningApp
from .http_wire import HttpWire
from .wire import DEADLINE, Ended


class HttpSide(HttpWire):
    """One connection as the app sees it. `request` is the head that came last."""

    def __init__(self, sock):
        super().__init__(sock)
        self.request = None
        self.waits = True  # for the next request; not while one is being answered

    def body(self, deadline=DEADLINE):
        return self.read_body(self.request, deadline=deadline)

    def answer(self, *args, **how):
        self.send_bytes(http_message.answer(*args, **how))
        self.waits = True
        return self


class HttpApp(ListeningApp):
    """Does nothing by itself: what the proxy sends waits in the kernel until the test looks, so that looking
    shows all that has come. A connection that ends before its first byte is a readiness check."""

    def __init__(self, address=None, **how):
        super().__init__(address, **how)
        self._listener.setblocking(False)
        self.sides = []
        self.used = 0  # connections that had a request

    def next(self, deadline=DEADLINE):
        """The connection on which the next request has come, new or used before; its head is read."""
        end = time.monotonic() + deadline
        while (left := end - time.monotonic()) > 0:
            self._wait(left, [side for side in self.sides if side.waits])
            for side in self.sides:
                if side.waits and (side.buffer or readable([side], 0)) and self._take_request(side):
                    return side
        raise TimeoutError("no request came")

    def _wait(self, timeout, sides):
        if not any(side.buffer for side in sides):
            readable([self._listener, *sides], timeout)
        while True:
            try:
                self.sides.append(HttpSide(self._listener.accept()[0]))
            except BlockingIOError:
                return

    def _take_request(self, side):
        try:
            head = side.read_head()
        except Ended:
            assert not side.buffer, f"half a head came: {bytes(side.buffer)!r}"
            self.forget(side)
            return False
        self.used += side.request is None
        side.request, side.waits = head, False
        return True

    def forget(self, side):
        side.close()
        self.sides.remove(side)

    def forget_all(self):
        for side in [*self.sides]:
            self.forget(side)

    def is_asked_before(self, wire, deadline=DEADLINE):
        """Whether a request comes before the wire has something to read."""
        while ready := readable([wire, self._listener, *self.sides], deadline):
            if wire in ready:
                return False
            self._wait(0, [])
            for side in ready:
                if side in self.sides:
                    return True
        raise TimeoutError("neither came")

    def unread(self):
        """All bytes that came and that no test has read, on whichever connection; ended ones are let go."""
        came = b""
        self._wait(0, [])
        while ready := [side for side in self.sides if side.buffer or readable([side], 0)]:
            for side in ready:
                try:
                    side.receive_some(0.1)
                except Ended:
                    self.forget(side)
                came += bytes(side.buffer)
                side.buffer.clear()
        return came

    def read_all_to_end(self, deadline=DEADLINE):
        """All bytes of the connections that do not wait for a request, down to their ends, which must come."""
        self._wait(0, [])
        came = b""
        for side in [side for side in self.sides if not side.waits or readable([side], 0)]:
            came += side.read_to_end(deadline)
            self.forget(side)
        return came

    def stop(self):
        self.forget_all()
        super().stop()


def readable(ends, timeout):
    """Those of the sockets and wires that have bytes or their end to read."""
    poller = select.poll()
    numbers = {}
    for end in ends:
        number = getattr(end, "sock", end).fileno()
        numbers[number] = end
        poller.register(number, select.POLLIN)
    return [numbers[number] for number, _ in poller.poll(timeout * 1000)]
