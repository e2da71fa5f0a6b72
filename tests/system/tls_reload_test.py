"""Files of TLS that change while the proxy runs: new handshakes use the new ones, and what is broken is not taken."""

import os
import shutil
import signal
import ssl
import tempfile

from harness import EchoApp, Ended, NamedApp, main, wait_until
from harness.tls import Authority, Secret, TlsEchoApp, TlsTest

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def rename(source, file):
    shutil.copyfile(source, file + ".new")
    os.replace(file + ".new", file)


def overwrite(source, file):
    with open(source, "rb") as new, open(file, "r+b") as old:
        old.write(new.read())
        old.truncate()


class ReloadTest(TlsTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.old, cls.new, cls.rsa = cls.ca.issue("old"), cls.ca.issue("new", ends=25), cls.ca.issue("rsa", rsa=True, ends=15)

    def setUp(self):
        super().setUp()
        self.live = tempfile.mkdtemp(dir=self.folder)

    def path(self, name):
        return os.path.join(self.live, name)

    def put(self, name, source, how=rename):
        how(source, self.path(name))

    def start_on(self, crt, key, app=None, tls=None, **settings):
        self.start_tls(app or EchoApp(), tls={"certificate": crt, "private_key": key, **(tls or {})}, **settings)

    def start_live(self, app=None, **settings):
        """With a copy of the old pair in the live folder."""
        self.put("tls.key", self.old.key)
        self.put("tls.crt", self.old.crt)
        self.start_on(self.path("tls.crt"), self.path("tls.key"), app, **settings)

    def start_secret(self):
        self.secret = Secret(self.live, {"tls.crt": self.old.crt, "tls.key": self.old.key})
        self.start_on(self.secret.path("tls.crt"), self.secret.path("tls.key"))

    def swap(self, certificate):
        self.secret.swap({"tls.crt": certificate.crt, "tls.key": certificate.key})

    def shown(self):
        with self.tls_client().sock as sock:
            return sock.getpeercert(binary_form=True)

    def wait_shown(self, certificate):
        wait_until(lambda: self.shown() == certificate.der, f"{certificate.crt} to be shown")

    def reloads(self, result):
        return self.proxy.metrics().sum("wsproxy_config_reloads_total", result=result)

    def wait_reload(self, result, at_least):
        self.proxy.wait_metric("wsproxy_config_reloads_total", at_least, result=result)

    def expiry(self, file):
        return self.proxy.metrics().sum("wsproxy_tls_certificate_expiry_timestamp_seconds", listener="public", certificate=file)

    def echoes(self, client, text="still here"):
        client.send(text)
        self.assertEqual(client.read_message().text, text)


class Taken(ReloadTest):
    def test_a_pair_that_is_replaced_by_rename_or_in_place(self):
        self.start_live()
        client = self.tls_client().open()
        self.assertEqual(client.certificate, self.old.der)
        for how in (rename, overwrite):
            for certificate in (self.new, self.rsa, self.old):
                self.put("tls.key", certificate.key, how)
                self.put("tls.crt", certificate.crt, how)
                self.wait_shown(certificate)
                self.echoes(client)  # which has the first one all the time

    def test_the_kubelet_s_swap_of_a_secret(self):
        self.start_secret()
        client = self.tls_client().open()
        before = self.reloads("success")
        for at, certificate in enumerate((self.new, self.rsa, self.old)):
            self.swap(certificate)
            self.wait_shown(certificate)
            self.wait_reload("success", before + at + 1)
            self.assertEqual(self.expiry(self.secret.path("tls.crt")), certificate.expires())
            self.echoes(client)
        self.assertEqual(self.reloads("failure"), 0)  # never one's key with another's certificate

    def test_a_signal(self):
        self.start_live()
        client = self.tls_client().open()
        before = self.reloads("success")
        self.proxy.signal(signal.SIGHUP)
        self.wait_reload("success", before + 1)
        # Of another folder in the place of the first nobody need be told.
        os.rename(self.live, self.live + ".old")
        os.mkdir(self.live)
        self.put("tls.key", self.new.key)
        self.put("tls.crt", self.new.crt)
        self.proxy.signal(signal.SIGHUP)
        self.wait_shown(self.new)
        self.echoes(client)
        self.put("tls.key", self.old.key)  # and the new folder is the one that is watched
        self.put("tls.crt", self.old.crt)
        self.wait_shown(self.old)

    def test_no_handshake_fails_while_certificates_change(self):
        self.start_secret()
        known = {one.der for one in (self.old, self.new, self.rsa)}
        for certificate in (self.new, self.rsa) * 3:
            self.swap(certificate)
            self.assertLessEqual({self.shown() for _ in range(10)}, known)
        self.wait_shown(self.rsa)
        self.assertEqual(self.failures(), 0)

    def test_other_files_of_the_folder_are_nothing_to_us(self):
        self.start_live()
        client = self.tls_client().open()
        before = self.reloads("success"), self.reloads("failure")
        self.put("other.txt", self.new.crt)
        self.put("other.txt", self.old.crt, overwrite)
        os.rename(self.path("other.txt"), self.path("tls.crt.bak"))
        os.mkdir(self.path("folder"))
        client.expect_silence(0.4)
        os.remove(self.path("tls.crt.bak"))
        client.expect_silence(0.4)
        self.assertEqual((self.reloads("success"), self.reloads("failure")), before)
        self.put("tls.key", self.new.key)
        self.put("tls.crt", self.new.crt)
        self.wait_shown(self.new)

    def test_an_additional_one(self):
        one, two = (self.ca.issue("extra", dns=(name, "extra.test"), ips=()) for name in ("one.test", "two.test"))
        secret = Secret(self.live, {"tls.crt": one.crt, "tls.key": one.key})
        self.start_live(tls={"additional": [{"certificate": secret.path("tls.crt"), "private_key": secret.path("tls.key")}]})
        self.assertEqual(self.tls_client(name="one.test").certificate, one.der)
        secret.swap({"tls.crt": two.crt, "tls.key": two.key})
        wait_until(lambda: self.tls_client(name="extra.test").certificate == two.der, "the new additional certificate")
        self.tls_client(name="two.test")  # its names are the new ones
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.tls_client(name="one.test")


class Refused(ReloadTest):
    def test_what_is_broken_leaves_the_one_before(self):
        self.start_secret()
        client = self.tls_client().open()
        crt, key = self.secret.path("tls.crt"), self.secret.path("tls.key")
        noise, empty = self.path("noise"), self.path("empty")
        with open(noise, "w") as file:
            file.write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        open(empty, "w").close()
        expired = self.ca.issue("expired", begins=-3, ends=-1)
        good = [self.new, self.old]
        in_use = self.old
        for what, files, named in (("another's key", {"tls.crt": self.new.crt, "tls.key": self.rsa.key}, (crt, key)),
                                   ("another's key of the same kind", {"tls.crt": self.new.crt, "tls.key": self.old.key}, (crt, key)),
                                   ("no certificate", {"tls.crt": noise, "tls.key": self.new.key}, (crt,)),
                                   ("empty", {"tls.crt": empty, "tls.key": self.new.key}, (crt,)),
                                   ("no key", {"tls.crt": self.new.crt, "tls.key": noise}, (key,)),
                                   ("expired", {"tls.crt": expired.crt, "tls.key": expired.key}, (crt,)),
                                   ("gone", {"tls.crt": self.new.crt}, (key,))):
            with self.subTest(what):
                line, before = len(self.proxy.lines), self.reloads("failure")
                expiry = self.expiry(crt)
                self.secret.swap(files)
                self.wait_reload("failure", before + 1)
                said = self.proxy.wait_for_line('"level":"error"', after=line).string
                self.assertTrue(any(name in said for name in named), said)
                self.assertEqual(self.shown(), in_use.der)
                self.assertEqual(self.expiry(crt), expiry)
                self.echoes(client)
                in_use = good[0]
                good.reverse()
                self.swap(in_use)
                self.wait_shown(in_use)

    def test_broken_trust_leaves_the_one_before(self):
        clients = Authority(self.folder, "clients")
        device = clients.issue("device")
        self.put("clients.crt", clients.crt)
        self.start_live(tls={"client_ca": self.path("clients.crt")})
        before = self.reloads("failure")
        self.put("clients.crt", self.old.key)  # a PEM file without any certificate
        self.wait_reload("failure", before + 1)
        self.proxy.wait_for_line('"level":"error".*clients.crt')
        self.echoes(self.tls_client(certificate=device).open())
        with self.assertRaises(ssl.SSLError):
            self.tls_client().sock.recv(1)


class Trust(ReloadTest):
    def gets_in(self, certificate, **how):
        try:
            client = self.tls_client(certificate=certificate, **how)
            client.open("/in")
        except (OSError, Ended):
            return False
        client.close()
        return True

    def sessions(self, certificate):
        """A context and a session of each version, made now."""
        made = []
        for version in (V12, V13):
            context = self.context(versions=[version], certificate=certificate)
            client = self.tls_client(context=context).open("/first")
            made.append((context, client.sock.session))
        return made

    def test_client_ca(self):
        one, two = Authority(self.folder, "one"), Authority(self.folder, "two")
        first, second = one.issue("first"), two.issue("second")
        self.put("clients.crt", one.crt)
        self.start_live(NamedApp("app"), tls={"client_ca": self.path("clients.crt")})
        self.assertEqual((self.gets_in(first), self.gets_in(second)), (True, False))
        made, client = self.sessions(first), self.tls_client(certificate=first).open()
        self.put("clients.crt", two.crt)
        wait_until(lambda: self.gets_in(second), "the second authority's client to get in")
        self.assertFalse(self.gets_in(first))
        for context, session in made:
            self.assertFalse(self.gets_in(None, context=context, session=session), "with a session of the authority before")
        self.echoes(client)

    def test_client_crl(self):
        clients = Authority(self.folder, "clients")
        device, other = clients.issue("device"), clients.issue("other")
        self.put("clients.crl", clients.crl())
        self.start_live(NamedApp("app"), tls={"client_ca": clients.crt, "client_crl": self.path("clients.crl")})
        self.assertEqual((self.gets_in(device), self.gets_in(other)), (True, True))
        made, others = self.sessions(device), self.sessions(other)
        clients.revoke(device)
        self.put("clients.crl", clients.crl())
        wait_until(lambda: not self.gets_in(device), "the revoked client to be refused")
        self.wait_failure("bad_certificate")
        for context, session in made:
            self.assertFalse(self.gets_in(None, context=context, session=session), "with a session made before it was revoked")
        for context, session in others:
            self.assertTrue(self.gets_in(None, context=context, session=session))

    def test_the_app_s_authority(self):
        other = Authority(self.folder, "other")
        app = TlsEchoApp(self.certificate)
        self.put("app.crt", self.ca.crt)
        self.start_live(app, upstream={"tls": {"ca": self.path("app.crt")}})

        def status():
            client = self.tls_client()
            client.ask("/app")
            return client.read_answer().status

        client = self.tls_client().open()
        self.put("app.crt", other.crt)
        wait_until(lambda: status() == 502, "the app of the authority before to be refused")
        self.proxy.wait_metric("wsproxy_upstream_errors_total", 1, reason="tls")
        renewed = other.issue("localhost")
        app._context.load_cert_chain(renewed.crt, renewed.key)
        self.assertEqual(status(), 101)
        self.echoes(client)


if __name__ == "__main__":
    main()
