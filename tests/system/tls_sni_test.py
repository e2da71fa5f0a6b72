"""Which certificate a client is shown: by the name it asks for, and by what it can verify."""

import re
import ssl
import subprocess

from harness import DEADLINE, free_port, main
from harness.tls import SharedTlsTest, TlsTest, context_for

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
RSA, ECDSA = "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"


def s_client_certificate(port, *words):
    """The DER of what a client that Python cannot play is shown; None without a handshake."""
    result = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *words], input=b"",
                            capture_output=True, timeout=6 * DEADLINE)
    found = re.search("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", result.stdout.decode(errors="replace"), re.S)
    return found and ssl.PEM_cert_to_DER_cert(found[0])


class SniTest(SharedTlsTest):
    """`certificates` by label: what the class has made."""

    @classmethod
    def make_authority(cls):
        super().make_authority()
        cls.certificates = {"first": cls.certificate}
        cls.make_certificates()
        cls.tls = {"additional": [one.tls for label, one in cls.certificates.items() if label != "first"]}

    @classmethod
    def make(cls, label, *dns, **how):
        cls.certificates[label] = cls.ca.issue(label, dns=dns, ips=how.pop("ips", ()), **how)

    def label(self, der):
        return next((label for label, one in self.certificates.items() if one.der == der), None)

    def shown(self, name, **how):
        """The label of the certificate that a client gets who asks for that name and believes any."""
        context = self.context(**how)
        context.check_hostname = False
        with self.tls_client(context=context, name=name).sock as sock:
            return self.label(sock.getpeercert(binary_form=True))


class Names(SniTest):
    @classmethod
    def make_certificates(cls):
        cls.make("wild", "*.example.org")
        cls.make("exact", "www.example.org", "Shop.Example.Org")
        cls.make("later", "www.example.org", "later.example.org")
        cls.make("later wild", "*.example.org", "*.example.net")
        cls.make("several", "a.test", "b.test", "*.c.test")
        cls.make("deep", "*.deep.example.org")

    def test_an_exact_name(self):
        for name, label in (("localhost", "first"), ("www.example.org", "exact"), ("a.test", "several"), ("b.test", "several")):
            self.assertEqual(self.shown(name), label, name)

    def test_a_wildcard_covers_one_label_and_not_none_or_two(self):
        for name, label in (("x.example.org", "wild"), ("x.example.net", "later wild"), ("x.c.test", "several"), ("c.test", "first"),
                            ("example.org", "first"), ("a.b.example.org", "first"), ("a.x.c.test", "first"),
                            ("x.deep.example.org", "deep"), ("xexample.org", "first")):
            self.assertEqual(self.shown(name), label, name)

    def test_an_exact_name_beats_a_wildcard_that_is_listed_earlier(self):
        self.assertEqual(self.shown("shop.example.org"), "exact")
        self.assertEqual(self.shown("later.example.org"), "later")

    def test_among_equals_the_earlier_one_wins(self):
        self.assertEqual(self.shown("www.example.org"), "exact")
        self.assertEqual(self.shown("other.example.org"), "wild")

    def test_the_first_one_is_for_unknown_names_and_for_clients_that_name_none(self):
        for name in ("nobody.test", "org", "localhost.example.com", None, "127.0.0.1"):  # an address is not sent as a name
            self.assertEqual(self.shown(name), "first", name)

    def test_names_are_compared_without_case_on_both_sides(self):
        for name, label in (("WWW.EXAMPLE.ORG", "exact"), ("sHOP.example.ORG", "exact"), ("X.Example.Net", "later wild"), ("LOCALHOST", "first")):
            der = s_client_certificate(self.proxy.port, "-servername", name)  # Python sends lower case only
            self.assertEqual(self.label(der), label, name)

    def test_both_versions_choose_alike(self):
        for version in (V12, V13):
            self.assertEqual(self.shown("x.example.org", versions=[version]), "wild")
            self.assertEqual(self.shown("a.test", versions=[version]), "several")
            self.assertEqual(self.shown("nobody.test", versions=[version]), "first")

    def test_odd_names_harm_nobody(self):
        for name in ("*.example.org", "*", "a" * 63 + ".example.org", ".".join(["a" * 60] * 4), "-", "a..test"):
            self.assertIsNotNone(s_client_certificate(self.proxy.port, "-servername", name), name)
        self.assertEqual(self.shown("www.example.org"), "exact")

    def test_a_client_that_checks_names_connects_and_talks(self):
        for name in ("www.example.org", "x.example.org", "b.test"):
            client = self.tls_client(name=name).open(f"/{name}", host=name)
            client.send(name)
            self.assertEqual(client.read_message().text, name)

    def test_a_session_is_resumed_for_its_name_and_the_certificate_stays_right(self):
        for version in (V12, V13):
            context = self.context(versions=[version])
            first = self.tls_client(context=context, name="www.example.org").open()
            first.send("hello")
            first.read_message()
            again = self.tls_client(context=context, name="www.example.org", session=first.sock.session).open()
            self.assertTrue(again.sock.session_reused, version)
            # The same session under another certificate's name: a full handshake is shown that one, a resumed one none.
            other = self.tls_client(context=context, name="a.test", session=first.sock.session).open()
            if not other.sock.session_reused:
                self.assertEqual(self.label(other.certificate), "several")
            other.send("still here")
            self.assertEqual(other.read_message().text, "still here")

    def test_the_expiry_of_every_certificate_is_a_metric(self):
        metrics = self.proxy.metrics()
        for label, one in self.certificates.items():
            said = metrics.sum("wsproxy_tls_certificate_expiry_timestamp_seconds", listener="public", certificate=one.crt)
            self.assertEqual(said, one.expires(), label)


class Kinds(SniTest):
    """The first certificate is ECDSA; it and some names have an RSA one too."""

    @classmethod
    def make_certificates(cls):
        cls.make("first rsa", "localhost", rsa=True)
        cls.make("rsa", "both.test", rsa=True)
        cls.make("ecdsa", "both.test")
        cls.make("wild ecdsa", "*.wild.test")
        cls.make("wild rsa", "*.wild.test", rsa=True)
        cls.make("only rsa", "rsa.test", rsa=True)

    def test_a_client_of_tls_1_2_gets_the_kind_that_it_can_verify(self):
        for name, rsa, ecdsa in (("both.test", "rsa", "ecdsa"), ("x.wild.test", "wild rsa", "wild ecdsa"), ("localhost", "first rsa", "first"),
                                 (None, "first rsa", "first"), ("nobody.test", "first rsa", "first")):
            for cipher, label in ((RSA, rsa), (ECDSA, ecdsa)):
                self.assertEqual(self.shown(name, versions=[V12], ciphers=cipher), label, f"{name} with {cipher}")

    def test_a_client_of_tls_1_3_gets_the_kind_that_it_can_verify(self):
        for name, rsa, ecdsa in (("both.test", "rsa", "ecdsa"), ("x.wild.test", "wild rsa", "wild ecdsa"), ("localhost", "first rsa", "first"),
                                 ("nobody.test", "first rsa", "first")):
            for algorithm, label in (("rsa_pss_rsae_sha256", rsa), ("ecdsa_secp256r1_sha256", ecdsa)):
                der = s_client_certificate(self.proxy.port, "-tls1_3", "-servername", name, "-sigalgs", algorithm)
                self.assertEqual(self.label(der), label, f"{name} with {algorithm}")

    def test_a_client_that_can_verify_both_gets_one_of_its_name(self):
        for version in (V12, V13):
            self.assertIn(self.shown("both.test", versions=[version]), ("rsa", "ecdsa"))
            self.assertIn(self.shown("x.wild.test", versions=[version]), ("wild rsa", "wild ecdsa"))
            self.assertEqual(self.shown("rsa.test", versions=[version]), "only rsa")

    def test_a_name_of_one_kind_only_is_refused_to_clients_of_the_other_and_to_no_one_else(self):
        before = self.failures(reason="no_shared_cipher")
        with self.assertRaises(ssl.SSLError):
            self.shown("rsa.test", versions=[V12], ciphers=ECDSA)
        self.wait_failure("no_shared_cipher", before + 1)
        self.assertEqual(self.shown("rsa.test", versions=[V12], ciphers=RSA), "only rsa")


class Alone(TlsTest):
    def test_one_certificate_is_shown_whatever_is_asked_for(self):
        self.start_tls()
        context = self.context()
        context.check_hostname = False
        for name in ("localhost", "nobody.test", None):
            self.assertEqual(self.tls_client(context=context, name=name).certificate, self.certificate.der)

    def test_a_certificate_without_names_is_known_by_its_common_name_or_as_the_first(self):
        bare = self.ca.issue("bare.test", dns=(), ips=())
        self.start_tls(tls=bare.tls)
        context = context_for(self.ca.crt)
        context.check_hostname = False
        for name in ("bare.test", "nobody.test", None):
            self.assertEqual(self.tls_client(context=context, name=name).certificate, bare.der)

    def test_every_listener_has_its_own(self):
        other = self.ca.issue("other", dns=("other.test",))
        ports = [free_port(), free_port()]
        self.start(listeners=[{"name": name, "address": f"127.0.0.1:{port}", "tls": one.tls}
                              for name, port, one in zip(("public", "second"), ports, (self.certificate, other))])
        context = self.context()
        context.check_hostname = False
        for port, one in zip(ports, (self.certificate, other)):
            for name in ("localhost", "other.test"):
                self.assertEqual(self.tls_client(context=context, name=name, port=port).certificate, one.der)
        for name, one in (("public", self.certificate), ("second", other)):
            self.assertEqual(self.proxy.metrics().sum("wsproxy_tls_certificate_expiry_timestamp_seconds", listener=name, certificate=one.crt),
                             one.expires())


if __name__ == "__main__":
    main()
