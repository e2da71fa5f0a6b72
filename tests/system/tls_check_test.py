"""What `wsproxy check` and `wsproxy run` say of TLS files that are not as they should be, and what they never say."""

import fcntl
import json
import os
import pty
import re
import subprocess
import tempfile
import termios

from harness import DEADLINE, WSPROXY, EchoApp, environment, free_port, main, merged, run_command
from harness.tls import Authority, TlsEchoApp, TlsTest, openssl


class CheckTest(TlsTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other, cls.rsa = cls.ca.issue("other"), cls.ca.issue("rsa", rsa=True)
        cls.expired = cls.ca.issue("expired", begins=-3, ends=-1)
        cls.missing = os.path.join(cls.folder, "missing.pem")
        cls.text, cls.empty = cls.file("text.pem", "no PEM at all\n"), cls.file("empty.pem", "")
        cls.garbled = cls.file("garbled.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")

    @classmethod
    def file(cls, name, text):
        path = os.path.join(cls.folder, name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o600)
        return path

    def config(self, tls=None, upstream=None, **settings):
        """A file of the config: `tls` of its one listener and `upstream`, as changes to what is good."""
        good = {"listeners": [{"name": "public", "address": f"127.0.0.1:{free_port()}", "tls": merged(self.certificate.tls, tls or {})}],
                "upstream": merged({"url": "wss://localhost:1", "tls": {"ca": self.ca.crt}}, upstream or {}),
                "admin": {"address": f"127.0.0.1:{free_port()}"}}
        folder = tempfile.mkdtemp(dir=self.folder)
        path = os.path.join(folder, "wsproxy.yaml")
        with open(path, "w") as file:
            json.dump({**good, **settings}, file, indent=1)
        return path

    def assert_problem(self, file, key, problem, *, commands=("check", "run"), code=1):
        """A line with the place of the key's value in the file, and what is wrong there."""
        with open(file) as text:
            lines = text.read().split("\n")
        name = key.rpartition(".")[2]
        for command in commands:
            result = run_command(command, "--config", file)
            self.assertEqual(result.returncode, code, result.stdout + result.stderr)
            found = re.search(rf"^{re.escape(file)}:(\d+):(\d+): {re.escape(key)}: (.*)$", result.stderr, re.M)
            self.assertTrue(found, f"{command} says nothing of {key} at its place: {result.stderr}")
            before, rest = lines[int(found[1]) - 1][:int(found[2]) - 1], lines[int(found[1]) - 1][int(found[2]) - 1:]
            self.assertRegex(before, rf'^\s*"{name}": $')
            self.assertRegex(rest, r'^["{\[]')
            self.assertRegex(found[3], problem)

    def assert_good(self, file):
        result = run_command("check", "--config", file)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stderr)
        return result.stdout


class Files(CheckTest):
    def test_what_is_good_is_good(self):
        clients = Authority(self.folder, "clients")
        device = clients.issue("device")
        self.assert_good(self.config())
        self.assert_good(self.config({"additional": [self.rsa.tls, self.other.tls], "client_ca": clients.crt, "client_crl": clients.crl(),
                                      "ciphers": "ECDHE+AESGCM", "ciphersuites": "TLS_AES_256_GCM_SHA384", "min_version": "1.3"},
                                     {"tls": {"certificate": device.crt, "private_key": device.key, "server_name": "localhost"}}))

    def test_files_that_are_missing_or_no_files(self):
        for path in (self.missing, self.folder):
            for key in ("certificate", "private_key", "client_ca"):
                self.assert_problem(self.config({key: path}), f"listeners[0].tls.{key}", re.escape(path))
            self.assert_problem(self.config({"client_ca": self.ca.crt, "client_crl": path}), "listeners[0].tls.client_crl", re.escape(path))
            for key in ("certificate", "private_key"):
                self.assert_problem(self.config({"additional": [self.rsa.tls, {**self.other.tls, key: path}]}),
                                    f"listeners[0].tls.additional[1].{key}", re.escape(path))
                self.assert_problem(self.config(upstream={"tls": {**self.other.tls, key: path}}), f"upstream.tls.{key}", re.escape(path))
            self.assert_problem(self.config(upstream={"tls": {"ca": path}}), "upstream.tls.ca", re.escape(path))
            route = [{"match": {"path": "/other"}, "upstream": {"url": "wss://localhost:2", "tls": {"ca": path}}}]
            self.assert_problem(self.config(routes=route), "routes[0].upstream.tls.ca", re.escape(path))

    def test_files_without_what_they_should_have(self):
        for path in (self.text, self.empty, self.garbled):
            for key in ("certificate", "private_key", "client_ca"):
                self.assert_problem(self.config({key: path}), f"listeners[0].tls.{key}", re.escape(path))
            self.assert_problem(self.config({"client_ca": self.ca.crt, "client_crl": path}), "listeners[0].tls.client_crl", re.escape(path))
            self.assert_problem(self.config(upstream={"tls": {"ca": path}}), "upstream.tls.ca", re.escape(path))
        for key, path in (("certificate", self.certificate.key), ("private_key", self.certificate.crt), ("client_ca", self.certificate.key)):
            self.assert_problem(self.config({key: path}), f"listeners[0].tls.{key}", re.escape(path))
        self.assert_problem(self.config({"client_ca": self.ca.crt, "client_crl": self.ca.crt}), "listeners[0].tls.client_crl", re.escape(self.ca.crt))

    def test_a_key_of_another_certificate(self):
        for key in (self.other.key, self.rsa.key):
            self.assert_problem(self.config({"private_key": key}), "listeners[0].tls.private_key", re.escape(key))
            self.assert_problem(self.config({"additional": [{**self.certificate.tls, "private_key": key}]}),
                                "listeners[0].tls.additional[0].private_key", re.escape(key))
            self.assert_problem(self.config(upstream={"tls": {**self.certificate.tls, "private_key": key}}), "upstream.tls.private_key", re.escape(key))

    def test_an_expired_certificate_fails_the_check_only(self):
        self.assert_problem(self.config(self.expired.tls), "listeners[0].tls.certificate", "(?i)expired", commands=["check"])
        self.assert_problem(self.config({"additional": [self.expired.tls]}), "listeners[0].tls.additional[0].certificate", "(?i)expired", commands=["check"])
        self.start_tls(EchoApp(), tls=self.expired.tls)
        said = self.proxy.wait_for_line('"level":"warning?".*expired').string
        self.assertIn(self.expired.crt, said)
        context = self.context()
        context.check_hostname, context.verify_mode = False, 0
        self.assertEqual(self.tls_client(context=context).open().certificate, self.expired.der)

    def test_an_encrypted_key_is_refused_without_asking_for_its_passphrase(self):
        kinds = {"pkcs8.key": ["pkcs8", "-topk8"], "legacy.key": ["ec", "-aes128"]}
        for name, how in kinds.items():
            path = self.file(name, openssl(*how, "-in", self.certificate.key, "-passout", "pass:secret").decode())
            self.assertIn("ENCRYPTED", open(path).read())
            file = self.config({"private_key": path})
            self.assert_problem(file, "listeners[0].tls.private_key", "encrypted|passphrase")
            self.assert_problem(self.config(upstream={"tls": {"certificate": self.certificate.crt, "private_key": path}}), "upstream.tls.private_key",
                                "encrypted|passphrase")
            for command in ("check", "run"):  # OpenSSL would ask the terminal of the session, whatever stdin is
                ours, theirs = pty.openpty()
                try:
                    result = subprocess.run([WSPROXY, command, "--config", file], stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                            timeout=DEADLINE, env=environment(), start_new_session=True,
                                            preexec_fn=lambda tty=theirs: fcntl.ioctl(tty, termios.TIOCSCTTY, 0))
                finally:
                    os.close(theirs)
                    os.close(ours)
                self.assertEqual(result.returncode, 1)
                self.assertNotRegex(result.stdout.decode(), "(?i)enter pass")


class Values(CheckTest):
    def test_ciphers_that_openssl_does_not_know(self):
        for key, value in (("ciphers", "NONSENSE"), ("ciphers", "ECDHE-NONSENSE:AES-NONE"), ("ciphersuites", "TLS_NONSENSE"),
                           ("ciphersuites", "ECDHE-RSA-AES128-GCM-SHA256")):
            self.assert_problem(self.config({key: value}), f"listeners[0].tls.{key}", ".")

    def test_keys_that_want_others(self):
        self.assert_problem(self.config({"client_crl": self.ca.crl()}), "listeners[0].tls.client_crl", "client_ca")
        lone = run_command("check", "--config", self.config(upstream={"tls": {"private_key": self.other.key}}))
        self.assertEqual(lone.returncode, 1)
        self.assertRegex(lone.stderr, r":\d+:\d+: upstream\.tls\.\w+: ")

    def test_words_and_versions_that_are_none(self):
        for key, value in (("min_version", "1.1"), ("min_version", "1.4"), ("client_auth", "maybe")):
            self.assert_problem(self.config({key: value, "client_ca": self.ca.crt}), f"listeners[0].tls.{key}", ".")

    def test_a_pair_is_both_of_its_files(self):
        for key in ("certificate", "private_key"):
            file = self.config()
            with open(file) as text:
                config = json.load(text)
            del config["listeners"][0]["tls"][key]
            with open(file, "w") as text:
                json.dump(config, text, indent=1)
            for command in ("check", "run"):
                result = run_command(command, "--config", file)
                self.assertEqual(result.returncode, 1)
                self.assertRegex(result.stderr, rf"^{re.escape(file)}:\d+:\d+: listeners\[0\]\.tls\.{key}: ")


class Warnings(CheckTest):
    def test_a_key_that_everybody_can_read_is_a_warning(self):
        key = self.file("open.key", open(self.certificate.key).read())
        for mode, warns in ((0o644, True), (0o604, True), (0o640, False), (0o400, False)):
            os.chmod(key, mode)
            for file in (self.config({"private_key": key}), self.config({"additional": [{**self.certificate.tls, "private_key": key}]}),
                         self.config(upstream={"tls": {**self.certificate.tls, "private_key": key}})):
                result = run_command("check", "--config", file)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual(bool(re.search(rf"^warning:.*private_key.*{re.escape(key)}", result.stderr, re.M)), warns, (oct(mode), result.stderr))

    def test_whoever_verifies_no_app_is_told_at_every_start(self):
        result = run_command("check", "--config", self.config(upstream={"tls": {"verify": False}}))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stderr, r"(?m)^warning:.*upstream\.tls\.verify")
        for _ in range(2):
            self.start_tls(TlsEchoApp(Authority(self.folder, "unknown").issue("x")), upstream={"tls": {"verify": False}})
            self.proxy.wait_for_line('"level":"warning?".*upstream.tls.verify')
            self.tls_client().open()


class Secrets(CheckTest):
    def material(self, *certificates):
        """The lines of the keys' base64."""
        lines = [line.strip() for one in certificates for line in open(one.key) if not line.startswith("-----")]
        return [line for line in lines if len(line) >= 20]

    def assert_none_of(self, material, said):
        self.assertTrue(material)
        for line in material:
            self.assertNotIn(line, said)
        self.assertNotIn("PRIVATE KEY-----", said)

    def test_no_output_has_any_of_a_private_key(self):
        material = self.material(self.certificate, self.other, self.rsa)
        for tls in ({}, {"private_key": self.other.key}, {"certificate": self.certificate.key}, {"certificate": self.rsa.key, "private_key": self.rsa.crt},
                    {"client_ca": self.rsa.key}):
            for command in ("check", "run") if tls else ("check",):
                result = run_command(command, "--config", self.config(tls))
                self.assert_none_of(material, result.stdout + result.stderr)

    def test_nor_has_the_running_proxy(self):
        app = TlsEchoApp(self.certificate, client_ca=self.ca.crt)
        self.start_tls(app, tls={"additional": [self.rsa.tls]}, upstream={"tls": {"ca": self.ca.crt, **self.other.tls}})
        self.tls_client().open().finish()
        status, config = self.proxy.get("/config")
        self.assertEqual(status, 200)
        self.assertIn(self.certificate.key, config)  # the path, which is no secret
        said = config + self.proxy.metrics().text
        self.proxy.terminate()
        self.proxy.wait_exit()
        self.assert_none_of(self.material(self.certificate, self.other, self.rsa), said + "\n".join(self.proxy.lines))


if __name__ == "__main__":
    main()
