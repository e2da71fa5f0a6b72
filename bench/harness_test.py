"""What the harness makes of what it measured: the page, the targets, the shares."""

import importlib.util
import shutil
import ssl
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))

from harness import certificates, measure, page, peers, profile, report, scale, scale_figure, scale_page
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


class ScaleTest(unittest.TestCase):
    @staticmethod
    def figures(kb=3.0, base=5.0, numbers=(100, 1000, 2500, 5000)):
        return [{"connections": number, "connected_mb": base, "used_mb": base + kb * number / 1024, "kernel_mb": number * 4 / 1024, "mapped_mb": 10.0,
                 "ramp_rate": 2000.0, "ramp_cpu_us": 200.0, "cpu_us": 20.0, "last_ms": number / 50} for number in numbers]

    def all_rows(self):
        return {row.name: self.figures(kb=at + 1.0) for at, row in enumerate(scale.ROWS)}

    def test_every_connection_has_two_descriptors(self):
        self.assertEqual(scale.points(20_000), (100, 1000, 2500, 5000, 9800))
        self.assertEqual(scale.points(1024), (100, 300))
        self.assertEqual(scale.points(1 << 20)[-1], scale.MOST)

    def test_a_connection_takes_the_slope_whatever_the_process_had(self):
        for base in (1.0, 500.0):
            self.assertAlmostEqual(scale_page.slope(self.figures(kb=7.5, base=base), "used_mb"), 7.5)

    def test_one_odd_point_and_small_ones_do_not_turn_the_slope(self):
        figures = self.figures(kb=3, numbers=(100, 1000, 2000, 3000, 4000, 5000))
        figures[0]["used_mb"] += 50
        figures[3]["used_mb"] += 20
        self.assertAlmostEqual(scale_page.slope(figures, "used_mb"), 3, delta=1)

    def test_one_point_has_no_slope(self):
        self.assertIsNone(scale_page.slope(self.figures(numbers=(100, 1000)), "used_mb"))

    def test_a_row_that_ends_early_has_empty_cells(self):
        found = {"one": self.figures(), "two": self.figures(numbers=(100,))}
        lines = scale_page.table("Title", "used_mb", "{:.0f}", found).splitlines()
        self.assertEqual(lines[2], "| connections | 100 | 1000 | 2500 | 5000 |")
        self.assertEqual(lines[-1], "| two | 5 |  |  |  |")

    def test_the_sizing_says_what_was_measured(self):
        idle = [{"connections": 5000, "idle_cpu": 0.01, "pings": 5000, "idle_seconds": 32, "drain_seconds": 5.1, "most_in_a_second": 1100}]
        words = scale_page.text(self.all_rows(), idle, 20_000, "A machine.")
        for part in ("1 KB without compression", "3 KB with it", "5 KB with it and TLS", "up to 4 KB", "24 MB for 1000 connections",
                     "idle 0.20 %", "2.0 % without compression", "20000 descriptors", "| 5000 | 1.00% | 5000 | 32 | 5.1 | 1100 |"):
            self.assertIn(part, words)

    def test_what_was_not_measured_is_not_shown(self):
        found = {"one": self.figures(), "two": [{**one, "last_ms": None, "kernel_mb": None} for one in self.figures()]}
        self.assertNotIn("two", scale_page.table("Title", "last_ms", "{:.0f}", found))
        self.assertIn("| two | 0.0 | 3.0 |  |", scale_page.memory_table(found))

    def test_without_all_rows_there_is_no_sizing(self):
        self.assertEqual(scale_page.sizing({"wsproxy": self.figures()}, []), "")

    def test_the_most_in_any_second(self):
        self.assertEqual(scale.most_in_a_second([0, 0.5, 1.0, 1.2, 1.4, 3]), 4)
        self.assertEqual(scale.most_in_a_second([]), 0)

    def test_peers_take_as_many_as_are_opened(self):
        for peer, words in (("nginx", ("worker_connections 19700", "worker_rlimit_nofile 20000")), ("haproxy", ("maxconn 9850",)),
                            ("wsproxy", ("max_connections: 9900",))):
            entry = scale.entry_of(scale.Row(peer, peer), 9800)
            whole = peers.configuration(peers.PEERS[peer], dict(entry.settings))
            for word in words:
                self.assertIn(word, whole)

    @unittest.skipUnless(importlib.util.find_spec("matplotlib"), "needs python3-matplotlib")
    def test_the_figure_is_small_and_the_same_for_the_same_figures(self):
        with tempfile.TemporaryDirectory() as folder:
            texts = []
            for name in ("a.svg", "b.svg"):
                scale_figure.draw(self.all_rows(), Path(folder, name))
                texts.append(Path(folder, name).read_text())
        self.assertEqual(*texts)
        self.assertLess(len(texts[0]), 100_000)
        self.assertIn("haproxy, TLS", texts[0])


if __name__ == "__main__":
    unittest.main()
