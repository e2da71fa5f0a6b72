"""Listeners that are added, removed and changed by a reload while connections are open (DESIGN section 7)."""

import os

from harness import Client, EchoApp, ManualApp, free_port, has_ipv6, main, refuses_connections, wait_until
from harness.reload import ReloadTest
from harness.tls import TlsTest


class ListenersTest(ReloadTest):
    def start_with(self, *listeners, **settings):
        self.start(EchoApp(), listeners=list(listeners), **settings)
        return self.proxy

    def client_of(self, address, **how):
        """A connection to that listener that is known to work."""
        if not isinstance(address, (str, tuple)):
            address = ("127.0.0.1", address)
        client = self.closing(Client(address)).open(**how)
        self.assert_echoes(client, "hello")
        return client

    def wait_refused(self, port):
        wait_until(lambda: refuses_connections(port), f"port {port} to be closed")

    def total(self, name):
        return self.proxy.metrics().sum("wsproxy_connections_total", listener=name)


def listener(name, port, host="127.0.0.1", **more):
    return {"name": name, "address": f"{host}:{port}", **more}


class ComeAndGo(ListenersTest):
    def test_one_that_is_added_and_removed_again(self):
        one, two = free_port(), free_port()
        self.start_with(listener("one", one))
        old = self.client_of(one)
        self.reload(listeners=[listener("one", one), listener("two", two)])
        new = self.client_of(two)
        self.assertGreaterEqual(self.proxy.metrics().sum("wsproxy_connections_active", listener="two"), 1)
        self.reload(listeners=[listener("one", one)])
        self.wait_refused(two)
        self.assert_echoes(old)
        self.assert_echoes(new, "of a listener that has gone")
        self.assert_echoes(self.client_of(one))
        self.reload(listeners=[listener("one", one), listener("two", two)])
        self.assert_echoes(self.client_of(two))
        self.assert_echoes(new)

    def test_another_address_for_the_same_name(self):
        one, two = free_port(), free_port()
        self.start_with(listener("public", one))
        old = self.client_of(one)
        self.reload(listeners=[listener("public", two)])
        self.wait_refused(one)
        self.client_of(two)
        self.assert_echoes(old)

    def test_names_and_order_that_change_keep_the_sockets(self):
        one, two = free_port(), free_port()
        self.start_with(listener("one", one), listener("two", two))
        first, second = self.client_of(one), self.client_of(two)
        self.reload(listeners=[listener("b", two), listener("a", one)])
        self.assert_echoes(first)
        self.assert_echoes(second)
        before = {name: self.total(name) for name in ("a", "b")} if self.proxy.metrics().text.count('listener="a"') else {"a": 0, "b": 0}
        self.client_of(one)
        self.client_of(one)
        self.client_of(two)
        self.assertEqual({name: self.proxy.metrics().sum("wsproxy_connections_active", listener=name) for name in ("a", "b")},
                         {"a": 2, "b": 1}, before)

    def test_ports_that_are_swapped(self):
        one, two = free_port(), free_port()
        self.start_with(listener("one", one), listener("two", two))
        first = self.client_of(one)
        self.reload(listeners=[listener("one", two), listener("two", one)])
        self.client_of(one)
        self.client_of(two)
        self.assert_echoes(first)

    def test_the_same_port_on_more_addresses_and_on_fewer(self):
        port = free_port()
        self.start_with(listener("public", port))
        old = self.client_of(port)
        self.reload(listeners=[listener("public", port, "0.0.0.0")])
        self.client_of(port)
        self.client_of(("127.0.0.2", port))
        self.reload(listeners=[listener("public", port)])
        self.client_of(port)
        self.assert_echoes(old)

    def test_other_kinds_of_address(self):
        port, path = free_port(), os.path.join("/tmp", f"wsproxy-{os.getpid()}.sock")
        self.addCleanup(lambda: os.path.exists(path) and os.remove(path))
        self.start_with(listener("public", port))
        old = self.client_of(port)
        listeners = [listener("unix", port) | {"address": f"unix:{path}"}]
        if has_ipv6():
            listeners.append(listener("six", port, "[::1]"))
        self.reload(listeners=listeners)
        self.client_of(path)
        if has_ipv6():
            self.client_of(("::1", port))
        self.wait_refused(port)
        self.reload(listeners=[listener("public", port)])
        self.client_of(port)
        wait_until(lambda: not os.path.exists(path), "the socket's file to be gone")
        self.assert_echoes(old)

    def test_the_proxy_protocol_switched_on_and_off(self):
        port = free_port()
        self.start_with(listener("public", port))
        old = self.client_of(port)
        self.reload(listeners=[listener("public", port, proxy_protocol=True)])
        client = self.closing(Client(("127.0.0.1", port)))
        client.send_bytes(b"PROXY TCP4 203.0.113.9 127.0.0.1 1234 80\r\n")
        client.open("/proxied")
        self.assertIn("203.0.113.9", self.app.requests[-1].get("X-Forwarded-For"))
        self.reload(listeners=[listener("public", port)])
        self.client_of(port)
        self.assert_echoes(old)

    def test_no_connection_is_refused_while_others_come_and_go(self):
        stays = free_port()
        others = [free_port() for _ in range(3)]
        self.start_with(listener("stays", stays))
        for turn in range(6):
            before = self.write(self.text_with({"listeners": [listener("stays", stays), listener(f"other-{turn % 3}", others[turn % 3])]}))
            while not any("configuration reloaded" in line for line in self.proxy.lines[before:]):
                self.client_of(stays).finish()


class Refused(ListenersTest):
    def test_an_address_that_cannot_be_had_refuses_all_of_it(self):
        one, two, taken = free_port(), free_port(), ManualApp()
        self.addCleanup(taken.stop)
        self.start_with(listener("one", one))
        old, config = self.client_of(one), self.proxy.get("/config")[1]
        for bad in (listener("bad", taken.port), listener("bad", free_port(), "192.0.2.1"), listener("bad", free_port(), "no-such-host.invalid")):
            with self.subTest(bad["address"]):
                self.refuse(bad["address"].rpartition(":")[0], listeners=[listener("two", two), bad], limits={"max_message_size": "1KiB"})
                self.assertEqual(self.proxy.get("/config")[1], config)
                self.assertTrue(refuses_connections(two))
                self.assert_echoes(old)
                self.assert_echoes(self.client_of(one), "x" * 5000)
        taken.stop()
        self.reload(listeners=[listener("one", one), listener("two", two), listener("late", taken.port)])
        self.client_of(two)
        self.client_of(taken.port)

    def test_even_where_one_of_ours_had_to_make_room(self):
        port, taken = free_port(), ManualApp()
        self.addCleanup(taken.stop)
        self.start_with(listener("public", port))
        old = self.client_of(port)
        self.refuse(str(taken.port), listeners=[listener("public", port, "0.0.0.0"), listener("bad", taken.port)])
        self.client_of(port)
        self.assertTrue(refuses_connections_at("127.0.0.2", port))
        self.assert_echoes(old)

    def test_not_while_it_drains(self):
        one, two = free_port(), free_port()
        self.start_with(listener("one", one), drain={"timeout": "60s"}, timeouts={"close": "60s"})
        client = self.client_of(one)
        self.proxy.terminate()
        self.assertEqual(client.read_close()[0], 1001)
        self.refuse("drain", listeners=[listener("one", one), listener("two", two)])
        self.assertTrue(refuses_connections(two))
        self.assertTrue(refuses_connections(one))
        client.answer_close(1001)
        self.assertEqual(self.proxy.wait_exit(), 0)


def refuses_connections_at(host, port):
    try:
        Client((host, port)).close()
        return False
    except ConnectionRefusedError:
        return True


class Tls(ListenersTest, TlsTest):
    def test_switched_on_and_off_on_the_same_port(self):
        port = free_port()
        self.start_with(listener("public", port))
        old = self.client_of(port)
        self.reload(listeners=[listener("public", port, tls=self.certificate.tls)])
        sealed = self.tls_client(port=port).open()
        self.assert_echoes(sealed, "sealed")
        self.reload(listeners=[listener("public", port)])
        self.client_of(port)
        self.assert_echoes(old)
        self.assert_echoes(sealed, "still sealed")

    def test_one_with_another_certificate_is_added(self):
        other = self.ca.issue("other", dns=["other.example"])
        one, two = free_port(), free_port()
        self.start_with(listener("one", one, tls=self.certificate.tls))
        old = self.tls_client(port=one).open()
        self.reload(listeners=[listener("one", one, tls=self.certificate.tls), listener("two", two, tls=other.tls)])
        self.assertEqual(self.shown(port=one), self.certificate.der)
        self.assertEqual(self.shown("other.example", port=two), other.der)
        self.reload(listeners=[listener("two", two, tls=other.tls)])
        self.wait_refused(one)
        self.assertEqual(self.shown("other.example", port=two), other.der)
        self.assert_echoes(old)

    def test_the_files_of_a_listener_that_came_later_are_watched_too(self):
        folder = os.path.join(self.folder, "later")
        os.mkdir(folder)
        crt, key = os.path.join(folder, "tls.crt"), os.path.join(folder, "tls.key")

        def put(certificate):
            for source, target in ((certificate.crt, crt), (certificate.key, key)):
                with open(source) as file, open(target + ".new", "w") as new:
                    new.write(file.read())
                os.rename(target + ".new", target)

        put(self.certificate)
        one, two = free_port(), free_port()
        self.start_with(listener("one", one))
        self.reload(listeners=[listener("one", one), listener("two", two, tls={"certificate": crt, "private_key": key})])
        self.assertEqual(self.shown(port=two), self.certificate.der)
        other = self.ca.issue("localhost")
        put(other)
        wait_until(lambda: self.shown(port=two) == other.der, "the new certificate")


if __name__ == "__main__":
    main()
