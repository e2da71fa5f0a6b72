"""What `check` and `run` say of certificates, keys and settings of TLS that will not do: which key of the file, and why."""

import os
import re

from harness import free_port, main, run_command
from harness.authority import openssl
from harness.tls import TlsTest


class CheckTest(TlsTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.expired = cls.ca.issue("localhost", begins=-9, ends=-1)
        cls.early = cls.ca.issue("localhost", begins=2)
        cls.other = cls.ca.issue("localhost")
        cls.missing = cls.write("", "here")[:-4] + "missing"
        cls.junk = cls.write("this is no PEM\n", "junk")
        cls.broken = cls.write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "broken")
        cls.locked = os.path.join(cls.folder, "locked.key")
        openssl("ec", "-in", cls.certificate.key, "-out", cls.locked, "-aes256", "-passout", "pass:secret")

    @classmethod
    def write(cls, text, name):
        path = os.path.join(cls.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def listener(self, pair=None, **changes):
        """A config with one listener, a line for each key of its tls: the first of them is line 4."""
        tls = {**(pair or self.certificate).tls, **changes}
        return (f"listeners:\n  - address: 127.0.0.1:{free_port()}\n    tls:\n"
                + "".join(f"      {key}: {value}\n" for key, value in tls.items()))

    def upstream(self, **tls):
        return "upstream:\n  url: wss://localhost:1\n  tls:\n" + "".join(f"    {key}: {value}\n" for key, value in tls.items())

    def check(self, text):
        self.path = self.write(text, "proxy.yaml")
        return run_command("check", "--config", self.path)

    def run_it(self, text):
        return run_command("run", "--config", self.write(text, "proxy.yaml"), "--admin", f"127.0.0.1:{free_port()}")

    def assert_error(self, text, key, *words):
        """One line of `check` with the place of the value, and exit code 1."""
        result = self.check(text)
        self.assertEqual((result.returncode, result.stdout), (1, ""), result.stderr)
        [line] = result.stderr.splitlines()
        name = re.sub(r".*\.", "", key)
        number = next(at for at, written in enumerate(text.splitlines(), 1) if written.strip(" -").startswith(f"{name}: "))
        column = text.splitlines()[number - 1].index(f"{name}: ") + len(name) + 3
        self.assertTrue(line.startswith(f"{self.path}:{number}:{column}: {key}: "), line)
        for word in words:
            self.assertIn(word, line)
        return line

    def bad_files(self):
        """(what, text, key, words): what neither `check` nor `run` takes."""
        good = self.certificate
        yield "a missing certificate", self.listener(certificate=self.missing), "listeners[0].tls.certificate", [self.missing, "No such file"]
        yield "a missing key", self.listener(private_key=self.missing), "listeners[0].tls.private_key", [self.missing, "No such file"]
        yield "a missing client_ca", self.listener(client_ca=self.missing), "listeners[0].tls.client_ca", [self.missing]
        yield "a missing client_crl", self.listener(client_ca=self.ca.crt, client_crl=self.missing), "listeners[0].tls.client_crl", [self.missing]
        yield "a certificate that is none", self.listener(certificate=self.junk), "listeners[0].tls.certificate", [self.junk, "PEM"]
        yield "a malformed certificate", self.listener(certificate=self.broken), "listeners[0].tls.certificate", [self.broken]
        yield "an empty certificate", self.listener(certificate=os.devnull), "listeners[0].tls.certificate", [os.devnull]
        yield "a key for a certificate", self.listener(certificate=good.key), "listeners[0].tls.certificate", [good.key]
        yield "a certificate for a key", self.listener(private_key=good.crt), "listeners[0].tls.private_key", [good.crt]
        yield "a key with a passphrase", self.listener(private_key=self.locked), "listeners[0].tls.private_key", [self.locked, "passphrase"]
        yield "another's key", self.listener(private_key=self.other.key), "listeners[0].tls.private_key", [self.other.key, good.crt]
        yield "a client_ca that is none", self.listener(client_ca=self.junk), "listeners[0].tls.client_ca", [self.junk]
        yield "a client_crl that is none", self.listener(client_ca=self.ca.crt, client_crl=self.ca.crt), "listeners[0].tls.client_crl", [self.ca.crt]
        yield "unknown ciphers", self.listener(ciphers="NONSENSE"), "listeners[0].tls.ciphers", ["NONSENSE"]
        yield "unknown ciphersuites", self.listener(ciphersuites="TLS_NONSENSE"), "listeners[0].tls.ciphersuites", ["TLS_NONSENSE"]
        yield "an upstream's missing ca", self.upstream(ca=self.missing), "upstream.tls.ca", [self.missing]
        yield "an upstream's ca that is none", self.upstream(ca=self.junk), "upstream.tls.ca", [self.junk]
        yield "an upstream's missing certificate", self.upstream(certificate=self.missing, private_key=good.key), "upstream.tls.certificate", [self.missing]
        yield "another's key for an upstream", self.upstream(certificate=good.crt, private_key=self.other.key), "upstream.tls.private_key", [self.other.key]


class Bad(CheckTest):
    def test_a_file_that_will_not_do_is_told_by_check_with_its_place(self):
        for what, text, key, words in self.bad_files():
            with self.subTest(what):
                self.assert_error(text, key, *words)

    def test_and_keeps_run_from_starting_with_the_same_line(self):
        for what, text, key, words in self.bad_files():
            with self.subTest(what):
                told = self.check(text).stderr
                result = self.run_it(text)
                self.assertEqual(result.returncode, 1, result.stderr)
                self.assertEqual(result.stderr, told)

    def test_an_expired_certificate_is_an_error_of_check(self):
        self.assert_error(self.listener(self.expired), "listeners[0].tls.certificate", self.expired.crt, "expired")
        self.assert_error(self.listener(self.early), "listeners[0].tls.certificate", self.early.crt, "not valid before")
        self.assert_error(self.upstream(**self.expired.tls), "upstream.tls.certificate", self.expired.crt, "expired")

    def test_an_additional_pair_and_a_route_s_upstream_are_named_by_their_numbers(self):
        text = self.listener() + f"      additional:\n        - {{certificate: {self.certificate.crt}, private_key: {self.other.key}}}\n"
        result = self.check(text)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, rf"^{re.escape(self.path)}:\d+:\d+: listeners\[0\]\.tls\.additional\[0\]\.private_key: ")
        result = self.check(f"routes:\n  - match: {{path: /x/}}\n    upstream: {{url: 'wss://localhost:1', tls: {{ca: {self.missing}}}}}\n")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, rf"^{re.escape(self.path)}:3:\d+: routes\[0\]\.upstream\.tls\.ca: ")

    def test_all_that_is_wrong_is_told_at_once(self):
        result = self.check(self.listener(certificate=self.missing, private_key=self.junk, client_ca=self.junk, ciphers="NONSENSE"))
        told = [re.search(r"tls\.(\w+): ", line)[1] for line in result.stderr.splitlines()]
        for key in ("certificate", "private_key", "client_ca"):
            self.assertEqual(told.count(key), 1, result.stderr)

    def test_values_that_are_none_of_those_allowed(self):
        for key, value, word in (("min_version", '"1.1"', "1.2"), ("client_auth", "maybe", "optional")):
            with self.subTest(key):
                self.assert_error(self.listener(client_ca=self.ca.crt, **{key: value}), f"listeners[0].tls.{key}", word)

    def test_what_goes_only_with_client_ca_is_an_error_without_it(self):
        for key, value in (("client_auth", "optional"), ("client_crl", self.ca.crl())):
            with self.subTest(key):
                result = self.check(self.listener(**{key: value}))
                self.assertEqual(result.returncode, 1, result.stdout)
                self.assertIn("client_ca", result.stderr)

    def test_half_a_pair_is_an_error(self):
        for text, missing in ((self.upstream(certificate=self.certificate.crt), "private_key"),
                              (self.upstream(private_key=self.certificate.key), "certificate"),
                              (f"listeners:\n  - address: 127.0.0.1:1\n    tls: {{certificate: {self.certificate.crt}}}\n", "private_key")):
            with self.subTest(text):
                result = self.check(text)
                self.assertEqual(result.returncode, 1, result.stdout)
                self.assertRegex(result.stderr, rf"proxy\.yaml:\d+:\d+: \S*tls.*\b{missing}\b")


class Tolerated(CheckTest):
    def test_a_good_configuration_has_nothing_to_be_told(self):
        for text in (self.listener(client_ca=self.ca.crt, client_crl=self.ca.crl(), client_auth="optional", min_version='"1.3"'),
                     self.upstream(ca=self.ca.crt, server_name="x.example", **self.certificate.tls)):
            result = self.check(text)
            self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_a_key_that_everybody_can_read_is_a_warning(self):
        for mode, warns in ((0o644, True), (0o604, True), (0o640, False), (0o600, False)):
            with self.subTest(oct(mode)):
                os.chmod(self.other.key, mode)
                result = self.check(self.listener(self.other))
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertIn("private_key: " + self.other.key, result.stdout.replace('"', ""))
                if warns:
                    [line] = result.stderr.splitlines()
                    self.assertTrue(line.startswith("warning:"), line)
                    self.assertIn(self.other.key, line)
                else:
                    self.assertEqual(result.stderr, "")

    def test_run_starts_with_an_expired_certificate_and_warns(self):
        self.start_tls(tls=self.expired.tls)
        line = self.proxy.wait_for_line(r'"level":"warning".*expired').string
        self.assertIn(self.expired.crt, line)
        context = self.context()
        context.check_hostname, context.verify_mode = False, 0
        client = self.tls_client(context=context)
        self.assertEqual(client.certificate, self.expired.der)

    def test_verify_false_is_a_warning_at_every_start_and_none_of_check(self):
        self.assertEqual(self.check(self.upstream(verify="false")).returncode, 0)
        for _ in range(2):
            self.start(app_url="wss://localhost:1", wait="live", upstream={"tls": {"verify": False}})
            self.assertIn("upstream", self.proxy.wait_for_line(r'"level":"warning".*verif').string)
        self.start(app_url="wss://localhost:1", wait="live")
        self.assertEqual([line for line in self.proxy.lines if "verif" in line], [])


if __name__ == "__main__":
    main()
