"""Apps behind the proxy: one that a test plays by hand, and one that echoes and obeys commands."""

import queue
import socket
import threading
import time

from . import frames, http_head, http_message
from .wire import DEADLINE, Ended, Wire


class AppSide(Wire):
    """One connection as the app sees it, after the request's head."""

    def __init__(self, sock, request, received):
        super().__init__(sock, masks=False, received=received)
        self.request = request

    def accept(self, *fields):
        self.send_bytes(http_head.answer_101(self.request.get("Sec-WebSocket-Key"), fields))
        return self

    def read_frame(self, deadline=DEADLINE):
        frame = super().read_frame(deadline)
        assert frame.key is not None, f"the proxy sent the app an unmasked frame {frame}"
        assert frame.rsv == 0, f"the proxy sent the app reserved bits {frame}"
        return frame


class ListeningApp:
    """An app's listener and the URL that a proxy is given for it."""

    def __init__(self, address=None, *, receive_buffer=None):
        address = address or ("127.0.0.1", 0)
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._listener = socket.socket(family)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listener.bind(address)
        self._listener.listen(1024)
        self.address = self._listener.getsockname()

    @property
    def port(self):
        return self.address[1]

    @property
    def url(self):
        if isinstance(self.address, str):
            return f"ws+unix:{self.address}"
        host = f"[{self.address[0]}]" if ":" in self.address[0] else self.address[0]
        return f"ws://{host}:{self.port}"

    def stop(self):
        # shutdown wakes the thread in accept(); close alone does not
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()


def accept_each(listener, serve):
    """Serves each connection on a thread of its own, until the listener is closed."""
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=serve, args=(sock,), daemon=True).start()


class ManualApp(ListeningApp):
    """Listens; `next()` gives a connection whose request has come and that waits for the test.

    A connection that ends before a request is one of the proxy's readiness checks, and is let go.
    """

    def __init__(self, address=None, *, receive_buffer=None):
        super().__init__(address, receive_buffer=receive_buffer)
        self._asked = queue.Queue()
        self._threads = [threading.Thread(target=accept_each, args=(self._listener, self._read_request), daemon=True)]
        self._threads[0].start()

    def _read_request(self, sock):
        received = bytearray()
        sock.settimeout(DEADLINE)
        try:
            while (head := http_head.take_head(received)) is None:
                data = sock.recv(65536)
                if not data:
                    return sock.close()
                received += data
        except OSError:
            return sock.close()
        self.on_request(AppSide(sock, head, bytes(received)))

    def on_request(self, side):
        self._asked.put(side)

    def next(self, deadline=DEADLINE):
        return self._asked.get(timeout=deadline)

    def nobody_came(self):
        """Whether no request is waiting; one that is gets let go, so that the next look starts afresh."""
        came = []
        while not self._asked.empty():
            came.append(self._asked.get())
            came[-1].close()
        return not came


class EchoApp(ManualApp):
    """Sends back what it gets. Offers no extension and knows none. A text that begins with `/` is a command:

    /close CODE REASON   closes            /vanish         resets the connection
    /ping TEXT           sends a ping      /pongs          says how many pongs have come
    /feed N TEXT         sends N times TEXT with a number before it
    /fragments N TEXT    sends TEXT in N frames
    """

    def __init__(self, address=None, *, subprotocols=(), fields=()):
        self._subprotocols, self._fields = subprotocols, [*fields]
        self.requests = []
        super().__init__(address)

    def on_request(self, side):
        self.requests.append(side.request)
        wanted = [name.strip() for name in side.request.get("Sec-WebSocket-Protocol", "").split(",")]
        chosen = next((name for name in wanted if name in self._subprotocols), None)
        side.accept(*self._fields, *([("Sec-WebSocket-Protocol", chosen)] if chosen else []))
        try:
            self._serve(side)
        except (Ended, TimeoutError, OSError):
            side.close()

    def _serve(self, side):
        parts, pongs = [], 0
        while True:
            frame = side.read_frame(deadline=60)
            if frame.opcode == frames.CLOSE:
                side.send_frame(frames.CLOSE, frame.payload)
                return side.close()
            if frame.opcode == frames.PING:
                side.send_frame(frames.PONG, frame.payload)
            elif frame.opcode == frames.PONG:
                pongs += 1
            else:
                parts.append(frame)
                if frame.fin:
                    opcode, data = parts[0].opcode, b"".join(part.payload for part in parts)
                    parts = []
                    if opcode == frames.TEXT and data.startswith(b"/"):
                        if self._obey(side, data.decode(), pongs):
                            return
                    else:
                        side.send_frame(opcode, data)

    def _obey(self, side, command, pongs):
        """True when the connection is over."""
        verb, _, rest = command.partition(" ")
        count, _, text = rest.partition(" ")
        if verb == "/close":
            side.send_close(int(count) if count else None, text)
            side.read_close()
            side.close()
            return True
        if verb == "/vanish":
            side.reset()
            return True
        if verb == "/ping":
            side.send_frame(frames.PING, rest.encode())
        elif verb == "/pongs":
            side.send(str(pongs))
        elif verb == "/feed":
            side.send_bytes(b"".join(side.message_bytes(f"{at} {text}") for at in range(int(count))))
        elif verb == "/fragments":
            size = -(-len(text) // int(count))
            side.send_fragments(frames.TEXT, [text[at : at + size].encode() for at in range(0, len(text), size)])
        else:
            side.send(f"unknown command {command}")
        return False


class NamedApp(EchoApp):
    """Says its name in X-App: answers plain requests without a body with their targets, and echoes."""

    def __init__(self, name, address=None):
        self.name = name
        super().__init__(address, fields=[("X-App", name)])

    def on_request(self, side):
        try:
            while side.request.get("Upgrade") is None:
                self.requests.append(side.request)
                side.send_bytes(http_message.answer(fields=self._fields, body=side.request.target.encode()))
                while (head := http_head.take_head(side.buffer)) is None:
                    side.receive_some(60)
                side.request = head
        except (Ended, TimeoutError, OSError):
            return side.close()
        super().on_request(side)


def wait_until(condition, what, deadline=DEADLINE):
    """Polls for what has no event of its own, such as a number in /proc."""
    end = time.monotonic() + deadline
    while not (value := condition()):
        assert time.monotonic() < end, f"waited {deadline} s for {what}"
        time.sleep(0.005)
    return value
