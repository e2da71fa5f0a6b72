"""Where it listens and where it connects to: unix sockets, IPv6, several listeners (DESIGN section 7)."""

import os
import socket
import stat
import tempfile
import unittest

from harness import Client, EchoApp, SystemTest, free_port, has_ipv6, main, refuses_connections, wait_until


class UnixSockets(SystemTest):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory(prefix="wsproxy-")
        self.addCleanup(folder.cleanup)
        self.path, self.app_path = os.path.join(folder.name, "proxy.sock"), os.path.join(folder.name, "app.sock")

    def start_on_unix(self, app):
        return self.start(app, listeners=[{"name": "local", "address": f"unix:{self.path}"}])

    def assert_echoes(self, address):
        client = self.closing(Client(address)).open("/unix?x=1", extensions="permessage-deflate")
        client.send("over a unix socket, over a unix socket")
        got = client.read_message()
        self.assertEqual((got.text, got.compressed), ("over a unix socket, over a unix socket", True))

    def test_a_listener_and_an_app_on_unix_sockets(self):
        self.start_on_unix(EchoApp(self.app_path))
        self.assertEqual(self.proxy.settings["upstream"]["url"], f"ws+unix:{self.app_path}")
        self.assert_echoes(self.path)
        self.assertEqual(self.app.requests[0].target, "/unix?x=1")

    def test_an_app_on_a_unix_socket_behind_a_tcp_listener(self):
        self.start(EchoApp(self.app_path))
        self.assert_echoes(("127.0.0.1", self.proxy.port))

    def test_a_socket_file_left_by_a_dead_process_is_taken_over(self):
        left = socket.socket(socket.AF_UNIX)
        left.bind(self.path)
        left.close()
        self.start_on_unix(EchoApp())
        self.assert_echoes(self.path)

    def test_a_file_that_is_no_socket_is_left_alone(self):
        with open(self.path, "w") as file:
            file.write("precious")
        with self.assertRaisesRegex(AssertionError, "ended while starting"):
            self.start_on_unix(EchoApp())
        with open(self.path) as file:
            self.assertEqual(file.read(), "precious")

    def test_the_socket_file_is_gone_after_an_orderly_end(self):
        self.start_on_unix(EchoApp())
        self.assertTrue(stat.S_ISSOCK(os.stat(self.path).st_mode))
        self.proxy.terminate()
        self.assertEqual(self.proxy.wait_exit(), 0)
        self.assertFalse(os.path.exists(self.path))

    def test_an_app_whose_socket_is_not_there_yet_is_waited_for(self):
        self.start(app_url=f"ws+unix:{self.app_path}", wait="live")
        client = self.closing(self.proxy.client())
        client.ask()
        self.proxy.wait_metric("wsproxy_connections_active", 1)
        late = EchoApp(self.app_path)
        self.addCleanup(late.stop)
        self.assertEqual(client.read_answer().status, 101)


@unittest.skipUnless(has_ipv6(), "this machine has no IPv6")
class Ipv6(SystemTest):
    def test_a_listener_on_ipv6_and_an_app_on_ipv6(self):
        port = free_port()
        self.start(EchoApp(("::1", 0)), listeners=[{"name": "six", "address": f"[::1]:{port}"}])
        client = self.closing(Client(("::1", port))).open()
        client.send("six")
        self.assertEqual(client.read_message().text, "six")
        self.assertEqual(self.app.requests[0].get("X-Forwarded-For"), "::1")
        self.assertTrue(refuses_connections(port), "127.0.0.1 was not asked for")

    def test_the_unspecified_address_takes_both_families(self):
        port = free_port()
        self.start(EchoApp(), listeners=[{"name": "all", "address": f"[::]:{port}"}])
        for host in ("::1", "127.0.0.1"):
            client = self.closing(Client((host, port))).open()
            client.send(host)
            self.assertEqual(client.read_message().text, host)
        self.assertEqual(self.app.requests[1].get("X-Forwarded-For"), "127.0.0.1")


class Several(SystemTest):
    def test_each_listener_works_and_counts_by_its_name(self):
        first, second = free_port(), free_port()
        self.start(EchoApp(), listeners=[{"name": "one", "address": f"127.0.0.1:{first}"}, {"address": f"127.0.0.1:{second}"}])
        self.closing(Client(("127.0.0.1", first))).open()
        for _ in range(2):
            self.closing(Client(("127.0.0.1", second))).open()
        metrics = self.proxy.metrics()
        self.assertEqual(metrics.sum("wsproxy_connections_active", listener="one"), 1)
        self.assertEqual(metrics.sum("wsproxy_connections_active", listener=f"127.0.0.1:{second}"), 2)

    def test_a_listener_and_an_app_named_localhost(self):
        app = EchoApp()
        port = free_port()
        self.start(app, app_url=f"ws://localhost:{app.port}", listeners=[{"name": "named", "address": f"localhost:{port}"}])
        client = self.closing(Client(("127.0.0.1", port))).open()
        client.send("by name")
        self.assertEqual(client.read_message().text, "by name")


class Workers(SystemTest):
    ROUNDS = 40

    def turns(self):
        """How often each thread of the proxy has gone to sleep or been put to sleep."""
        result = {}
        for thread in os.listdir(f"/proc/{self.proxy.pid}/task"):
            with open(f"/proc/{self.proxy.pid}/task/{thread}/status") as status:
                result[thread] = sum(int(line.split()[1]) for line in status if "ctxt_switches" in line)
        return result

    def thread_of(self, client):
        """The thread that works for this connection: the one that wakes up when it is talked on."""
        before = self.turns()
        for _ in range(self.ROUNDS):
            client.send("and more text, and more text")
            self.assertEqual(client.read_message().text, "and more text, and more text")
        after = self.turns()
        return max(after, key=lambda thread: after[thread] - before.get(thread, 0))

    def open_many(self, count):
        return [self.echo_client(extensions="permessage-deflate") for _ in range(count)]

    def test_there_are_as_many_workers_as_asked_for_and_each_has_its_share(self):
        for workers in (1, 3):
            with self.subTest(workers=workers):
                self.start(EchoApp(), workers=workers)
                threads = [self.thread_of(client) for client in self.open_many(4 * workers)]
                self.assertEqual(sorted(map(threads.count, set(threads))), [4] * workers)

    def test_a_newcomer_goes_where_the_fewest_are(self):
        self.start(EchoApp(), workers=3)
        by_thread = {}
        for client in self.open_many(6):
            by_thread.setdefault(self.thread_of(client), []).append(client)
        self.assertEqual(len(by_thread), 3)
        freed, leaving = by_thread.popitem()
        for client in leaving:
            client.finish()
        self.proxy.wait_metric("wsproxy_closes_total", len(leaving), side="client")
        self.assertEqual([self.thread_of(client) for client in self.open_many(2)], [freed, freed])

    def test_connections_on_all_workers_talk_at_the_same_time(self):
        self.start(EchoApp(), workers=4)
        clients = self.open_many(40)
        for at, client in enumerate(clients):
            client.send(f"{at} and more text, and more text, and more text")
        for at, client in enumerate(clients):
            self.assertEqual(client.read_message().text, f"{at} and more text, and more text, and more text")
        self.assertEqual(self.proxy.metrics().sum("wsproxy_connections_active"), 40)
        for client in clients:
            client.reset()
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 0, "them to be gone")


if __name__ == "__main__":
    main()
