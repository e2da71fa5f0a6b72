"""The other subcommands, usage, and the transcript of issue 2 (DESIGN section 6)."""

import re
import signal
import subprocess
import threading

from harness import WSPROXY, Client, EchoApp, ManualApp, SystemTest, environment, frames, free_port, http_head, main, run_command, wait_until
from harness.wire import DEADLINE

COMMANDS = ("run", "check", "schema", "echo", "connect", "probe")


class Usage(SystemTest):
    def test_help_names_every_command_and_each_has_its_own(self):
        result = run_command("--help")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for command in COMMANDS:
            self.assertRegex(result.stdout, rf"\b{command}\b")
            own = run_command(command, "--help")
            self.assertEqual((own.returncode, own.stderr), (0, ""))
            self.assertTrue(own.stdout.strip())
        for option in ("config", "host", "port", "remote_url", "admin", "sentry", "sentry_url", "environment"):
            self.assertIn(option, run_command("run", "--help").stdout)

    def test_version(self):
        result = run_command("--version")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertRegex(result.stdout, r"\b\d+\.\d+\.\d+\b")

    def test_wrong_usage_is_exit_code_2_and_says_what(self):
        for args, word in ((("--no-such-option",), "no-such-option"), (("dance",), "dance"), (("run", "--port", "many"), "port"),
                           (("run", "--port", "70000"), "port"), (("run", "--prot", "80"), "prot"), (("check",), "config"),
                           (("connect",), ""), (("echo", "--port"), "port"), (("run", "stray"), "stray")):
            with self.subTest(args=args):
                result = run_command(*args)
                self.assertEqual((result.returncode, result.stdout), (2, ""), result.stderr)
                self.assertIn(word, result.stderr)
        self.assertEqual(run_command().returncode, 2)


class Echo(SystemTest):
    def started(self):
        port = free_port()
        process = self.command("echo", "--port", str(port))

        def connected():
            assert process.running(), process.lines
            try:
                return Client(("127.0.0.1", port))
            except OSError:
                return None
        return self.closing(wait_until(connected, "the echo app")), process

    def test_it_echoes_without_any_extension(self):
        client, _ = self.started()
        client.open(extensions="permessage-deflate")
        self.assertEqual(client.answer.all("Sec-WebSocket-Extensions"), [])
        for sent in ("", "hello", "größe " * 50_000, bytes(range(256)) * 4000):
            client.send(sent)
            got = client.read_message()
            self.assertEqual(got.data, sent.encode() if isinstance(sent, str) else sent)
            self.assertEqual(got.opcode, frames.TEXT if isinstance(sent, str) else frames.BINARY)
        client.send_frame(frames.PING, b"there?")
        self.assertEqual(client.read_control(frames.PONG).payload, b"there?")
        client.send_fragments(frames.TEXT, [b"in ", b"", b"parts"])
        self.assertEqual(client.read_message().text, "in parts")
        self.assertEqual(client.finish(4001, "bye")[0], 4001)

    def test_it_refuses_what_is_no_websocket_and_goes_on(self):
        client, process = self.started()
        client.send_bytes(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertIn(client.read_answer().status, (400, 426))
        self.assertTrue(process.running())

    def test_it_ends_on_sigterm_and_sigint(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name):
                client, process = self.started()
                client.open()
                process.signal(number)
                self.assertEqual(process.wait_exit(), 0)

    def test_a_port_in_use_is_one_line_and_exit_code_1(self):
        app = EchoApp()
        self.addCleanup(app.stop)
        result = run_command("echo", "--port", str(app.port))
        self.assertEqual(result.returncode, 1)
        [line] = [line for line in (result.stdout + result.stderr).splitlines() if line.strip()]
        self.assertIn("in use", line)


class Connect(SystemTest):
    def talk(self, url):
        process = subprocess.Popen([WSPROXY, "connect", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=environment())
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def lines_until(self, process, wanted):
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if wanted in line:
                return lines
        raise AssertionError(f"no {wanted!r} in {lines} {process.stderr.read()}")

    def test_the_transcript(self):
        """echo, run in front of it, connect: the headers show the extension and hello comes back."""
        self.start_echo()
        process = self.talk(self.proxy.url)
        shown = self.lines_until(process, "Sec-WebSocket-Extensions")
        self.assertRegex(shown[-1], r"Sec-WebSocket-Extensions: permessage-deflate\b")
        process.stdin.write("hello\n")
        process.stdin.flush()
        self.lines_until(process, "hello")
        process.stdin.write("and a second line\n")
        process.stdin.flush()
        self.lines_until(process, "and a second line")
        process.stdin.close()
        self.assertEqual(process.wait(DEADLINE), 0)
        self.assertEqual(self.app.requests[0].all("Sec-WebSocket-Extensions"), [])

    def test_what_is_piped_into_it_comes_back_before_it_ends(self):
        self.start_echo()
        result = run_command("connect", self.proxy.url, stdin="one\ntwo\nthree\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        found = [word for word in re.findall(r"\b(one|two|three)\b", result.stdout)]
        self.assertEqual(found[-3:], ["one", "two", "three"])

    def test_one_message_is_a_round_trip_for_scripts(self):
        self.start_echo()
        result = run_command("connect", self.proxy.url, "--send", "round trip")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("round trip", result.stdout.splitlines())

    def test_without_an_answer_it_fails(self):
        self.start_echo()
        self.assertEqual(run_command("connect", self.proxy.url, "--send", "/close 4001").returncode, 1)
        closing = ManualApp()
        self.addCleanup(closing.stop)

        def close_with_the_101():
            side = closing.next()
            answer = http_head.answer_101(side.request.get("Sec-WebSocket-Key"), ())
            side.send_bytes(answer + side.frame_bytes(frames.CLOSE, (1013).to_bytes(2, "big")))
            side.read_close()
            side.close()

        closer = threading.Thread(target=close_with_the_101)
        closer.start()
        self.assertEqual(run_command("connect", closing.url, "--send", "hello").returncode, 1)
        closer.join()
        only_pings = run_command("connect", self.proxy.url, "--send", "/ping instead of an answer", timeout=DEADLINE + 10)
        self.assertEqual(only_pings.returncode, 1)
        self.assertIn("no answer", only_pings.stderr)

    def test_a_server_that_closes_ends_it(self):
        self.start_echo()
        process = self.talk(self.proxy.url)
        process.stdin.write("/close 4001 that is all\n")
        process.stdin.flush()
        self.assertEqual(process.wait(DEADLINE), 0)
        said = process.stdout.read() + process.stderr.read()
        self.assertIn("4001", said)
        self.assertIn("that is all", said)

    def test_nobody_there_a_refusal_and_a_lost_connection_are_exit_code_1(self):
        result = run_command("connect", f"ws://127.0.0.1:{free_port()}", stdin="")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(len(result.stderr.strip().splitlines()), 1, result.stderr)
        self.start_echo(limits={"max_header_size": "2KiB", "allowed_origins": ["https://x.example"], "max_connections": 1})
        self.echo_client()
        self.assertEqual(run_command("connect", self.proxy.url, stdin="").returncode, 1)
        for url in ("http://localhost", "nonsense", "ws://no-such-host.invalid"):
            with self.subTest(url=url):
                self.assertIn(run_command("connect", url, stdin="").returncode, (1, 2))


class Probe(SystemTest):
    def test_it_says_what_readiness_says(self):
        self.start_echo()
        address = f"http://127.0.0.1:{self.proxy.admin_port}"
        self.assertEqual(run_command("probe", address).returncode, 0)
        self.assertEqual(run_command("probe", f"{address}/readyz").returncode, 0)
        self.assertEqual(run_command("probe", f"{address}/livez").returncode, 0)
        self.app.stop()
        wait_until(lambda: run_command("probe", address).returncode == 1, "the probe to notice")
        self.assertEqual(run_command("probe", f"{address}/livez").returncode, 0)

    def test_nobody_there_is_1(self):
        result = run_command("probe", f"http://127.0.0.1:{free_port()}/readyz")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(len((result.stdout + result.stderr).strip().splitlines()), 1)


if __name__ == "__main__":
    main()
