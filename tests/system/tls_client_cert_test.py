"""Clients' certificates: who gets in, and what the app hears of them (X-Forwarded-Client-Cert)."""

import re
import ssl

from harness import NamedApp, free_port, http_message, main
from harness.tls import Authority, SharedTlsTest, TlsTest, openssl

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
HEADER = "X-Forwarded-Client-Cert"
FORGED = [(name, 'Hash=00;Subject="CN=admin"') for name in (HEADER, HEADER.lower(), HEADER.upper(), HEADER.replace("-", "_"),
                                                             "X-Forwarded_Client-Cert", "x_forwarded-client_CERT")]


def subject_of(certificate):
    said = openssl("x509", "-in", certificate.crt, "-noout", "-subject", "-nameopt", "RFC2253").decode()
    return said.removesuffix("\n").removeprefix("subject=")


def pairs_of(value):
    """The pairs of one element in Envoy's format, read as strictly as an app that trusts them should."""
    pairs, at = [], 0
    while at < len(value):
        match = re.compile(r'(Hash|Subject|URI|DNS)=(?:"((?:[^"\\]|\\.)*)"|([^",;=]*))(?:;(?=.)|$)').match(value, at)
        assert match, f"not an element: {value[at:]!r} of {value!r}"
        quoted, bare = match[2], match[3]
        pairs.append((match[1], bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted)))
        at = match.end()
    return pairs


class ClientCertTest(SharedTlsTest):
    app_kind = staticmethod(lambda: NamedApp("app"))
    auth = {"client_auth": "required"}

    @classmethod
    def make_authority(cls):
        super().make_authority()
        cls.clients = Authority(cls.folder, "the clients' authority")
        cls.make_clients()
        cls.tls = {"client_ca": cls.clients.crt, **cls.auth}

    @classmethod
    def make_clients(cls):
        cls.device = cls.clients.issue("device", dns=("device.test", "other.test"), ips=(), uris=("spiffe://test/device", "urn:7"),
                                       subject="/CN=device 7/O=Acme")

    def refusal(self, **how):
        """What a client that does not get in learns: with TLS 1.3 at its first read."""
        with self.assertRaises(ssl.SSLError) as caught:
            self.tls_client(**how).sock.recv(1)
        return str(caught.exception).lower().replace("_", " ")

    def assert_refused(self, reason, alert, **how):
        for version in (V12, V13):
            before = self.failures(reason=reason)
            self.assertRegex(self.refusal(versions=[version], **how), alert, version)
            self.wait_failure(reason, before + 1)
        self.assertEqual(self.app.requests, [])

    def told(self, client, fields=()):
        """The values that the app gets of the header, under whatever name."""
        client.open("/told", fields=fields)
        request = self.app.requests.pop()
        return [value for name, value in request.fields if name.lower().replace("_", "-") == HEADER.lower()]

    def element_of(self, certificate):
        """Of a certificate of these tests, none of whose names needs quotes."""
        said = openssl("x509", "-in", certificate.crt, "-noout", "-ext", "subjectAltName").decode()
        names = re.findall(r"(URI|DNS):([^,\s]+)", said)
        return ";".join([f"Hash={certificate.fingerprint}", f'Subject="{subject_of(certificate)}"',
                         *(f"{kind}={name}" for wanted in ("URI", "DNS") for kind, name in names if kind == wanted)])


class Required(ClientCertTest):
    def test_the_app_learns_who_it_is(self):
        for version in (V12, V13):
            client = self.tls_client(certificate=self.device, versions=[version])
            self.assertEqual(self.told(client), [f'Hash={self.device.fingerprint};Subject="O=Acme,CN=device 7";'
                                                 "URI=spiffe://test/device;URI=urn:7;DNS=device.test;DNS=other.test"])
            client.send("hello")
            self.assertEqual(client.read_message().text, "hello")

    def test_without_one_nobody_gets_in(self):
        for version, alert in ((V13, "certificate required"), (V12, "handshake failure")):
            before = self.failures(reason="no_certificate")
            rejected = self.proxy.metrics().sum("wsproxy_rejected_total", reason="tls")
            self.assertRegex(self.refusal(versions=[version]), alert)
            self.wait_failure("no_certificate", before + 1)
            self.proxy.wait_metric("wsproxy_rejected_total", rejected + 1, reason="tls")

    def test_one_of_another_authority_is_refused(self):
        self.assert_refused("bad_certificate", "unknown ca", certificate=self.certificate)  # of the servers' authority

    def test_one_of_a_namesake_of_the_authority_is_refused(self):
        impostor = Authority(self.folder, "the clients' authority").issue("device")
        self.assert_refused("bad_certificate", "unknown ca|decrypt error|bad certificate", certificate=impostor)

    def test_an_expired_one_is_refused_and_one_that_is_not_valid_yet(self):
        self.assert_refused("bad_certificate", "certificate expired", certificate=self.clients.issue("late", begins=-3, ends=-1))
        self.assert_refused("bad_certificate", "bad certificate|certificate expired", certificate=self.clients.issue("early", begins=1, ends=3))

    def test_the_log_tells_why(self):
        self.refusal(certificate=self.certificate)
        self.proxy.wait_for_line(r'TLS handshake failed.*"?reason"?[:=] ?"?bad_certificate', after=self.first_line)

    def test_what_the_client_says_of_itself_is_dropped(self):
        for name, value in FORGED:
            told = self.told(self.tls_client(certificate=self.device), [(name, value)])
            self.assertEqual(told, [self.element_of(self.device)], name)
        self.assertEqual(self.told(self.tls_client(certificate=self.device), FORGED), [self.element_of(self.device)])

    def test_plain_requests_carry_it_too_each_of_a_connection(self):
        client = self.tls_client(certificate=self.device)
        for at, forged in enumerate(([], FORGED, [])):
            client.send_bytes(http_message.request(f"/plain/{at}", fields=forged))
            self.assertEqual(client.read_answer().status, 200)
            while len(client.buffer) < len("/plain/0"):
                client.receive_some()
            client.buffer.clear()
            fields = self.app.requests.pop().fields
            self.assertEqual([value for name, value in fields if "client" in name.lower()], [self.element_of(self.device)])

    def test_a_resumed_session_keeps_the_identity(self):
        for version in (V12, V13):
            context = self.context(versions=[version], certificate=self.device)
            first = self.tls_client(context=context)
            self.assertEqual(self.told(first), [self.element_of(self.device)])
            again = self.tls_client(context=context, session=first.sock.session)
            self.assertEqual(self.told(again, FORGED), [self.element_of(self.device)])
            self.assertTrue(again.sock.session_reused, version)

    def test_hostile_subjects_stay_in_their_quotes(self):
        for subject in ('/CN=a"b', r"/CN=a,b;c=d\+e<f>g#h", '/CN=";DNS=admin.test', r'/CN=end\\', r'/CN=\\",By=x', "/CN=ä€😀", "/CN= padded ", "/CN=#1",
                        '/O=x",Hash=00;Subject="CN=admin/CN=y', "/CN=a\r\nX-Admin: yes"):
            one = self.clients.issue("hostile", dns=("h.test",), ips=(), subject=subject)
            client = self.tls_client(certificate=one)
            told = self.told(client)
            self.assertEqual(len(told), 1, subject)
            self.assertTrue(told[0].isascii() and told[0].isprintable(), told)
            self.assertEqual(pairs_of(told[0]), [("Hash", one.fingerprint), ("Subject", subject_of(one)), ("DNS", "h.test")], subject)

    def test_hostile_names_are_no_pairs_of_their_own(self):
        for uri in ("urn:a;DNS=admin.test", "urn:b=c", 'urn:x";Subject="CN=admin'):
            one = self.clients.issue("hostile", dns=("h.test",), ips=(), uris=(uri.replace('"', r'\"'),))
            pairs = pairs_of(self.told(self.tls_client(certificate=one))[0])
            uris = [value for key, value in pairs if key == "URI"]  # one with quotes may be left out
            self.assertIn(uris, [[uri], []] if '"' in uri else [[uri]])
            self.assertEqual([pair for pair in pairs if pair[0] != "URI"],
                             [("Hash", one.fingerprint), ("Subject", "CN=hostile"), ("DNS", "h.test")])


class Optional(ClientCertTest):
    auth = {"client_auth": "optional"}

    def test_without_one_a_client_gets_in_and_what_it_claims_is_dropped(self):
        for version in (V12, V13):
            self.assertEqual(self.told(self.tls_client(versions=[version]), FORGED), [])

    def test_with_one_the_app_learns_who_it_is(self):
        self.assertEqual(self.told(self.tls_client(certificate=self.device), FORGED), [self.element_of(self.device)])

    def test_a_bad_one_is_refused_all_the_same(self):
        self.assert_refused("bad_certificate", "unknown ca", certificate=self.certificate)


class Revoked(ClientCertTest):
    @classmethod
    def make_clients(cls):
        super().make_clients()
        cls.gone = cls.clients.issue("gone")
        cls.clients.revoke(cls.gone)
        cls.auth = {"client_crl": cls.clients.crl()}

    def test_a_revoked_one_is_refused_and_no_other(self):
        self.assert_refused("bad_certificate", "certificate revoked", certificate=self.gone)
        self.assertEqual(self.told(self.tls_client(certificate=self.device)), [self.element_of(self.device)])


class Trusted(ClientCertTest):
    auth = {"client_auth": "optional"}
    settings = {"headers": {"trusted_proxies": ["127.0.0.1/32", "127.1.0.0/16"]}}
    BEFORE = 'By=urn:lb;Hash=00;Subject="CN=x, y";URI=urn:z'

    def test_what_a_trusted_one_says_is_kept_and_ours_appended(self):
        for source in (None, "127.1.2.3"):
            told = self.told(self.tls_client(certificate=self.device, source=source), [(HEADER.lower(), self.BEFORE)])
            self.assertEqual(told, [f"{self.BEFORE},{self.element_of(self.device)}"])

    def test_without_a_certificate_of_its_own_it_is_kept_as_it_is(self):
        self.assertEqual(self.told(self.tls_client(), [(HEADER, self.BEFORE)]), [self.BEFORE])
        self.assertEqual(self.told(self.tls_client(certificate=self.device)), [self.element_of(self.device)])

    def test_several_lines_stay_in_order_ahead_of_ours(self):
        told = self.told(self.tls_client(certificate=self.device), [(HEADER, "Hash=01"), (HEADER, "Hash=02")])
        self.assertEqual(",".join(told).replace(" ", ""), f"Hash=01,Hash=02,{self.element_of(self.device)}".replace(" ", ""))

    def test_names_with_underscores_are_dropped_from_a_trusted_one_too(self):
        self.assertEqual(self.told(self.tls_client(), FORGED[3:]), [])

    def test_another_address_is_not_trusted(self):
        self.assertEqual(self.told(self.tls_client(source="127.0.0.2"), FORGED), [])
        self.assertEqual(self.told(self.tls_client(certificate=self.device, source="127.0.0.2"), FORGED), [self.element_of(self.device)])


class AcrossListeners(TlsTest):
    """What one listener has let in is nothing to another."""

    def setUp(self):
        super().setUp()
        clients, others = Authority(self.folder, "clients"), Authority(self.folder, "others")
        self.device = clients.issue("device")
        kinds = {"open": {}, "optional": {"client_ca": clients.crt, "client_auth": "optional"}, "required": {"client_ca": clients.crt},
                 "other": {"client_ca": others.crt}}
        self.ports = {name: free_port() for name in kinds}
        self.start(NamedApp("app"), listeners=[{"name": name, "address": f"127.0.0.1:{self.ports[name]}", "tls": {**self.certificate.tls, **tls}}
                                               for name, tls in kinds.items()])

    def test_a_session_of_a_laxer_listener_does_not_get_in(self):
        for version in (V12, V13):
            for first, certificate, second, gets_in in (("open", None, "required", False), ("optional", None, "required", False),
                                                        ("open", self.device, "required", True), ("required", self.device, "other", False),
                                                        ("optional", self.device, "other", False), ("open", self.device, "optional", True)):
                with self.subTest(version=version, first=first, second=second):
                    context = self.context(versions=[version], certificate=certificate)
                    client = self.tls_client(context=context, port=self.ports[first]).open("/first")
                    self.app.requests.clear()
                    if gets_in:
                        again = self.tls_client(context=context, port=self.ports[second], session=client.sock.session).open("/again")
                        self.assertFalse(again.sock.session_reused)
                        self.assertIn(self.device.fingerprint, self.app.requests.pop().get(HEADER, ""))
                    else:
                        with self.assertRaises(ssl.SSLError):
                            self.tls_client(context=context, port=self.ports[second], session=client.sock.session).sock.recv(1)

    def test_a_listener_without_client_ca_says_nothing_of_certificates(self):
        self.tls_client(certificate=self.device, port=self.ports["open"]).open("/open", fields=FORGED)
        self.assertFalse([name for name, _ in self.app.requests.pop().fields if "client" in name.lower()])


if __name__ == "__main__":
    main()
