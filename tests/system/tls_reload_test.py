"""Certificates that change on disk: new handshakes use the new ones, open connections go on, and what is broken changes
nothing. What a client's certificate is held against changes in tls_reload_trust_test.py."""

import os
import shutil
import signal
import subprocess

from harness import main, wait_until
from harness.authority import Secret
from harness.reload import put_in_place
from harness.tls import TlsEchoApp, TlsTest


def replace(source, target):
    """As an editor or certbot does: a new file, renamed over the old one."""
    shutil.copy(source, target + ".new")
    os.rename(target + ".new", target)


class ReloadTest(TlsTest):
    def setUp(self):
        super().setUp()
        self.old, self.new = self.certificate, self.ca.issue("localhost", ends=40)
        self.crt, self.key = os.path.join(self.folder, f"{self.id()}.crt"), os.path.join(self.folder, f"{self.id()}.key")

    def files(self, certificate):
        return {"tls.crt": certificate.crt, "tls.key": certificate.key}

    def start_on_files(self, **how):
        """A listener whose two files are this test's to replace."""
        self.put(self.old)
        tls = {"certificate": self.crt, "private_key": self.key, **how.pop("tls", {})}
        self.start_tls(how.pop("app", None) or TlsEchoApp(self.certificate), tls=tls, upstream={"tls": {"ca": self.ca.crt}}, **how)
        self.assertEqual(self.shown(), self.old.der)

    def put(self, certificate):
        replace(certificate.crt, self.crt)
        replace(certificate.key, self.key)

    def reloads(self, result):
        return self.proxy.metrics().sum("wsproxy_config_reloads_total", result=result)

    def wait_shown(self, certificate, name="localhost", meanwhile=lambda: None):
        wait_until(lambda: meanwhile() or self.shown(name) == certificate.der, "the new certificate")

    def assert_echoes(self, client, text="still here"):
        client.send(text)
        self.assertEqual(client.read_message().text, text)


class Replaced(ReloadTest):
    def test_by_renaming_over_them_and_open_connections_go_on(self):
        self.start_on_files()
        client = self.tls_client().open(extensions="permessage-deflate")
        self.assert_echoes(client)
        before = self.reloads("success")
        self.put(self.new)
        self.wait_shown(self.new)
        self.proxy.wait_metric("wsproxy_config_reloads_total", before + 1, result="success")
        self.assertEqual(client.certificate, self.old.der)
        self.assert_echoes(client, "as before, " * 5000)

    def test_by_writing_into_them(self):
        self.start_on_files()
        for source, target in ((self.new.crt, self.crt), (self.new.key, self.key)):
            shutil.copyfile(source, target)
        self.wait_shown(self.new)

    def test_by_the_kubelet_again_and_again(self):
        secret = Secret(self.folder, self.files(self.old))
        self.start_tls(TlsEchoApp(self.certificate), tls={"certificate": secret.path("tls.crt"), "private_key": secret.path("tls.key")},
                       upstream={"tls": {"ca": self.ca.crt}})
        client = self.tls_client().open()
        for certificate in (self.new, self.ca.issue("localhost"), self.old, self.new):
            secret.swap(self.files(certificate))
            self.wait_shown(certificate)
            self.assert_echoes(client)
        self.assertEqual(self.reloads("failure"), 0)

    def test_no_handshake_fails_while_they_are_swapped(self):
        secret = Secret(self.folder, self.files(self.old))
        self.start_tls(TlsEchoApp(self.certificate), tls={"certificate": secret.path("tls.crt"), "private_key": secret.path("tls.key")},
                       upstream={"tls": {"ca": self.ca.crt}})
        for at in range(30):
            secret.swap(self.files(self.new if at % 2 == 0 else self.old))
            for _ in range(3):
                self.assertIn(self.shown(), (self.old.der, self.new.der))
        secret.swap(self.files(self.new))
        self.wait_shown(self.new)
        self.assertEqual(self.failures(), 0)

    def test_soon_even_when_the_folder_is_never_quiet(self):
        self.start_on_files()
        self.put(self.new)
        self.wait_shown(self.new, meanwhile=lambda: put_in_place("x", os.path.join(self.folder, "busy")))

    def test_a_new_name_among_the_additional_ones(self):
        self.old, wanted = self.ca.issue("a", dns=["a.example"]), self.ca.issue("b", dns=["a.example", "b.example"])
        self.put(self.old)
        self.start_tls(tls={"additional": [{"certificate": self.crt, "private_key": self.key}]})
        self.assertEqual((self.shown("a.example"), self.shown("b.example")), (self.old.der, self.certificate.der))
        self.put(wanted)
        self.wait_shown(wanted, "b.example")
        self.assertEqual((self.shown("a.example"), self.shown()), (wanted.der, self.certificate.der))


class Signal(ReloadTest):
    def test_sighup_reads_them_again_where_nothing_tells_of_the_change(self):
        # a user namespace of its own, without a single inotify instance
        without = ["unshare", "--user", "--map-root-user", "sh", "-c",
                   'echo 0 >/proc/sys/user/max_inotify_instances && exec "$0" "$@"']
        if subprocess.run([*without, "true"], capture_output=True).returncode != 0:
            self.skipTest("no user namespace here")
        self.start_on_files(before=without)
        self.put(self.new)
        self.proxy.signal(signal.SIGHUP)
        self.wait_shown(self.new)

    def test_sighup_finds_a_folder_that_was_made_anew(self):
        folder = os.path.join(self.folder, "made-anew")
        os.mkdir(folder)
        self.crt, self.key = os.path.join(folder, "tls.crt"), os.path.join(folder, "tls.key")
        self.start_on_files()
        shutil.rmtree(folder)
        os.mkdir(folder)
        self.put(self.new)
        self.proxy.signal(signal.SIGHUP)
        self.wait_shown(self.new)

    def test_sighup_disturbs_nobody(self):
        self.start_on_files()
        client = self.tls_client().open()
        before = self.reloads("success")
        for at in range(3):
            self.proxy.signal(signal.SIGHUP)
            self.proxy.wait_metric("wsproxy_config_reloads_total", before + at + 1, result="success")
        self.assert_echoes(client)
        self.assertEqual(self.shown(), self.old.der)


class Broken(ReloadTest):
    def refuse(self, crt, key, *words):
        """Whichever of them the proxy sees first, no good pair may come about in between."""
        before, lines = self.reloads("failure"), len(self.proxy.lines)
        replace(crt, self.crt)
        replace(key, self.key)
        self.proxy.wait_metric("wsproxy_config_reloads_total", before + 1, result="failure")
        wait_until(lambda: all(any('"level":"error"' in line and word in line for line in self.proxy.lines[lines:]) for word in words),
                   f"an error line with each of {words}")
        self.assertEqual(self.shown(), self.old.der)

    def write(self, text):
        path = os.path.join(self.folder, f"text-{len(os.listdir(self.folder))}")
        with open(path, "w") as file:
            file.write(text)
        return path

    def test_a_pair_that_cannot_be_used_leaves_the_old_and_says_why(self):
        self.start_on_files()
        client = self.tls_client().open()
        other, expired, early = self.ca.issue("localhost"), self.ca.issue("localhost", begins=-9, ends=-1), self.ca.issue("localhost", begins=2)
        with open(self.new.crt) as file:
            cut = file.read()[:200]
        for what, crt, key, words in (
            ("another's key", self.new.crt, other.key, (self.key,)),
            ("no PEM", self.write("certainly not"), self.new.key, (self.crt,)),
            ("cut short", self.write(cut), self.new.key, (self.crt,)),
            ("an empty key", other.crt, self.write(""), (self.key,)),
            ("the key for the certificate", self.new.key, self.new.key, (self.crt,)),
            ("expired", expired.crt, expired.key, (self.crt, "expired")),
            ("not yet valid", early.crt, early.key, (self.crt, "not valid before")),
        ):
            with self.subTest(what):
                self.refuse(crt, key, *words)
        self.assert_echoes(client)
        self.put(self.new)
        self.wait_shown(self.new)

    def test_files_that_are_gone_leave_the_old_until_they_are_back(self):
        self.start_on_files()
        for file in (self.key, self.crt):
            before = self.reloads("failure")
            os.remove(file)
            self.proxy.wait_metric("wsproxy_config_reloads_total", before + 1, result="failure")
            self.assertEqual(self.shown(), self.old.der)
        self.put(self.new)
        self.wait_shown(self.new)

    def test_certificate_first_and_key_much_later(self):
        self.start_on_files()
        replace(self.new.crt, self.crt)
        self.proxy.wait_metric("wsproxy_config_reloads_total", 1, result="failure")
        self.assertEqual(self.shown(), self.old.der)
        replace(self.new.key, self.key)
        self.wait_shown(self.new)

    def test_a_broken_pair_does_not_hold_up_the_others(self):
        second = os.path.join(self.folder, "second")
        for what in ("broken", "expired"):
            with self.subTest(what):
                bad = self.ca.issue("second", dns=["second.example"], begins=-9, ends=-1)
                for kind in ("crt", "key"):
                    shutil.copy(getattr(bad if what == "expired" else self.old, kind), f"{second}.{kind}")
                self.start_on_files(tls={"additional": [{"certificate": f"{second}.crt", "private_key": f"{second}.key"}]})
                if what == "broken":
                    replace(self.write("nothing"), f"{second}.crt")
                    self.proxy.wait_metric("wsproxy_config_reloads_total", 1, result="failure")
                self.put(self.new)
                self.wait_shown(self.new)


class Expiry(ReloadTest):
    def expiry(self, file, listener="public"):
        return self.proxy.metrics().sum("wsproxy_tls_certificate_expiry_timestamp_seconds", certificate=file, listener=listener)

    def test_each_certificate_has_its_own_and_it_changes_with_the_file(self):
        other = self.ca.issue("other", dns=["other.example"], ends=3)
        self.start_on_files(tls={"additional": [other.tls]})
        self.assertEqual(self.expiry(self.crt), self.old.expires())
        self.assertEqual(self.expiry(other.crt), other.expires())
        self.assertNotEqual(self.old.expires(), self.new.expires())
        self.put(self.new)
        wait_until(lambda: self.expiry(self.crt) == self.new.expires(), "the new date")
        self.assertEqual(self.expiry(other.crt), other.expires())
        self.assertEqual(self.expiry(self.crt, listener="none"), 0)

    def test_a_refused_one_does_not_show(self):
        self.start_on_files()
        replace(self.new.crt, self.crt)
        self.proxy.wait_metric("wsproxy_config_reloads_total", 1, result="failure")
        self.assertEqual(self.expiry(self.crt), self.old.expires())


if __name__ == "__main__":
    main()
