"""Which certificate a client gets: by the name it asks for (SNI, RFC 6066 section 3) and by what it is able to."""

import re
import ssl
import subprocess

from harness import DEADLINE, main
from harness.tls import V12, SharedTlsTest, TlsTest

ECDSA, RSA = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"


class Names(SharedTlsTest):
    @classmethod
    def listeners(cls):
        issue = cls.ca.issue
        cls.certificates = {
            "first": cls.certificate,
            "wildcard": issue("a", dns=["*.example.org"], ips=()),
            "exact": issue("b", dns=["shop.example.org", "Other.Example.NET"], ips=()),
            "twice": issue("c", dns=["twice.example.com", "192-0-2-1.example"], ips=()),
            "again": issue("d", dns=["twice.example.com"], ips=()),
            "no names": issue("only.example", dns=(), ips=()),
            "address": issue("e", dns=["address.example"], ips=["127.0.0.2", "::1"]),
        }
        return {"public": {"additional": [one.tls for label, one in cls.certificates.items() if label != "first"]}}

    def assert_gets(self, label, *names):
        for name in names:
            with self.subTest(name):
                shown = self.shown(name)
                self.assertEqual([key for key, one in self.certificates.items() if one.der == shown], [label])

    def test_an_exact_name(self):
        self.assert_gets("exact", "shop.example.org", "other.example.net")
        self.assert_gets("first", "localhost")

    def test_a_wildcard_stands_for_one_label(self):
        self.assert_gets("wildcard", "chat.example.org", "x.example.org", "xn--gre-ioa6q.example.org")
        self.assert_gets("first", "a.b.example.org", "example.org", "example.org.example", "xexample.org", "org")

    def test_an_exact_name_beats_a_wildcard_that_is_earlier(self):
        self.assert_gets("exact", "shop.example.org")

    def test_among_equals_the_earlier_counts(self):
        self.assert_gets("twice", "twice.example.com")

    def test_names_are_the_same_in_capitals(self):
        self.assert_gets("exact", "SHOP.Example.ORG", "other.example.net", "OTHER.EXAMPLE.NET")
        self.assert_gets("wildcard", "CHAT.EXAMPLE.ORG")

    def test_without_a_name_and_with_one_that_nobody_has_it_is_the_first(self):
        self.assert_gets("first", None, "elsewhere.example", "shop.example.org.evil.example", "*.example.org")

    def test_a_common_name_is_no_name(self):
        self.assert_gets("first", "only.example")

    def test_the_host_of_the_request_may_be_another(self):
        client = self.tls_client().open("/host", host="shop.example.org")
        client.send("hello")
        self.assertEqual(client.read_message().text, "hello")


class Keys(TlsTest):
    """A name with a certificate of each kind of key: the client's abilities choose."""

    def start_with(self, first, *others):
        self.start_tls(tls={**first.tls, "additional": [one.tls for one in others]})

    def with_cipher(self, name, cipher):
        return self.shown(name, versions=[V12], ciphers=cipher)

    def shown_in_1_3(self, signatures, name="localhost"):
        said = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.proxy.port}", "-tls1_3", "-servername", name,
                               "-sigalgs", signatures], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE).stdout
        return (re.search(r"Peer signature type: (\S+)", said) or [None, None])[1]

    def test_of_ecdsa_and_rsa_the_client_s_abilities_choose(self):
        ecdsa, rsa = self.ca.issue("both", dns=["both.example"]), self.ca.issue("both", dns=["both.example"], rsa=True)
        for order in ((ecdsa, rsa), (rsa, ecdsa)):
            with self.subTest("first is " + ("ECDSA" if order[0] is ecdsa else "RSA")):
                for first, others in ((order[0], order[1:]), (self.certificate, order)):  # as the default, and by name
                    self.start_with(first, *others)
                    self.assertEqual(self.with_cipher("both.example", ECDSA), ecdsa.der)
                    self.assertEqual(self.with_cipher("both.example", RSA), rsa.der)
                    self.assertEqual(self.shown_in_1_3("ecdsa_secp256r1_sha256", "both.example"), "ECDSA")
                    self.assertEqual(self.shown_in_1_3("rsa_pss_rsae_sha256", "both.example"), "RSA-PSS")

    def test_the_first_s_other_kind_of_key_is_there_without_a_name_too(self):
        rsa = self.ca.issue("localhost", rsa=True)
        self.start_with(self.certificate, rsa)
        for name in (None, "elsewhere.example"):
            self.assertEqual(self.with_cipher(name, RSA), rsa.der)
            self.assertEqual(self.with_cipher(name, ECDSA), self.certificate.der)

    def test_another_name_s_key_does_not_stand_in(self):
        self.start_with(self.certificate, self.ca.issue("rsa", dns=["rsa.example"], rsa=True))
        for name, cipher in ((None, RSA), ("localhost", RSA), ("rsa.example", ECDSA)):
            with self.subTest(name), self.assertRaisesRegex(ssl.SSLError, "(?i)handshake.failure"):
                self.with_cipher(name, cipher)
        self.wait_failure("no_shared_cipher", 3)

    def test_a_wildcard_of_one_kind_and_an_exact_name_of_the_other(self):
        wildcard, exact = self.ca.issue("w", dns=["*.mixed.example"]), self.ca.issue("x", dns=["a.mixed.example"], rsa=True)
        self.start_with(self.certificate, wildcard, exact)
        self.assertEqual(self.with_cipher("a.mixed.example", RSA), exact.der)
        self.assertEqual(self.with_cipher("b.mixed.example", ECDSA), wildcard.der)


if __name__ == "__main__":
    main()
