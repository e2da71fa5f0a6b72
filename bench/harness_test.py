"""What the harness makes of what it measured: the page, the targets, the shares."""

import shutil
import ssl
import tempfile
import unittest
from pathlib import Path

from harness import certificates, measure, page, peers, profile, report
from harness.loads import DIRECT, LOADS, NGINX, PLAIN, WSPROXY, Load, Target

ORDER = ["one", "two", "three"]
KERNEL = profile.KERNEL


def tables(*names, text="new"):
    result = page.Tables()
    for name in names:
        result.put(name, f"Title of {name}", [f"| {name} | {text} |"], f"| {name} {text} |\n", "A machine.")
    return result


class PageTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "page.md"
        marks = ["bench", "bench with 2 workers", "bench profile"]
        self.path.write_text("".join(f"# {mark}\n<!-- {mark}: begin -->\n<!-- {mark}: end -->\n" for mark in marks))

    def test_only_the_loads_that_ran_are_replaced(self):
        page.update(self.path, 1, tables("one", "three", text="old"), ORDER)
        page.update(self.path, 1, tables("two", "three"), ORDER)
        whole = self.path.read_text()
        for expected in ("| one old |", "| one | old |", "| two new |", "| three new |", "| three | new |"):
            self.assertEqual(whole.count(expected), 1, expected)
        self.assertNotIn("three old", whole)
        self.assertLess(whole.index("| two new |"), whole.index("| three new |"))

    def test_writing_the_same_twice_changes_nothing(self):
        page.update(self.path, 1, tables("one", "two"), ORDER)
        once = self.path.read_text()
        page.update(self.path, 1, tables("two"), ORDER)
        self.assertEqual(self.path.read_text(), once)

    def test_two_workers_have_tables_of_their_own(self):
        page.update(self.path, 1, tables("one", text="old"), ORDER)
        page.update(self.path, 2, tables("one"), ORDER)
        whole = self.path.read_text()
        self.assertLess(whole.index("| one old |"), whole.index("with 2 workers: begin"))
        self.assertGreater(whole.index("| one new |"), whole.index("with 2 workers: begin"))

    def test_shares_are_replaced_by_load(self):
        page.update_profile(self.path, {"one": ["| one | old |"], "two": ["| two | old |"]}, ORDER)
        page.update_profile(self.path, {"two": ["| two | new |"]}, ORDER)
        whole = self.path.read_text()
        self.assertIn("| one | old |\n| two | new |\n", whole)
        self.assertNotIn("| two | old |", whole)


class TargetTest(unittest.TestCase):
    def verdicts(self, target, ours, theirs, base):
        load = Load("A load", (), (WSPROXY, PLAIN, DIRECT), ("p99_us",), (target,))
        entries = zip((WSPROXY, PLAIN, DIRECT), (ours, theirs, base))
        return list(report.verdicts("one", load, [{entry.name: {"p99_us": value} for entry, value in entries}]))

    def test_only_what_is_added_is_compared(self):
        target = Target("wsproxy", "p99_us", 1.5, PLAIN.name, beyond=DIRECT.name)
        self.assertTrue(self.verdicts(target, 250, 200, 100)[0][1])
        self.assertFalse(self.verdicts(target, 251, 200, 100)[0][1])

    def test_without_a_difference_there_is_no_verdict(self):
        target = Target("wsproxy", "p99_us", 1.5, PLAIN.name, beyond=DIRECT.name)
        self.assertEqual(self.verdicts(target, 250, 100, 100), [])


class TlsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def configuration(self, peer, tls):
        setting = measure.Setting(build=self.folder, pin=False, scale=1, certificates=self.folder)
        return peers.configuration(peers.PEERS[peer], {"PORT": 1234, **peers.certificate_values(setting, tls)})

    def test_every_proxy_shows_the_certificate_of_the_load(self):
        for peer in ("wsproxy", "nginx"):
            whole = self.configuration(peer, "rsa")
            self.assertIn(str(self.folder / "rsa.crt"), whole)
            self.assertIn(str(self.folder / "rsa.key"), whole)
        self.assertIn(f"ssl crt {self.folder}/ecdsa.pem", self.configuration("haproxy", "ecdsa"))

    def test_a_plain_load_has_nothing_of_tls(self):
        for peer in ("wsproxy", "nginx", "haproxy"):
            whole = self.configuration(peer, "")
            for word in ("@TLS@", "@PLAIN@", "ssl", "tls", "ertificate"):
                self.assertNotIn(word, whole, peer)

    def test_it_listens_once_either_way(self):
        for peer in ("wsproxy", "nginx", "haproxy"):
            for tls in ("", "ecdsa"):
                self.assertEqual(self.configuration(peer, tls).count("127.0.0.1:1234"), 1, (peer, tls))

    @unittest.skipUnless(shutil.which("openssl"), "needs the openssl command")
    def test_the_certificates_belong_to_their_keys_and_to_localhost(self):
        certificates.make(self.folder)
        for kind in certificates.KEYS:
            files = certificates.at(self.folder, kind)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(files.certificate, files.private_key)
            context.load_cert_chain(files.both)
            context.load_verify_locations(files.certificate)
            names = context.get_ca_certs()[0]["subjectAltName"]
            self.assertEqual(names, (("DNS", "localhost"), ("IP Address", "127.0.0.1")))

    def test_the_table_says_what_was_agreed_and_whether_by_all(self):
        load = Load("A load", (), (WSPROXY, NGINX), ("cpu_us",), tls="ecdsa")

        def table(ours, theirs):
            return report.load_table(load, [{"wsproxy": {"cpu_us": 1, "tls": ours}, "nginx": {"cpu_us": 1, "tls": theirs}}])

        self.assertIn("All agreed on TLSv1.3, A.", table("TLSv1.3, A", "TLSv1.3, A"))
        self.assertIn("wsproxy: TLSv1.3, A; nginx: TLSv1.3, B.", table("TLSv1.3, A", "TLSv1.3, B"))

    def test_loads_have_certificates_that_are_made_and_targets_of_rows_that_run(self):
        for name, load in LOADS.items():
            self.assertIn(load.tls, ("", *certificates.KEYS), name)
            rows = [entry.name for entry in load.entries]
            for target in load.targets:
                for row in filter(None, (target.entry, target.against, target.beyond)):
                    self.assertIn(row, rows, name)


class ShareTest(unittest.TestCase):
    def share(self, *frames):
        return profile.share_of([f"\t    7f00 {symbol}+0x1f ({where})" for symbol, where in frames])

    def test_the_kernel_works_for_the_call_that_it_is_in(self):
        kernel = KERNEL.strip("()")
        self.assertEqual(self.share(("tcp_ack", kernel), ("__x64_sys_sendto", kernel), ("__send", "libc.so.6")), "write")
        self.assertEqual(self.share(("do_syscall_64", kernel), ("__libc_recv", "/lib/libc.so.6")), "read")
        self.assertEqual(self.share(("try_to_wake_up", kernel), ("__x64_sys_epoll_wait", kernel)), "events")
        self.assertEqual(self.share(("irqentry_exit", kernel), ("wsproxy::deflate::f", "wsproxy")), "other")

    def test_functions_belong_to_rooms_and_libraries(self):
        self.assertEqual(self.share(("[unknown]", "/usr/lib/libz.so.1.2.13")), "codec")
        self.assertEqual(self.share(("wsproxy::deflate::Encoder::message", "wsproxy")), "codec")
        self.assertEqual(self.share(("aesni_ctr32_encrypt_blocks", "/usr/lib/libcrypto.so.3")), "tls")
        self.assertEqual(self.share(("wsproxy::websocket::FrameParser::feed", "wsproxy")), "parse")
        self.assertEqual(self.share(("wsproxy::relay::ToClient::feed", "wsproxy")), "relay")
        self.assertEqual(self.share(("wsproxy::net::WriteQueue::flush", "wsproxy")), "write")

    def test_shares_are_of_all_samples(self):
        frame = "\t    7f00 {}+0x1f (wsproxy)\n"
        script = "\n".join(frame.format(f"wsproxy::{name}::f") for name in ("deflate", "deflate", "relay", "unheard_of"))
        self.assertEqual(profile.shares_of(script), ({"codec": 0.5, "relay": 0.25, "other": 0.25}, 4))


if __name__ == "__main__":
    unittest.main()
