"""What certificates are held against changes on disk: authorities and revocation lists of clients, authorities of apps,
and the certificate that the proxy shows an app."""

import os
import shutil
import ssl

from harness import DEADLINE, main, wait_until
from harness.authority import Authority, Secret
from harness.tls import V12, V13, TlsEchoApp, TlsTest


def replace(source, target):
    shutil.copy(source, target + ".new")
    os.rename(target + ".new", target)


class TrustTest(TlsTest):
    def setUp(self):
        super().setUp()
        self.first, self.second = Authority(self.folder, "first"), Authority(self.folder, "second")
        self.file = os.path.join(self.folder, self.id())

    def wait_reload(self, at_least, result="success"):
        self.proxy.wait_metric("wsproxy_config_reloads_total", at_least, result=result)

    def is_let_in(self, certificate, **how):
        """Whether the app answers; a refusal has to be an alert."""
        try:
            client = self.tls_client(certificate=certificate, **how).open()
        except ssl.SSLError as refused:
            self.assertIn("alert", refused.reason.lower())
            return False
        client.close()
        return True


class Clients(TrustTest):
    def start_asking(self, **tls):
        replace(self.first.crt, self.file)
        self.start_tls(TlsEchoApp(self.certificate), tls={"client_ca": self.file, **tls}, upstream={"tls": {"ca": self.ca.crt}})

    def test_clients_of_a_new_authority_are_let_in_and_those_of_the_old_are_not(self):
        self.start_asking()
        old, new = self.first.issue("old"), self.second.issue("new")
        self.assertEqual((self.is_let_in(old), self.is_let_in(new)), (True, False))
        stays = self.tls_client(certificate=old).open()
        replace(self.second.crt, self.file)
        self.wait_reload(1)
        wait_until(lambda: self.is_let_in(new), "the new authority")
        self.assertFalse(self.is_let_in(old))
        stays.send("let in before")
        self.assertEqual(stays.read_message().text, "let in before")

    def test_two_authorities_in_a_file_while_one_follows_the_other(self):
        self.start_asking()
        with open(self.first.crt) as one, open(self.second.crt) as other, open(self.file + ".both", "w") as both:
            both.write(one.read() + other.read())
        replace(self.file + ".both", self.file)
        new = self.second.issue("new")
        wait_until(lambda: self.is_let_in(new), "the second authority")
        self.assertTrue(self.is_let_in(self.first.issue("old")))

    def test_a_file_without_an_authority_leaves_the_old(self):
        self.start_asking()
        with open(self.file + ".junk", "w") as file:
            file.write("nothing\n")
        replace(self.file + ".junk", self.file)
        self.wait_reload(1, "failure")
        self.assertIn(self.file, self.proxy.wait_for_line('"level":"error"').string)
        self.assertTrue(self.is_let_in(self.first.issue("old")))
        self.assertFalse(self.is_let_in(self.second.issue("new")))

    def session(self, context):
        client = self.tls_client(context=context).open()
        client.send("hello")
        client.read_message()
        return client.sock.session

    def test_whoever_a_new_list_revokes_is_refused_with_an_old_session_too(self):
        crl = self.first.crl(self.file + ".crl")
        self.start_asking(client_crl=crl)
        stolen, other = self.first.issue("stolen"), self.first.issue("other")
        sessions = {}
        for version in (V12, V13):
            for certificate in (stolen, other):
                context = self.context(certificate=certificate, versions=[version])
                sessions[version, certificate] = context, self.session(context)
        self.first.revoke(stolen)
        self.first.crl(crl)
        self.wait_reload(1)
        wait_until(lambda: not self.is_let_in(stolen), "the new list")
        self.assertTrue(self.is_let_in(other))
        for version in (V12, V13):
            with self.subTest(version=version.name):
                for certificate, is_let_in in ((stolen, False), (other, True)):
                    context, session = sessions[version, certificate]
                    self.assertEqual(self.is_let_in(None, context=context, session=session), is_let_in)

    def test_a_list_that_is_out_of_date_leaves_the_old(self):
        crl = self.first.crl(self.file + ".crl")
        self.start_asking(client_crl=crl)
        stolen, other = self.first.issue("stolen"), self.first.issue("other")
        self.first.revoke(stolen)
        self.first.crl(crl, ends=-1)
        self.wait_reload(1, "failure")
        self.assertIn(crl, self.proxy.wait_for_line('"level":"error"').string)
        self.assertTrue(self.is_let_in(other))
        self.first.crl(crl)
        wait_until(lambda: not self.is_let_in(stolen), "the new list")
        self.assertTrue(self.is_let_in(other))

    def test_a_session_of_an_authority_that_is_gone_opens_no_door(self):
        self.start_asking()
        old, new = self.first.issue("old"), self.second.issue("new")
        sessions = []
        for version in (V12, V13):
            context = self.context(certificate=old, versions=[version])
            sessions.append((context, self.session(context)))
        replace(self.second.crt, self.file)
        wait_until(lambda: self.is_let_in(new), "the new authority")
        for context, session in sessions:
            with self.subTest(version=context.maximum_version.name):
                self.assertFalse(self.is_let_in(None, context=context, session=session))

    def test_all_of_a_secret_at_once(self):
        fresh = self.ca.issue("localhost", ends=40)
        def files(authority, certificate):
            return {"ca.crt": authority.crt, "tls.crt": certificate.crt, "tls.key": certificate.key}
        secret = Secret(self.folder, files(self.first, self.certificate))
        self.start_tls(tls={"certificate": secret.path("tls.crt"), "private_key": secret.path("tls.key"), "client_ca": secret.path("ca.crt"),
                            "client_auth": "optional"})
        self.assertEqual(self.shown(), self.certificate.der)
        secret.swap(files(self.second, fresh))
        wait_until(lambda: self.shown() == fresh.der, "the new certificate")
        self.assertEqual(self.shown(certificate=self.second.issue("new")), fresh.der)
        self.assertEqual(self.refusal(certificate=self.first.issue("old")), "tlsv1 alert unknown ca")


class Apps(TrustTest):
    def status(self):
        client = self.closing(self.proxy.client())
        client.ask()
        return client.read_answer(DEADLINE).status

    def test_an_app_of_a_new_authority_is_believed(self):
        replace(self.second.crt, self.file)
        self.start(TlsEchoApp(self.first.issue("localhost")), wait="live", upstream={"tls": {"ca": self.file}})
        self.assertEqual(self.status(), 502)
        replace(self.first.crt, self.file)
        wait_until(lambda: self.status() == 101, "the new authority")
        replace(self.second.crt, self.file)
        wait_until(lambda: self.status() == 502, "the old one again")

    def test_an_app_sees_the_new_certificate_of_the_proxy_and_open_connections_go_on(self):
        crt, key = self.file + ".crt", self.file + ".key"
        old, new = self.first.issue("proxy"), self.second.issue("proxy")
        both = self.file + ".ca"
        with open(self.first.crt) as one, open(self.second.crt) as other, open(both, "w") as file:
            file.write(one.read() + other.read())

        def put(certificate):
            replace(certificate.crt, crt)
            replace(certificate.key, key)
        put(old)
        app = TlsEchoApp(self.certificate, client_ca=both)
        self.start(app, upstream={"tls": {"ca": self.ca.crt, "certificate": crt, "private_key": key}})
        stays = self.echo_client()
        self.assertEqual(app.certificates[-1], old.der)
        put(new)

        def is_new():
            self.echo_client().close()
            return app.certificates[-1] == new.der
        wait_until(is_new, "the new certificate")
        stays.send("as before")
        self.assertEqual(stays.read_message().text, "as before")
        replace(old.key, key)
        self.wait_reload(1, "failure")
        self.echo_client().close()
        self.assertEqual(app.certificates[-1], new.der)


if __name__ == "__main__":
    main()
