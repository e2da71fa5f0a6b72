"""Connections by the hundred: more than there may be, or reset in the midst of what they began. Who is there already is answered
meanwhile, and nothing is left of them."""

import os
import socket
import struct

from harness import SANITIZED, EchoApp, SystemTest, connect_tcp, http_head, main, wait_until
from harness.bystander import bystander
from harness.frames import TEXT, encode
from harness.tls import SharedTlsTest
from harness.tls_raw import Machine

MIB = 1 << 20
ANSWERS = 20  # that the bystander gets meanwhile: far fewer than it does on a busy machine
REQUEST = http_head.request("/storm")


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


class Resets(SystemTest):
    COUNT = 60  # of each kind

    def test_resets_in_the_midst_of_everything_leave_nothing(self):
        self.start_echo(workers=1)
        with bystander(self.echo_client()) as other:
            self.storm(5)  # what is opened once is open then
            self.wait_alone()
            open_before, turns, memory = descriptors(self.proxy), other.turns, self.proxy.own_memory()
            self.storm(self.COUNT)
            wait_until(lambda: other.turns >= turns + ANSWERS or other.problem, "the bystander to be answered")
            self.wait_alone()
            wait_until(lambda: descriptors(self.proxy) <= open_before, "the descriptors to be given back")
            if not SANITIZED:
                self.assertLess(self.proxy.own_memory() - memory, 4 * MIB)

    def storm(self, count):
        message = encode(TEXT, b"x" * 1000, masked=True)
        kinds = {
            "at once": b"", "in the head": REQUEST[:-2], "while the app is asked": REQUEST,
            "in a frame": REQUEST + message[:500], "behind a message": REQUEST + message,
        }
        for data in kinds.values():
            for _ in range(count):
                sock = connect_tcp(("127.0.0.1", self.proxy.port))
                sock.sendall(data)
                reset(sock)
        for _ in range(count):
            client = self.proxy.client()
            client.open("/storm")
            reset(client.sock)

    def wait_alone(self):
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 1, "all others to be gone")


class TlsResets(SharedTlsTest):
    app_kind = EchoApp
    COUNT = 60

    def test_handshakes_that_are_reset_in_each_flight_leave_nothing(self):
        with bystander(self.tls_client().open()) as other:
            self.storm(5)
            self.wait_alone()
            open_before, turns = descriptors(self.proxy), other.turns
            self.storm(self.COUNT)
            wait_until(lambda: other.turns >= turns + ANSWERS or other.problem, "the bystander to be answered")
            self.wait_alone()
            wait_until(lambda: descriptors(self.proxy) <= open_before, "the descriptors to be given back")

    def storm(self, count):
        for flights in range(3):
            for _ in range(count):
                machine = Machine(connect_tcp(("127.0.0.1", self.proxy.port)), self.context())
                hello = machine.first_flight()
                machine.push(hello if flights else hello[:100])
                if flights == 2:
                    machine.push(machine.second_flight())
                reset(machine.raw)

    def wait_alone(self):
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 1, "all others to be gone")


class TooMany(SystemTest):
    LIMIT, COUNT = 20, 300

    def test_those_over_the_limit_are_told_so_while_those_within_are_served(self):
        self.start_echo(workers=1, limits={"max_connections": self.LIMIT}, timeouts={"close": "500ms"})
        with bystander(self.echo_client()) as other:
            for _ in range(self.LIMIT - 1):
                self.echo_client()
            memory, turns = self.proxy.own_memory(), other.turns
            for _ in range(self.COUNT):
                client = self.proxy.client()
                client.ask()
                self.assertEqual(client.read_answer().status, 503)
                client.close()
            wait_until(lambda: other.turns >= turns + ANSWERS or other.problem, "the bystander to be answered")
            self.assertEqual(self.proxy.metrics().sum("wsproxy_rejected_total", reason="max_connections"), self.COUNT)
            if not SANITIZED:
                self.assertLess(self.proxy.own_memory() - memory, 4 * MIB)

    def test_a_flood_that_says_nothing_takes_no_place_from_those_who_are_served(self):
        self.start_echo(workers=1, limits={"max_connections": self.LIMIT}, timeouts={"handshake": "500ms"})
        with bystander(self.echo_client()) as other:
            silent = [self.closing(connect_tcp(("127.0.0.1", self.proxy.port))) for _ in range(self.COUNT)]
            turns = other.turns
            wait_until(lambda: other.turns >= turns + ANSWERS or other.problem, "the bystander to be answered")
            for sock in silent:
                try:
                    while sock.recv(4096):
                        pass
                except ConnectionResetError:
                    pass
            wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 1, "the silent ones to be gone")
            self.echo_client()  # and there is a place again


if __name__ == "__main__":
    main()
