"""A crash is told: on stderr, in a file, at the next start, and to Sentry; and it ends the process as ever."""

import ctypes
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import tempfile

from harness import DEADLINE, SANITIZED, WSPROXY, EchoApp, SystemTest, free_port, main, run_command, wait_until
from harness.authority import Authority
from harness.bystander import Bystander
from harness.sentry import Sentry, time_of

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MARKER = "marker-of-a-client-51cd"
FATAL = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)
TGKILL = {"x86_64": 234, "aarch64": 131}


def script(name, *args, **how):
    return subprocess.run([os.path.join(SOURCE, "scripts", name), *args], capture_output=True, text=True, timeout=6 * DEADLINE, **how)


def build_id_of(file):
    notes = subprocess.run(["readelf", "--notes", file], capture_output=True, text=True).stdout
    return re.search(r"Build ID: ([0-9a-f]{40})", notes)[1]


class CrashTest(SystemTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="wsproxy-crash-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)

    def setUp(self):
        super().setUp()
        if SANITIZED:
            self.skipTest("a sanitizer has handlers of its own")
        self.crashes = os.path.join(tempfile.mkdtemp(dir=self.folder), "crashes")

    def sentry(self, **how):
        one = Sentry(**how)
        self.addCleanup(one.stop)
        return one

    def start_proxy(self, *, dsn="", wait="ready", **how):
        proxy = self.start(EchoApp(), sentry={"dsn": dsn, "crash_directory": self.crashes}, **how)
        proxy.exit_code_matters = False
        return proxy

    def files(self):
        return sorted(os.listdir(self.crashes)) if os.path.isdir(self.crashes) else []

    def crash_line(self):
        return json.loads(next(line for line in self.proxy.lines if '"message":"crashed"' in line))

    def crash(self, number=signal.SIGSEGV):
        self.proxy.signal(number)
        self.assertEqual(self.proxy.wait_exit(), -number)
        return self.crash_line()


class Told(CrashTest):
    def test_each_fatal_signal_is_told_and_ends_it_as_ever(self):
        for number in FATAL:
            with self.subTest(signal=number.name):
                self.start_proxy()
                client = self.echo_client(f"/{MARKER}", extensions="permessage-deflate", fields=[("User-Agent", MARKER)])
                talk = Bystander(client)
                wait_until(lambda: talk.turns > 20, "some traffic")
                client.send(MARKER)
                line = self.crash(number)
                self.assertEqual((line["level"], line["signal"], line["number"]), ("error", number.name, number))
                self.assertEqual((line["thread"], line["thread_id"]), ("wsproxy", self.proxy.pid))
                self.assertEqual(line["build_id"], build_id_of(WSPROXY))
                self.assertIn(line["build_id"], run_command("--version").stdout)
                self.assertIn(f"wsproxy {line['version']}", run_command("--version").stdout)
                time_of(line["time"])
                self.assertGreater(len(line["backtrace"]), 5)
                with open(os.path.join(self.crashes, self.files()[-1])) as file:
                    kept = file.read()
                self.assertEqual(json.loads(kept), line)
                self.assertLess(len(kept), 4096)
                self.assertNotIn(MARKER, kept)
                self.assertEqual(os.stat(os.path.join(self.crashes, self.files()[-1])).st_mode & 0o777, 0o600)
        self.assertEqual(len(self.files()), 1, "each start has told of the one before")
        self.assertEqual(os.stat(self.crashes).st_mode & 0o777, 0o700)

    def test_a_worker_has_its_name(self):
        if platform.machine() not in TGKILL:
            self.skipTest("no number of tgkill for this machine")
        self.start_proxy()
        tasks = f"/proc/{self.proxy.pid}/task"
        worker = next(int(one) for one in os.listdir(tasks) if open(f"{tasks}/{one}/comm").read() == "worker\n")
        ctypes.CDLL(None).syscall(TGKILL[platform.machine()], self.proxy.pid, worker, int(signal.SIGSEGV))
        self.assertEqual(self.proxy.wait_exit(), -signal.SIGSEGV)
        line = self.crash_line()
        self.assertEqual((line["thread"], line["thread_id"]), ("worker", worker))
        self.assertGreater(len(line["backtrace"]), 5)

    def test_every_thread_takes_the_signals_of_its_faults_and_only_the_main_one_others(self):
        app = EchoApp()
        certificate = Authority(self.folder).issue("localhost")
        listeners = [{"name": "public", "address": f"127.0.0.1:{free_port()}"},
                     {"name": "tls", "address": f"127.0.0.1:{free_port()}", "tls": {"certificate": certificate.crt, "private_key": certificate.key}}]
        self.start(app, app_url=app.url.replace("127.0.0.1", "localhost"), listeners=listeners, workers=1,
                   sentry={"dsn": self.sentry().dsn(), "crash_directory": self.crashes})
        tasks = f"/proc/{self.proxy.pid}/task"
        seen = 0
        for task in map(int, os.listdir(tasks)):
            with open(f"{tasks}/{task}/status") as file:
                blocked = int(re.search(r"SigBlk:\s*(\w+)", file.read())[1], 16)
            for number in FATAL:
                self.assertFalse(blocked >> (number - 1) & 1, number.name)
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
                self.assertEqual(blocked >> (number - 1) & 1, task != self.proxy.pid, number.name)
            seen += 1
        self.assertEqual(seen, 7, "main, worker, its TLS, names, side port, log, reports")

    def test_a_stripped_program_tells_the_same_and_its_symbols_are_apart(self):
        program = os.path.join(tempfile.mkdtemp(dir=self.folder), "wsproxy")
        shutil.copy(WSPROXY, program)
        symbols = os.path.join(os.path.dirname(program), "symbols")
        split = script("split-debug", program, symbols)
        self.assertEqual(split.returncode, 0, split.stderr)
        debug = os.path.join(symbols, "wsproxy.debug")
        self.assertEqual(build_id_of(program), build_id_of(debug))
        sections = subprocess.run(["readelf", "--section-headers", "--wide", program], capture_output=True, text=True).stdout
        self.assertIn(".gnu_debuglink", sections)
        self.assertNotIn(".symtab", sections)
        self.assertNotIn(".debug_info", sections)
        self.start_proxy(before=("sh", "-c", 'program=$0; shift; exec "$program" "$@"', program))
        self.assertEqual(os.readlink(f"/proc/{self.proxy.pid}/exe"), program)
        line = self.crash()
        self.assertEqual(line["build_id"], build_id_of(debug))
        named = script("symbolize", debug, input="\n".join(self.proxy.lines))
        self.assertEqual(named.returncode, 0, named.stderr)
        self.assertIn("SIGSEGV at ", named.stdout)
        for name in ("wsproxy::server::Server::run()", "wsproxy::cli::run(", "main", "server.cpp:"):
            self.assertIn(name, named.stdout)

    def test_symbols_of_another_build_are_refused(self):
        self.start_proxy()
        line = json.dumps(self.crash(), separators=(",", ":")).replace(build_id_of(WSPROXY), "0" * 40)
        named = script("symbolize", WSPROXY, input=line)
        self.assertEqual(named.returncode, 1)
        self.assertIn("another build", named.stdout)

    def test_a_stderr_that_nobody_reads_does_not_keep_it_alive(self):
        self.start_proxy(before=("sh", "-c", 'mkfifo "$0"; exec 3<>"$0"; yes | dd of="$0" oflag=nonblock 2>/dev/null; exec "$@" 2>"$0"',
                                 os.path.join(tempfile.mkdtemp(dir=self.folder), "full")))
        self.proxy.signal(signal.SIGSEGV)
        self.assertEqual(self.proxy.wait_exit(), -signal.SIGSEGV)
        self.assertEqual(len(self.files()), 1)


class AtTheNextStart(CrashTest):
    def test_it_is_logged_and_sent_and_then_gone(self):
        sentry = self.sentry()
        self.start_proxy()
        client = self.echo_client(f"/{MARKER}", fields=[("User-Agent", MARKER)])
        client.send(MARKER)
        client.read_message()
        line = self.crash()
        self.start_proxy(dsn=sentry.dsn())
        event = sentry.next().event
        self.assertEqual((event["level"], event["timestamp"]), ("fatal", line["time"]))
        exception = event["exception"]["values"][0]
        self.assertEqual(exception["type"], "SIGSEGV")
        images = {image["code_file"]: image for image in event["debug_meta"]["images"]}
        program = images[os.path.basename(WSPROXY)]
        self.assertEqual(program["code_id"], build_id_of(WSPROXY))
        frames = exception["stacktrace"]["frames"]
        self.assertEqual(len(frames), len(line["backtrace"]))
        name, offset = line["backtrace"][0].split("+")
        self.assertEqual(int(frames[-1]["instruction_addr"], 16) - int(images[name]["image_addr"], 16), int(offset, 16))
        wait_until(lambda: not self.files(), "the file to be removed")
        told = json.loads(self.proxy.wait_for_line("wsproxy has crashed before").string)
        self.assertEqual((told["level"], told["signal"], told["time_of_crash"]), ("error", "SIGSEGV", line["time"]))
        self.assertEqual(told["build_id"], build_id_of(WSPROXY))
        self.assertNotIn(MARKER.encode(), sentry.raw)
        self.proxy.terminate()
        self.assertEqual(self.proxy.wait_exit(), 0)
        self.assertEqual((sentry.problems, sentry.requests), ([], 1), "the line about it is no second event")

    def test_without_sentry_it_is_logged_once(self):
        self.start_proxy()
        self.crash()
        self.start_proxy()
        self.proxy.wait_for_line("wsproxy has crashed before")
        self.assertEqual(self.files(), [])

    def test_what_cannot_be_sent_is_kept_and_has_one_id(self):
        sentry = self.sentry()
        sentry.answer = (503, {})
        self.start_proxy()
        self.crash()
        kept = self.files()
        self.start_proxy(dsn=sentry.dsn())
        first = sentry.next().event["event_id"]
        self.proxy.terminate()
        self.assertEqual(self.proxy.wait_exit(), 0)
        self.assertEqual(self.files(), kept)
        sentry.answer = (200, {})
        self.start_proxy(dsn=sentry.dsn())
        self.assertEqual(sentry.next().event["event_id"], first)
        wait_until(lambda: not self.files(), "the file to be removed")

    def test_only_a_few_are_kept_and_what_is_no_crash_is_no_harm(self):
        gone = Sentry()
        gone.stop()
        self.start_proxy()
        line = self.crash()
        os.remove(os.path.join(self.crashes, self.files()[0]))
        for at in range(8):
            with open(os.path.join(self.crashes, f"crash-{at:020}-1.json"), "w") as file:
                json.dump({**line, "thread_id": at}, file)
        with open(os.path.join(self.crashes, "crash-half.json"), "w") as file:
            file.write('{"signal":')
        os.symlink("/etc/passwd", os.path.join(self.crashes, "crash-link.json"))
        os.mkfifo(os.path.join(self.crashes, "crash-pipe.json"))
        with open(os.path.join(self.crashes, "notes"), "w"):
            pass
        self.start_proxy(dsn=gone.dsn())
        self.assertEqual(self.files(), ["crash-00000000000000000006-1.json", "crash-00000000000000000007-1.json", "notes"])
        self.assertEqual(len([one for one in self.proxy.lines if "what cannot be read" in one]), 3)


class Folder(CrashTest):
    def assert_warned(self, problem):
        match = self.proxy.wait_for_line("crashes are told on stderr only")
        line = json.loads(match.string)
        self.assertEqual((line["level"], line["key"]), ("warning", "sentry.crash_directory"))
        self.assertIn(problem, line["problem"])
        self.crash()

    def test_a_link_in_its_place_is_not_followed(self):
        target = tempfile.mkdtemp(dir=self.folder)
        os.symlink(target, self.crashes)
        self.start_proxy()
        self.assert_warned("no folder")
        self.assertEqual(os.listdir(target), [])

    def test_one_that_others_can_write_to_is_not_used(self):
        os.mkdir(self.crashes)
        os.chmod(self.crashes, 0o777)
        with open(os.path.join(self.crashes, "crash-1.json"), "w") as file:
            json.dump({"signal": "SIGSEGV"}, file)
        self.start_proxy()
        self.assert_warned("0700")
        self.assertEqual(self.files(), ["crash-1.json"], "neither read nor removed")

    def test_another_users_is_not_used(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give a folder away")
        os.mkdir(self.crashes, 0o700)
        os.chown(self.crashes, 65534, 65534)
        self.start_proxy()
        self.assert_warned("another user")
        self.assertEqual(self.files(), [])

    def test_none_is_no_warning(self):
        self.crashes = ""
        self.start_proxy()
        self.crash()
        self.assertFalse([one for one in self.proxy.lines if "on stderr only" in one])


if __name__ == "__main__":
    main()
