"""Clients' certificates: who is let in, and who is told off with which alert. What the app hears of them is in
tls_forwarded_cert_test.py."""

import ssl

from harness import http_head, main
from harness.authority import Authority
from harness.tls import V12, V13, SharedTlsTest


class ClientCertificates(SharedTlsTest):
    """Listeners that require, may have, and never ask; one without TLS. Sessions of one are tried at another."""

    @classmethod
    def listeners(cls):
        cls.client_ca, cls.other_ca = Authority(cls.folder, "clients"), Authority(cls.folder, "others")
        cls.kiosk = cls.client_ca.issue("kiosk 7", dns=["kiosk.example"], ips=(), uris=["spiffe://example/kiosk"])
        cls.revoked = cls.client_ca.issue("stolen")
        cls.client_ca.revoke(cls.revoked)
        crl = cls.client_ca.crl()
        return {"required": {"client_ca": cls.client_ca.crt, "client_crl": crl},
                "optional": {"client_ca": cls.client_ca.crt, "client_auth": "optional", "client_crl": crl},
                "no list": {"client_ca": cls.client_ca.crt}, "open": {}}

    def connect(self, listener, **how):
        return self.tls_client(port=self.ports[listener], **how)

    def assert_let_in(self, listener, **how):
        client = self.connect(listener, **how).open()
        client.send("let in")
        self.assertEqual(client.read_message().text, "let in")
        return client

    def assert_refused(self, alert, reason, listener="required", **how):
        before, first = self.failures(reason=reason), len(self.proxy.lines)
        rejected = self.proxy.metrics().sum("wsproxy_rejected_total", reason="tls")
        self.assertEqual(self.refusal(port=self.ports[listener], **how), alert)
        self.proxy.wait_metric("wsproxy_tls_handshake_errors_total", before + 1, reason=reason)
        self.assertEqual(self.proxy.metrics().sum("wsproxy_rejected_total", reason="tls"), rejected + 1)
        line = self.proxy.wait_for_line('"TLS handshake failed"', after=first).string
        for word in ('"level":"debug"', f'"reason":"{reason}"', f'"listener":"{listener}"', '"client":"127.0.0.1:', '"detail":"'):
            self.assertIn(word, line)

    def test_a_good_certificate_is_let_in(self):
        for version in (V12, V13):
            with self.subTest(version=version.name):
                for listener in ("required", "optional", "no list", "open"):
                    self.assert_let_in(listener, certificate=self.kiosk, versions=[version])

    def test_none_is_refused_where_one_is_required(self):
        self.assert_refused("sslv3 alert handshake failure", "no_certificate", versions=[V12])
        self.assert_refused("tlsv13 alert certificate required", "no_certificate", versions=[V13])

    def test_none_is_fine_where_it_is_optional_or_not_asked_for(self):
        for version in (V12, V13):
            with self.subTest(version=version.name):
                self.assert_let_in("optional", versions=[version])
                self.assert_let_in("open", versions=[version])

    def test_what_does_not_verify_is_refused_even_where_it_is_optional(self):
        cases = (("another authority's", self.other_ca.issue("kiosk 7"), "tlsv1 alert unknown ca"),
                 ("expired", self.client_ca.issue("old", begins=-9, ends=-1), "sslv3 alert certificate expired"),
                 ("not yet valid", self.client_ca.issue("early", begins=2), "sslv3 alert bad certificate"),
                 ("revoked", self.revoked, "sslv3 alert certificate revoked"),
                 ("for servers", self.client_ca.issue("server", usage="serverAuth"), "sslv3 alert unsupported certificate"))
        for version in (V12, V13):
            with self.subTest(version=version.name):
                for listener in ("required", "optional"):
                    for what, certificate, alert in cases:
                        with self.subTest(what, listener=listener):
                            self.assert_refused(alert, "bad_certificate", listener, certificate=certificate, versions=[version])

    def test_without_a_list_nobody_is_revoked(self):
        self.assert_let_in("no list", certificate=self.revoked)

    def test_one_that_claims_the_authority_s_name_is_refused(self):
        impostor = Authority(self.folder, "clients").issue("kiosk 7")
        before = self.failures(reason="bad_certificate")
        self.refusal(port=self.ports["required"], certificate=impostor)
        self.proxy.wait_metric("wsproxy_tls_handshake_errors_total", before + 1, reason="bad_certificate")

    def test_the_server_s_own_authority_is_none_for_clients(self):
        self.assert_refused("tlsv1 alert unknown ca", "bad_certificate", certificate=self.certificate)

    def test_nobody_who_was_refused_has_reached_the_app(self):
        before = len(self.app.requests)
        try:
            client = self.connect("required", versions=[V13])
            client.send_bytes(http_head.request("/sneaked-in"))
            client.read_to_end()
        except OSError:
            pass
        self.assert_let_in("required", certificate=self.kiosk)
        self.assertEqual([request.target for request in self.app.requests[before:]], ["/"])

    def session(self, listener, context):
        client = self.assert_let_in(listener, context=context)
        self.assertIsNotNone(client.sock.session)
        return client.sock.session

    def test_a_session_is_resumed_where_it_was_made(self):
        for version in (V12, V13):
            with self.subTest(version=version.name):
                for listener in ("required", "optional", "no list"):
                    context = self.context(certificate=self.kiosk, versions=[version])
                    session = self.session(listener, context)
                    self.assertTrue(self.assert_let_in(listener, context=context, session=session).sock.session_reused, listener)

    def test_a_session_without_a_certificate_opens_no_door_that_requires_one(self):
        for version in (V12, V13):
            with self.subTest(version=version.name):
                for made_at in ("open", "optional"):
                    with self.subTest(made_at):
                        context = self.context(versions=[version])
                        session = self.session(made_at, context)
                        before = self.failures(reason="no_certificate")
                        with self.assertRaises(ssl.SSLError):
                            client = self.connect("required", context=context, session=session)
                            self.assertFalse(client.sock.session_reused)
                            client.sock.recv(1)
                        self.proxy.wait_metric("wsproxy_tls_handshake_errors_total", before + 1, reason="no_certificate")

    def test_a_session_of_a_listener_with_other_rules_is_not_resumed(self):
        # "no list" lets the stolen one in; its session must not get by the list.
        for version in (V12, V13):
            with self.subTest(version=version.name):
                context = self.context(certificate=self.revoked, versions=[version])
                session = self.session("no list", context)
                with self.assertRaises(ssl.SSLError):
                    client = self.connect("required", context=context, session=session)
                    self.assertFalse(client.sock.session_reused)
                    client.sock.recv(1)


if __name__ == "__main__":
    main()
