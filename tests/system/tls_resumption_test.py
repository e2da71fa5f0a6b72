"""Sessions that are resumed: by tickets, on every worker, and by nothing else; no early data."""

import os
import ssl
import subprocess

from harness import DEADLINE, EchoApp, NamedApp, main
from harness.tls import V12, V13, SharedTlsTest, TlsTest

REUSED = "Reused, TLSv1"


class SessionTest(TlsTest):
    def session(self, context):
        client = self.tls_client(context=context).open()
        client.send("hello")
        client.read_message()  # a ticket of 1.3 comes behind the handshake
        return client.sock.session

    def resumes(self, context, session):
        client = self.tls_client(context=context, session=session).open()
        reused = client.sock.session_reused
        client.send("as before")
        self.assertEqual(client.read_message().text, "as before")
        client.close()
        return reused


class Tickets(SessionTest, SharedTlsTest):
    settings = {"workers": 4}

    @staticmethod
    def app_kind():
        return NamedApp("app")

    def test_a_session_is_resumed_on_every_worker_and_counted(self):
        for version, label in ((V12, "1.2"), (V13, "1.3")):
            with self.subTest(label):
                def count(resumed, label=label):
                    return self.proxy.metrics().sum("wsproxy_tls_handshakes_total", version=label, resumed=resumed)
                fresh, resumed = count("false"), count("true")
                context = self.context(versions=[version])
                session = self.session(context)
                for _ in range(8):
                    self.assertTrue(self.resumes(context, session))
                self.assertEqual((count("false"), count("true")), (fresh + 1, resumed + 8))

    def test_a_chain_of_sessions_each_from_the_one_before(self):
        for version in (V12, V13):
            context = self.context(versions=[version])
            session = self.session(context)
            for _ in range(5):
                client = self.tls_client(context=context, session=session).open()
                self.assertTrue(client.sock.session_reused)
                client.send("next")
                client.read_message()
                session = client.sock.session
                client.close()

    def test_openssl_s_client_resumes_from_a_file(self):
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version):
                file = os.path.join(self.folder, f"session{version}")
                self.assertNotIn(REUSED, self.s_client(version, "-sess_out", file))
                self.assertIn(REUSED, self.s_client(version, "-sess_in", file))

    def test_openssl_s_client_reconnects(self):
        said = self.s_client("-tls1_2", "-reconnect")
        self.assertEqual(said.count(REUSED), 5, said)

    def s_client(self, *words):
        """Sends a request, so that what comes behind the handshake comes as well."""
        request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        process = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.proxy.port}", "-servername", "localhost", "-ign_eof", *words],
                                 input=request, capture_output=True, timeout=DEADLINE)
        return (process.stdout + process.stderr).decode(errors="replace")

    def test_without_tickets_nothing_is_resumed(self):
        context = self.context(versions=[V12])
        context.options |= ssl.OP_NO_TICKET
        session = self.session(context)
        for _ in range(4):
            self.assertFalse(self.resumes(context, session))

    def test_early_data_is_not_invited(self):
        said = self.s_client("-tls1_3")
        self.assertIn("Max Early Data: 0", said)


class Restarted(SessionTest):
    def test_the_ticket_of_another_process_is_no_error_but_a_full_handshake(self):
        contexts = [self.context(versions=[version]) for version in (V12, V13)]
        self.start_tls(EchoApp())
        sessions = [self.session(context) for context in contexts]
        self.start_tls(EchoApp())
        for context, session in zip(contexts, sessions):
            self.assertFalse(self.resumes(context, session))
        self.assertEqual(self.failures(), 0)


class Names(SessionTest):
    def test_a_session_of_1_2_is_not_resumed_for_another_name(self):
        # RFC 6066 section 3; RFC 8446 section 4.6.1 leaves it to the client.
        other = self.ca.issue("other", dns=["other.example"])
        self.start_tls(EchoApp(), tls={"additional": [other.tls]})
        context = self.context(versions=[V12])
        client = self.tls_client(context=context, session=self.session(context), name="other.example")
        self.assertFalse(client.sock.session_reused)
        self.assertEqual(client.certificate, other.der)


if __name__ == "__main__":
    main()
