"""wss:// apps: who is believed, and what the client hears when one is not. What goes through them is in
tls_upstream_relay_test.py."""

import socket
import ssl
import time
import unittest
import warnings

from harness import DEADLINE, HttpClient, has_ipv6, main
from harness.authority import Authority
from harness.app import ListeningApp
from harness.tls import V12, V13, TlsEchoApp, TlsNamedApp, TlsTest, in_background


class SilentApp(ListeningApp):
    """Takes connections and says nothing."""

    def url_as(self, host):
        return f"wss://{host}:{self.port}"


class BabblingApp(SilentApp):
    """Answers whatever comes in plain text, as a server of HTTP does."""

    def answer_all(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            if sock.recv(4096):
                sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            sock.close()


class UpstreamTest(TlsTest):
    def assert_echoes(self):
        client = self.echo_client(extensions="permessage-deflate")
        for text in ("hello, hello, hello", "x" * 200_000):
            client.send(text)
            self.assertEqual(client.read_message().text, text)

    def assert_bad_gateway(self, *words, statuses=(502,)):
        """For an upgrade and a plain request: the status, the metric, and a warning with each of these words."""
        before, first = self.errors(), len(self.proxy.lines)
        client = self.closing(self.proxy.client())
        client.ask("/upgrade")
        self.assertIn(client.read_answer().status, statuses)
        answer = self.closing(HttpClient(("127.0.0.1", self.proxy.port))).ask("/plain").read_answer()
        self.assertIn(answer.status, statuses)
        self.proxy.wait_metric("wsproxy_upstream_errors_total", before + 2, reason="tls")
        self.assertEqual(self.errors(), before + 2)
        line = self.proxy.wait_for_line(r'"level":"warning".*"upstream error"', after=first).string
        for word in words:
            self.assertIn(word, line)

    def errors(self):
        return self.proxy.metrics().sum("wsproxy_upstream_errors_total", reason="tls")


class Believed(UpstreamTest):
    def test_an_app_of_the_authority_given_in_both_versions(self):
        for version in (V12, V13):
            with self.subTest(version=version.name):
                self.start_in_front(TlsEchoApp(self.certificate, versions=[version]), wait="ready")
                self.assert_echoes()
                self.assertEqual(self.app.names, ["localhost"])
                self.assertEqual(self.errors(), 0)

    def test_an_rsa_certificate(self):
        self.start_in_front(TlsEchoApp(self.ca.issue("localhost", rsa=True)))
        self.assert_echoes()

    def test_the_system_s_authorities_where_none_is_given(self):
        self.start_in_front(TlsEchoApp(self.certificate), tls={"ca": ""}, env={"SSL_CERT_FILE": self.ca.crt})
        self.assert_echoes()

    def test_an_address_that_the_certificate_has_and_no_name_is_asked_for(self):
        self.start_in_front(TlsEchoApp(self.ca.issue("x", dns=(), ips=["127.0.0.1"])), host="127.0.0.1")
        self.assert_echoes()
        self.assertEqual(self.app.names, [None])

    @unittest.skipUnless(has_ipv6(), "no IPv6 here")
    def test_an_ipv6_address(self):
        self.start_in_front(TlsEchoApp(self.ca.issue("x", dns=(), ips=["::1"]), address=("::1", 0)), host="[::1]")
        self.assert_echoes()

    def test_another_name_where_server_name_says_so(self):
        self.start_in_front(TlsEchoApp(self.ca.issue("app", dns=["*.internal.example"], ips=())), tls={"server_name": "app.internal.example"})
        self.assert_echoes()
        self.assertEqual(self.app.names, ["app.internal.example"])
        self.assertEqual(self.app.requests[-1].get("Host"), "localhost")  # what the client said

    def test_anybody_with_verify_false_and_a_warning(self):
        self.start_in_front(TlsEchoApp(Authority(self.folder).issue("x", dns=["other.example"], ips=(), ends=-0.5)), tls={"ca": "", "verify": False})
        self.proxy.wait_for_line(r'"level":"warning".*verif')
        self.assert_echoes()

    def test_the_app_gets_the_certificate_it_asks_for(self):
        client_ca = Authority(self.folder, "proxies")
        own = client_ca.issue("the proxy")
        for version in (V12, V13):
            with self.subTest(version=version.name):
                self.start_in_front(TlsEchoApp(self.certificate, client_ca=client_ca.crt, versions=[version]), tls=own.tls)
                self.assert_echoes()
                self.assertEqual(self.app.certificates, [own.der])

    def test_a_route_s_app_has_settings_of_its_own(self):
        other_ca = Authority(self.folder, "other")
        other = TlsNamedApp(other_ca.issue("localhost"), name="other")
        self.addCleanup(other.stop)
        def route(path, ca):
            return {"match": {"path": path}, "upstream": {"url": other.url, "tls": {"ca": ca}}}
        self.start_in_front(TlsNamedApp(self.certificate, name="first"), routes=[route("/other", other_ca.crt), route("/wrong", self.ca.crt)])
        for path, name in (("/", "first"), ("/other", "other")):
            self.assertEqual(self.echo_client(path).answer.get("X-App"), name)
        client = self.closing(self.proxy.client())
        client.ask("/wrong")
        self.assertEqual(client.read_answer().status, 502)


class NotBelieved(UpstreamTest):
    def test_an_authority_that_nobody_knows(self):
        self.start_in_front(TlsEchoApp(self.certificate), tls={"ca": ""})
        self.assert_bad_gateway("certificate verify failed")
        self.assertEqual(self.app.requests, [])

    def test_a_certificate_of_the_system_s_where_another_authority_is_given(self):
        self.start_in_front(TlsEchoApp(self.certificate), tls={"ca": Authority(self.folder).crt}, env={"SSL_CERT_FILE": self.ca.crt})
        self.assert_bad_gateway("certificate verify failed")

    def test_the_wrong_name(self):
        self.start_in_front(TlsEchoApp(self.ca.issue("localhost", dns=["other.example"], ips=["127.0.0.1"])))
        self.assert_bad_gateway("mismatch")

    def test_the_wrong_address(self):
        self.start_in_front(TlsEchoApp(self.ca.issue("127.0.0.1", dns=["localhost", "127.0.0.1"], ips=["127.0.0.2"])), host="127.0.0.1")
        self.assert_bad_gateway("mismatch")

    def test_another_name_than_server_name(self):
        self.start_in_front(TlsEchoApp(self.certificate), tls={"server_name": "app.example"})
        self.assert_bad_gateway("mismatch")

    def test_a_wildcard_stands_for_one_label(self):
        self.start_in_front(TlsEchoApp(self.ca.issue("x", dns=["*.example"], ips=())), tls={"server_name": "a.b.example"})
        self.assert_bad_gateway("mismatch")

    def test_an_expired_certificate(self):
        self.start_in_front(TlsEchoApp(self.ca.issue("localhost", begins=-9, ends=-1)))
        self.assert_bad_gateway("expired")

    def test_a_certificate_for_clients(self):
        self.start_in_front(TlsEchoApp(self.ca.issue("localhost", usage="clientAuth")))
        self.assert_bad_gateway("certificate verify failed")

    def test_a_version_that_is_too_old(self):
        app = TlsEchoApp(self.certificate)
        app.context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            app.context.minimum_version = app.context.maximum_version = ssl.TLSVersion.TLSv1_1
        self.start_in_front(app)
        self.assert_bad_gateway('"reason":')

    def test_an_app_that_wants_a_certificate_and_gets_none_or_the_wrong_one(self):
        client_ca = Authority(self.folder, "proxies")
        for version in (V12, V13):
            for tls in ({}, Authority(self.folder).issue("stranger").tls):
                with self.subTest(version=version.name, has_certificate=bool(tls)):
                    self.start_in_front(TlsEchoApp(self.certificate, client_ca=client_ca.crt, versions=[version]), tls=tls)
                    self.assert_bad_gateway("alert")

    def test_an_app_that_speaks_no_tls(self):
        app = BabblingApp()
        in_background(app.answer_all)
        self.start_in_front(app)
        self.assert_bad_gateway('"reason":')


class Stalled(UpstreamTest):
    def test_an_app_that_stalls_in_the_handshake_takes_no_longer_than_connect_timeout(self):
        self.start_in_front(SilentApp(), upstream={"connect_timeout": "400ms"})
        begin = time.monotonic()
        client = self.closing(self.proxy.client())
        client.ask()
        self.assertIn(client.read_answer().status, (502, 504))
        self.assertGreater(time.monotonic() - begin, 0.35)
        self.assertLess(time.monotonic() - begin, 2)
        self.proxy.wait_for_line(r'"level":"warning".*"upstream error"')

    def test_a_client_that_leaves_meanwhile_takes_the_app_s_connection_with_it(self):
        self.start_in_front(SilentApp(), upstream={"connect_timeout": "60s"})
        client = self.proxy.client()
        client.ask()
        self.app._listener.settimeout(DEADLINE)
        while True:
            sock, _ = self.app._listener.accept()
            self.addCleanup(sock.close)
            sock.settimeout(DEADLINE)
            if sock.recv(5, socket.MSG_PEEK)[:1] == b"\x16":
                break
        client.reset()
        while sock.recv(65536):
            pass

    def test_an_app_that_hangs_up_in_the_handshake(self):
        def hang_up(sock):
            sock.recv(5)
            raise ConnectionResetError
        self.start_in_front(TlsEchoApp(self.certificate, ahead=hang_up))
        self.assert_bad_gateway('"reason":')


if __name__ == "__main__":
    main()
