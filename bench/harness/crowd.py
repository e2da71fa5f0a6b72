"""Connections that say nothing: they answer pings, and when they are told to go, they go. `harness.crowd PORT COUNT`.

Prints `open` when all are, and at the end what they were told, as JSON.
"""

import base64
import json
import os
import selectors
import socket
import sys
import time

MASK = bytes(4)  # masks nothing, which is allowed (RFC 6455 section 5.3 asks for one that cannot be foretold; nobody is fooled here)
PER_SOURCE = 20_000  # connections from one loopback address, which has 28,000 ports


class Crowd:
    def __init__(self, port, count):
        self.pings, self.codes, self.times = 0, {}, []
        self.waiting = selectors.DefaultSelector()
        for number in range(count):
            sock = self._open(port, f"127.0.0.{2 + number // PER_SOURCE}")
            self.waiting.register(sock, selectors.EVENT_READ)
            if number % 200 == 0:  # those that are open are pinged already
                self._hear_all(0)

    @staticmethod
    def _open(port, source):
        sock = socket.create_connection(("127.0.0.1", port), 30, (source, 0))
        key = base64.b64encode(os.urandom(16)).decode()
        sock.sendall(f"GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            piece = sock.recv(1024)
            if not piece:
                sys.exit(f"closed in its handshake after {head!r}")
            head += piece
        if not head.startswith(b"HTTP/1.1 101"):
            sys.exit(head.decode())
        return sock

    def attend(self):
        """Until all are gone."""
        while self.waiting.get_map():
            self._hear_all(None)

    def _hear_all(self, timeout):
        for key, _ in self.waiting.select(timeout):
            self._hear(key.fileobj)

    def _hear(self, sock):
        """Control frames are small and come whole; a read that ends inside one would be an error of this program."""
        data = sock.recv(4096)
        if not data:
            self.codes["1006"] = self.codes.get("1006", 0) + 1
            return self._leave(sock)
        while data:
            opcode, size = data[0] & 0xF, data[1]
            payload, data = data[2 : 2 + size], data[2 + size :]
            if opcode == 0x9:
                self.pings += 1
                self._answer(sock, 0xA, payload)
            elif opcode == 0x8:
                code = str(int.from_bytes(payload[:2], "big"))
                self.codes[code] = self.codes.get(code, 0) + 1
                self.times.append(time.monotonic())
                self._answer(sock, 0x8, payload)
                return self._leave(sock)
            else:
                sys.exit(f"an unexpected frame of opcode {opcode}")

    @staticmethod
    def _answer(sock, opcode, payload):
        sock.sendall(bytes([0x80 | opcode, 0x80 | len(payload)]) + MASK + payload)

    def _leave(self, sock):
        self.waiting.unregister(sock)
        sock.close()


def main():
    crowd = Crowd(int(sys.argv[1]), int(sys.argv[2]))
    print("open", flush=True)
    crowd.attend()
    print(json.dumps({"pings": crowd.pings, "codes": crowd.codes, "times": crowd.times}), flush=True)


if __name__ == "__main__":
    main()
