"""Which ciphers a listener takes, out of all 65536 codes that there can be, as testssl.sh would ask: by ClientHellos of our
own, so that it does not matter what the test's OpenSSL can still do."""

import ssl

from harness import main
from harness.tls import V12, V13, SharedTlsTest
from harness.tls_hello import FALLBACK, RENEGOTIATION, answer_to_hello

HANDSHAKE_FAILURE, INAPPROPRIATE_FALLBACK = 40, 86
AT_ONCE = 4000  # ciphers in a hello; more do not fit a record

ECDSA = {0xC02B: "ECDHE-ECDSA-AES128-GCM-SHA256", 0xC02C: "ECDHE-ECDSA-AES256-GCM-SHA384", 0xCCA9: "ECDHE-ECDSA-CHACHA20-POLY1305"}
RSA = {0xC02F: "ECDHE-RSA-AES128-GCM-SHA256", 0xC030: "ECDHE-RSA-AES256-GCM-SHA384", 0xCCA8: "ECDHE-RSA-CHACHA20-POLY1305"}
TLS_1_3 = {0x1301: "TLS_AES_128_GCM_SHA256", 0x1302: "TLS_AES_256_GCM_SHA384", 0x1303: "TLS_CHACHA20_POLY1305_SHA256"}


class Ciphers(SharedTlsTest):
    @classmethod
    def listeners(cls):
        rsa = cls.ca.issue("localhost", rsa=True)
        return {"ecdsa": {}, "rsa": rsa.tls, "both": {"additional": [rsa.tls]}, "only 1.3": {"min_version": "1.3"},
                "chosen": {"ciphers": "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA", "ciphersuites": "TLS_CHACHA20_POLY1305_SHA256"}}

    def accepted(self, listener, **how):
        """All that the server can be brought to choose: what it chose is not offered again."""
        found = set()
        for start in range(0, 0x10000, AT_ONCE):
            offered = [code for code in range(start, min(start + AT_ONCE, 0x10000)) if code not in (FALLBACK, RENEGOTIATION)]
            while True:
                chosen, alert = answer_to_hello(self.ports[listener], ciphers=offered, **how)
                if chosen is None:
                    self.assertIn(alert, (HANDSHAKE_FAILURE, 70))
                    break
                self.assertIn(chosen, offered)
                found.add(chosen)
                offered.remove(chosen)
        return found

    def test_of_tls_1_2_only_ecdhe_with_aead_for_the_kind_of_key(self):
        self.assertEqual(self.accepted("ecdsa"), set(ECDSA))
        self.assertEqual(self.accepted("rsa"), set(RSA))
        self.assertEqual(self.accepted("both"), {*ECDSA, *RSA})

    def test_of_tls_1_3_the_three_of_everybody(self):
        for listener in ("ecdsa", "rsa", "only 1.3"):
            self.assertEqual(self.accepted(listener, tls_1_3=True), set(TLS_1_3), listener)

    def test_min_version_1_3_takes_none_of_1_2(self):
        self.assertEqual(self.accepted("only 1.3"), set())

    def test_what_is_configured_is_what_is_taken(self):
        self.assertEqual(self.accepted("chosen"), {0xC02C, 0xC009})
        self.assertEqual(self.accepted("chosen", tls_1_3=True), {0x1303})

    def test_no_version_before_1_2_with_any_cipher(self):
        codes = [*range(0x0001, 0x00C0), *range(0xC001, 0xC0B0), *range(0xCCA8, 0xCCAF)]
        for version in (0x0300, 0x0301, 0x0302):
            for listener in ("ecdsa", "rsa", "both"):
                chosen, alert = answer_to_hello(self.ports[listener], version, codes)
                self.assertIsNone(chosen)
                self.assertEqual(alert, HANDSHAKE_FAILURE if version == 0x0300 else 70)  # SSL 3 has no alert of its own for it

    def test_a_client_that_falls_back_without_need_is_told_so(self):
        """RFC 7507: somebody in between has made it believe that 1.3 does not work."""
        self.assertEqual(answer_to_hello(self.ports["ecdsa"], ciphers=[*ECDSA, FALLBACK]), (None, INAPPROPRIATE_FALLBACK))
        self.assertIn(answer_to_hello(self.ports["ecdsa"], ciphers=[*ECDSA, RENEGOTIATION])[0], ECDSA)

    def test_they_really_work(self):
        for listener, names in (("ecdsa", ECDSA), ("rsa", RSA), ("both", {**ECDSA, **RSA})):
            for name in names.values():
                client = self.tls_client(port=self.ports[listener], versions=[V12], ciphers=name).open()
                self.assertEqual(client.sock.cipher()[0], name)
                client.send("hello " * 5000)
                self.assertEqual(client.read_message().text, "hello " * 5000)
                client.close()
        client = self.tls_client(port=self.ports["chosen"], versions=[V13]).open()
        self.assertEqual(client.sock.cipher()[0], "TLS_CHACHA20_POLY1305_SHA256")

    def test_nothing_in_common_is_no_shared_cipher(self):
        before = self.failures(reason="no_shared_cipher")
        with self.assertRaisesRegex(ssl.SSLError, "(?i)handshake.failure"):
            self.tls_client(port=self.ports["rsa"], versions=[V12], ciphers="ECDHE-ECDSA-AES128-GCM-SHA256")
        self.proxy.wait_metric("wsproxy_tls_handshake_errors_total", before + 1, reason="no_shared_cipher")


if __name__ == "__main__":
    main()
