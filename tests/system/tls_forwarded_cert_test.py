"""X-Forwarded-Client-Cert: what the app hears of a client's certificate, exactly, and never from the client itself."""

from harness import Client, NamedApp, main
from harness.authority import Authority, openssl
from harness.tls import V12, V13, SharedTlsTest

FIELD = "X-Forwarded-Client-Cert"
TRUSTED = "127.0.0.9"
FORGED = "Hash=00;Subject=\"CN=admin\""


def subject_of(certificate):
    return openssl("x509", "-in", certificate.crt, "-noout", "-subject", "-nameopt", "RFC2253").decode().strip("\n").removeprefix("subject=")


def cut(text, separator):
    """At the separators outside quotes."""
    parts, quoted, escaped = [""], False, False
    for c in text:
        if c == separator and not quoted:
            parts.append("")
            continue
        if c == '"' and not escaped:
            quoted = not quoted
        escaped = quoted and c == "\\" and not escaped
        parts[-1] += c
    assert not quoted, f"a quote stays open: {text}"
    return parts


def plain(value):
    if not value.startswith('"'):
        return value
    result, rest = "", iter(value[1:-1])
    for c in rest:
        result += next(rest) if c == "\\" else c
    return result


def elements(value):
    """As Envoy's documentation has it: elements between commas, pairs between semicolons, quotes around what has any."""
    return [[(key, plain(text)) for key, _, text in (pair.partition("=") for pair in cut(element, ";"))] for element in cut(value, ",")]


class ForwardedCertTest(SharedTlsTest):
    settings = {"headers": {"trusted_proxies": [TRUSTED]}}

    @staticmethod
    def app_kind():
        return NamedApp("app")

    @classmethod
    def listeners(cls):
        cls.client_ca = Authority(cls.folder, "clients")
        cls.kiosk = cls.client_ca.issue("kiosk 7", subject="/CN=kiosk 7/O=Shop", dns=["kiosk.example", "k7.example"], ips=(),
                                        uris=["spiffe://example/kiosk", "https://example/7"])
        return {"asks": {"client_ca": cls.client_ca.crt, "client_auth": "optional"}, "open": {}, "plain": None}

    def client(self, listener, certificate=None, source=None, **how):
        if listener == "plain":
            return self.closing(Client(("127.0.0.1", self.ports["plain"]), source=source))
        return self.tls_client(port=self.ports[listener], certificate=certificate, source=source, **how)

    def heard(self, listener, certificate=None, fields=(), **how):
        """The values that the app gets, of an upgrade and of a plain request, which must be the same."""
        self.client(listener, certificate, **how).open("/upgrade", fields=fields)
        upgrade = self.app.requests[-1]
        request = self.client(listener, certificate, **how)
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
        request.send_bytes(f"POST /plain HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n{lines}\r\n".encode())
        self.assertEqual(request.read_answer().status, 200)
        heads = [upgrade, self.app.requests[-1]]
        self.assertEqual([head.target for head in heads], ["/upgrade", "/plain"])
        found = [[value for name, value in head.fields if name.lower().replace("_", "-") == FIELD.lower()] for head in heads]
        self.assertEqual(found[0], found[1])
        return found[0]

    @property
    def kiosk_s(self):
        return (f'Hash={self.kiosk.fingerprint};Subject="O=Shop,CN=kiosk 7";URI=spiffe://example/kiosk;URI=https://example/7;'
                "DNS=kiosk.example;DNS=k7.example")


class Told(ForwardedCertTest):
    def test_hash_subject_and_names_in_envoy_s_format(self):
        self.assertEqual(subject_of(self.kiosk), "O=Shop,CN=kiosk 7")
        self.assertEqual(self.heard("asks", self.kiosk), [self.kiosk_s])
        self.assertEqual([pair[0] for pair in elements(self.kiosk_s)[0]], ["Hash", "Subject", "URI", "URI", "DNS", "DNS"])

    def test_nothing_without_a_verified_certificate(self):
        self.assertEqual(self.heard("asks"), [])
        self.assertEqual(self.heard("open", self.kiosk), [])
        self.assertEqual(self.heard("plain"), [])

    def test_a_certificate_without_alternative_names(self):
        bare = self.client_ca.issue("bare", dns=(), ips=())
        self.assertEqual(self.heard("asks", bare), [f'Hash={bare.fingerprint};Subject="CN=bare"'])

    def test_every_request_of_a_connection_has_it(self):
        client = self.client("asks", self.kiosk)
        for at in range(3):
            client.send_bytes(f"GET /{at} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            self.assertEqual(client.read_answer().status, 200)
            client.buffer.clear()
            self.assertEqual(self.app.requests[-1].all(FIELD), [self.kiosk_s])

    def test_a_resumed_session_keeps_who_it_is(self):
        for version in (V12, V13):
            with self.subTest(version=version.name):
                context = self.context(certificate=self.kiosk, versions=[version])
                port = self.ports["asks"]
                first = self.tls_client(port=port, context=context).open("/first")
                first.send("hello")
                first.read_message()
                again = self.tls_client(port=port, context=context, session=first.sock.session).open("/again")
                self.assertTrue(again.sock.session_reused)
                self.assertEqual(self.app.requests[-1].all(FIELD), [self.kiosk_s])


class Strange(ForwardedCertTest):
    SUBJECTS = ['/CN=a"b', '/CN=a,b', '/CN=a;b=c', '/CN=",By="x";Hash=00;Subject="CN=admin', "/CN=größe 日本", "/CN=back\\\\\\\\slash",
                "/CN= spaces ", "/CN=#hash", "/CN=line\nbreak", "/CN=tab\tand\x7f", '/CN=q\\\\";Hash=00', "/CN=<b>&amp;", "/CN=x/O=Acme, \"Inc.\""]

    def test_a_subject_cannot_say_more_than_a_subject(self):
        for subject in self.SUBJECTS:
            with self.subTest(subject):
                certificate = self.client_ca.issue("strange", subject=subject, dns=["d.example"], ips=(), uris=["urn:x"])
                [value] = self.heard("asks", certificate)
                self.assertTrue(value.isascii() and value.isprintable(), value)
                [element] = elements(value)
                self.assertEqual([key for key, _ in element], ["Hash", "Subject", "URI", "DNS"])
                self.assertEqual(dict(element), {"Hash": certificate.fingerprint, "Subject": subject_of(certificate), "URI": "urn:x",
                                                 "DNS": "d.example"})
                self.assertRegex(value, r'^Hash=[0-9a-f]{64};Subject="')

    def test_a_name_cannot_either(self):
        for uri in ("https://x/?a=b;c=d", "urn:x;Hash=00", "https://x/a=b"):
            with self.subTest(uri):
                certificate = self.client_ca.issue("strange", dns=(), ips=(), uris=[uri])
                [value] = self.heard("asks", certificate)
                self.assertEqual(elements(value), [[("Hash", certificate.fingerprint), ("Subject", "CN=strange"), ("URI", uri)]])
                self.assertIn(f'URI="{uri}"', value)


class Forged(ForwardedCertTest):
    NAMES = (FIELD, FIELD.lower(), FIELD.upper(), "X_Forwarded_Client_Cert", "x-forwarded_client-cert", "X_FORWARDED-CLIENT_CERT")

    def test_what_the_client_says_is_dropped_however_it_is_written(self):
        for name in self.NAMES:
            with self.subTest(name):
                for listener in ("asks", "open", "plain"):
                    self.assertEqual(self.heard(listener, fields=[(name, FORGED)]), [], listener)
                self.assertEqual(self.heard("asks", self.kiosk, fields=[(name, FORGED)]), [self.kiosk_s])

    def test_and_however_often(self):
        fields = [(name, FORGED) for name in self.NAMES] + [("X-Real", "yes")]
        self.assertEqual(self.heard("asks", self.kiosk, fields=fields), [self.kiosk_s])
        self.assertEqual(self.app.requests[-1].get("X-Real"), "yes")

    def test_the_connection_field_cannot_drop_ours(self):
        client = self.client("asks", self.kiosk)
        client.ask("/dropped", connection=f"Upgrade, {FIELD}")
        self.assertEqual(client.read_answer().status, 101)
        self.assertEqual(self.app.requests[-1].all(FIELD), [self.kiosk_s])

    def test_a_trusted_proxy_s_value_is_kept_and_ours_appended(self):
        theirs = f'By=spiffe://proxy;{FORGED}'
        self.assertEqual(self.heard("plain", fields=[(FIELD, theirs)], source=TRUSTED), [theirs])
        self.assertEqual(self.heard("asks", fields=[(FIELD, theirs)], source=TRUSTED), [theirs])
        [value] = self.heard("asks", self.kiosk, fields=[(FIELD, theirs)], source=TRUSTED)
        self.assertRegex(value, r'^By=spiffe://proxy;Hash=00;Subject="CN=admin", ?Hash=')
        self.assertEqual([dict(element)["Hash"] for element in elements(value.replace(", ", ","))], ["00", self.kiosk.fingerprint])
        self.assertTrue(value.endswith(self.kiosk_s))

    def test_a_trusted_proxy_without_a_value_has_only_its_own_certificate(self):
        self.assertEqual(self.heard("asks", self.kiosk, source=TRUSTED), [self.kiosk_s])


if __name__ == "__main__":
    main()
