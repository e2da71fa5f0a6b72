"""What the log says: one access line a connection, reasons, both formats, levels (DESIGN section 8, issue 2)."""

import json
import os
import re
import select
import subprocess
import tempfile

from harness import (DEADLINE, WSPROXY, EchoApp, HttpTest, SystemTest, environment, frames, free_port, http_message, main,
                     wait_until)


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class PlainRequestLine(HttpTest):
    def test_each_request_of_a_connection_has_a_line_with_its_bodies_and_nobody_to_blame(self):
        self.start()
        client = self.client()
        for path, size in (("/first", 1000), ("/second", 70_000)):
            self.exchange(http_message.request(f"{path}?token=secret", "POST", body=b"x" * size, fields=[("traceparent", TRACE)]),
                          http_message.answer("201 Created", body=b"y" * (size // 2)), client=client, to="POST")
            line = self.proxy.access_line(path)
            self.assertEqual((line["method"], line["status"], line["traceparent"]), ("POST", 201, TRACE))
            self.assertEqual((line["request_bytes"], line["response_bytes"]), (size, size // 2))
            for absent in ("closed_by", "cause", "close_code", "messages_to_app", "upstream"):
                self.assertNotIn(absent, line)
        self.assertNotIn("secret", "\n".join(self.proxy.lines), "a query may hold a token")

    def test_an_answer_that_is_cut_has_its_cause(self):
        self.start()
        client = self.client()
        client.send_bytes(http_message.request("/cut"))
        side = self.app.next()
        side.send_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        self.app.forget(side)
        line = self.proxy.access_line("/cut")
        self.assertEqual((line["status"], line["response_bytes"], line["closed_by"]), (200, 4, "app"))
        self.assertTrue(line["cause"])

    def test_with_routes_it_says_which_app(self):
        self.start(routes=[{"match": {"path": "/none"}, "upstream": {"url": "ws://localhost:1"}}])
        self.exchange(http_message.request("/here"))
        self.assertEqual(self.proxy.access_line("/here")["upstream"], self.app.url)


class AccessLine(SystemTest):
    def test_it_has_everything_about_the_connection(self):
        self.start(EchoApp(subprotocols=("chat.v1",)))
        client = self.echo_client("/room/7?token=secret", extensions="permessage-deflate; client_max_window_bits",
                                  fields=[("Sec-WebSocket-Protocol", "chat.v1"), ("User-Agent", "a/1 \"b\""), ("traceparent", TRACE)])
        text, up, down = "words that shrink well, " * 50, 0, 0
        for _ in range(3):
            message = client.message_bytes(text)
            up += len(message)
            client.send_bytes(message)
            down += client.read_message().wire_size
        local = client.sock.getsockname()
        client.finish(4001, "done")
        line = self.proxy.access_line("/room/7")
        self.assertEqual(line["client"], f"{local[0]}:{local[1]}")
        self.assertEqual(line["user_agent"], 'a/1 "b"')
        self.assertEqual(line["traceparent"], TRACE)
        self.assertEqual(line["listener"], "public")
        self.assertEqual(line["status"], 101)
        self.assertEqual(line["subprotocol"], "chat.v1")
        self.assertEqual(line["extension"], client.answer.get("Sec-WebSocket-Extensions"))
        self.assertEqual((line["messages_to_app"], line["messages_to_client"]), (3, 3))
        self.assertEqual((line["payload_bytes_to_app"], line["payload_bytes_to_client"]), (3 * len(text), 3 * len(text)))
        # the close frames, 4 + 2 + 4 bytes each way and the mask, may be counted or not
        self.assertIn(line["wire_bytes_to_app"] - up, range(0, 20))
        self.assertIn(line["wire_bytes_to_client"] - down, range(0, 20))
        self.assertAlmostEqual(line["ratio_to_client"], line["wire_bytes_to_client"] / (3 * len(text)), delta=0.001)
        self.assertEqual(line["close_code"], 4001)
        self.assertEqual(line["closed_by"], "client")
        self.assertGreaterEqual(next(value for key, value in line.items() if key.startswith("duration")), 0)
        self.assertNotIn("secret", "\n".join(self.proxy.lines), "a query may hold a token")

    def test_who_closed_and_with_what(self):
        self.start(EchoApp(), timeouts={"close": "300ms"})
        client = self.echo_client("/by-app")
        client.send("/close 4002 bye")
        self.assertEqual(client.read_close()[0], 4002)
        client.send_close(4002)
        self.echo_client("/vanished").reset()
        broken = self.echo_client("/broken")
        broken.send_frame(frames.TEXT, b"\xff")
        self.assertEqual(broken.read_close()[0], 1007)
        broken.close()
        lost = self.echo_client("/lost")
        lost.send("/vanish")
        self.assertEqual(lost.read_close()[0], 1011)
        lost.close()
        expected = {"/by-app": (4002, "app"), "/vanished": (1006, "client"), "/broken": (1007, "proxy")}
        for path, (code, by) in expected.items():
            with self.subTest(path):
                line = self.proxy.access_line(path)
                self.assertEqual((line["close_code"], line["closed_by"]), (code, by))
        self.assertIn(self.proxy.access_line("/lost")["close_code"], (1006, 1011))

    def test_a_drained_connection_was_closed_by_the_operator(self):
        self.start(EchoApp())
        client = self.echo_client("/drained")
        self.proxy.terminate()
        self.assertEqual(client.read_close()[0], 1001)
        client.answer_close(1001)
        self.assertEqual(self.proxy.wait_exit(), 0)
        line = self.proxy.access_line("/drained")
        self.assertEqual((line["close_code"], line["closed_by"]), (1001, "operator"))

    def test_there_is_one_line_a_connection_and_one_for_each_refusal(self):
        self.start(EchoApp(), limits={"allowed_origins": ["https://good.example"]})
        for at in range(5):
            self.echo_client(f"/fine/{at}").finish()
        refused = self.closing(self.proxy.client())
        refused.ask("/refused", fields=[("Origin", "https://evil.example")])
        self.assertEqual(refused.read_answer().status, 403)
        refused.close()
        self.assertEqual(self.proxy.access_line("/refused")["status"], 403)
        for at in range(5):
            self.proxy.access_line(f"/fine/{at}")
        paths = [json.loads(line).get("path") for line in self.proxy.lines if '"duration' in line]
        self.assertEqual(sorted(paths), [*(f"/fine/{at}" for at in range(5)), "/refused"])

    def test_a_refusal_of_the_app_is_logged_with_its_status(self):
        self.start()
        client = self.closing(self.proxy.client())
        client.ask("/forbidden")
        app = self.closing(self.app.next())
        app.send_bytes(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        self.assertEqual(client.read_answer().status, 403)
        client.close()
        self.assertEqual(self.proxy.access_line("/forbidden")["status"], 403)

    def test_it_can_be_switched_off(self):
        self.start(EchoApp(), log={"access": False, "format": "json"})
        self.echo_client("/unseen").finish()
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 0, "the connection to be gone")
        self.proxy.terminate()
        self.assertEqual(self.proxy.wait_exit(), 0)
        self.assertNotIn("/unseen", "\n".join(self.proxy.lines))


class Sampling(SystemTest):
    def access_lines(self):
        return [entry for entry in map(json.loads, self.proxy.lines) if entry["message"] == "access"]

    def test_of_so_many_that_ended_as_they_should_one_is_logged_and_all_others_are(self):
        self.start(EchoApp(), log={"access_sample": 5}, workers=1, limits={"allowed_origins": ["https://good.example"]})
        for at in range(12):
            self.echo_client(f"/fine/{at}").finish()
            self.echo_client(f"/odd/{at}").finish(4001)
            refused = self.closing(self.proxy.client())
            refused.ask(f"/refused/{at}", fields=[("Origin", "https://evil.example")])
            self.assertEqual(refused.read_answer().status, 403)
            refused.close()
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 0, "the connections to be gone")
        self.proxy.terminate()
        self.assertEqual(self.proxy.wait_exit(), 0)
        by_kind = {kind: [line for line in self.access_lines() if line["path"].startswith(kind)] for kind in ("/fine", "/odd", "/refused")}
        self.assertEqual([line.get("sample") for line in by_kind["/fine"]], [5, 5, 5])
        for kind in ("/odd", "/refused"):
            self.assertEqual(len(by_kind[kind]), 12, kind)
            self.assertFalse(any("sample" in line for line in by_kind[kind]))


class Repetition(SystemTest):
    TIMES = 30

    def test_what_a_broken_app_causes_again_and_again_is_told_ten_times_and_counted(self):
        self.start()
        for at in range(self.TIMES):
            client = self.closing(self.proxy.client())
            client.ask(f"/{at}")
            app = self.closing(self.app.next())
            app.send_bytes(b"no HTTP at all\r\n\r\n")
            self.assertEqual(client.read_answer().status, 502)
            client.close()
            app.close()
        self.assertEqual(self.proxy.metrics().sum("wsproxy_upstream_errors_total"), self.TIMES)
        # Nobody asks it to: the window's end alone makes it speak.
        self.proxy.wait_for_line(r'"level":"warning","message":"upstream error".*"repeated"', deadline=10 + DEADLINE)
        told = [entry for entry in map(json.loads, self.proxy.lines) if entry["message"] == "upstream error"]
        self.assertEqual([entry.get("repeated") for entry in told], [None] * 10 + [self.TIMES - 10])
        self.assertEqual(told[-1]["reason"], told[0]["reason"])
        for at in range(self.TIMES):
            self.proxy.access_line(f"/{at}")


class Formats(SystemTest):
    def spoken(self, **settings):
        self.start(EchoApp(), **settings)
        self.echo_client("/spoken").finish()
        broken = self.echo_client("/broken")
        broken.send_frame(frames.TEXT, b"\xff")
        broken.read_close()
        broken.close()
        hostile = self.closing(self.proxy.client())
        hostile.ask('/quo"te\\', fields=[("User-Agent", 'x"\\\x01\x1b[31m\xff')])
        hostile.close()
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 0, "the connections to be gone")
        self.proxy.terminate()
        self.assertEqual(self.proxy.wait_exit(), 0)
        return self.proxy.lines

    def test_json_is_one_object_a_line_with_time_level_and_message(self):
        for settings in ({"log": {"format": "json", "level": "debug"}}, {"log": {"format": "auto"}}):
            with self.subTest(**settings):
                lines = self.spoken(**settings)
                self.assertGreater(len(lines), 2)
                for line in lines:
                    entry = json.loads(line)
                    self.assertIn(entry["level"], ("error", "warning", "info", "debug"))
                    self.assertTrue(any(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", str(value)) for value in entry.values()), line)
                    self.assertTrue({"message", "msg", "event"} & entry.keys(), line)

    def test_text_is_no_json_and_holds_no_control_characters(self):
        lines = self.spoken(log={"format": "text"})
        self.assertTrue(any("/spoken" in line for line in lines))
        for line in lines:
            with self.assertRaises(json.JSONDecodeError):
                json.loads(line)
            self.assertIsNone(re.search(r"[\x00-\x08\x0b-\x1f\x7f]", line), repr(line))

    def test_a_protocol_error_is_a_line_at_info_with_who_and_why(self):
        told = [entry for entry in map(json.loads, self.spoken(log={"format": "json"})) if entry["message"] == "protocol error"]
        self.assertEqual([(entry["level"], entry["by"], entry["code"]) for entry in told], [("info", "client", 1007)])
        self.assertRegex(told[0]["reason"], "(?i)utf-?8")
        access = self.proxy.access_line("/broken")
        self.assertEqual((told[0]["client"], told[0]["request_id"]), (access["client"], access["request_id"]))

    def test_a_protocol_error_of_the_app_names_the_app(self):
        self.start(timeouts={"close": "300ms"})
        client, app = self.pair()
        app.send_frame(frames.CONTINUATION, b"of nothing")
        self.assertEqual(client.read_close()[0], 1011)
        client.close()
        line = self.proxy.wait_for_line('"message":"protocol error"').string
        told = json.loads(line)
        self.assertEqual((told["level"], told["by"], told["code"]), ("info", "app", 1002))
        self.assertTrue(told["reason"])

    def said_on_a_terminal(self, *args, **env):
        ours, theirs = os.openpty()
        self.addCleanup(os.close, ours)
        surroundings = {key: value for key, value in environment().items() if key not in ("NO_COLOR", "TERM")}
        proxy = subprocess.Popen([WSPROXY, "run", "--port", str(free_port()), "--admin", f"127.0.0.1:{free_port()}", *args],
                                 stderr=theirs, stdout=theirs, env={**surroundings, **env})
        self.addCleanup(proxy.wait)
        self.addCleanup(proxy.kill)
        os.close(theirs)
        said = b""
        while b"serving" not in said:
            self.assertTrue(select.select([ours], [], [], DEADLINE)[0], f"no more than {said}")
            said += os.read(ours, 4096)
        [line] = [line for line in said.decode().splitlines() if "listening" in line]
        return line

    def test_auto_is_text_on_a_terminal_and_has_colours(self):
        for env in ({"TERM": "xterm"}, {"TERM": "xterm", "NO_COLOR": ""}):
            self.assertRegex(self.said_on_a_terminal(**env), r"^\S+Z \x1b\[32minfo *\x1b\[0m listening \x1b\[2mlistener=\x1b\[0m")

    def test_there_are_no_colours_where_they_are_unwanted_or_unknown(self):
        for env in ({"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "dumb"}):
            self.assertRegex(self.said_on_a_terminal(**env), r"^\S+Z info +listening listener=")

    def test_json_has_no_colours_on_a_terminal_either(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("log: {format: json}\n")
            file.flush()
            line = self.said_on_a_terminal("--config", file.name, TERM="xterm")
        self.assertEqual(json.loads(line)["message"], "listening")

    def test_the_level_decides_what_is_said(self):
        self.assertEqual(self.spoken(log={"level": "error"}), [])
        for level in ("info", "debug"):
            self.assertTrue(any("/spoken" in line for line in self.spoken(log={"level": level})), level)

    def test_v_and_vv_raise_the_level(self):
        self.start(EchoApp(), log={"level": "error"}, args=["-v"])
        self.echo_client("/loud").finish()
        self.proxy.wait_for_line("/loud")
        self.start(EchoApp(), log={"level": "error"}, args=["-vv"])
        self.echo_client("/louder").finish()
        self.proxy.wait_for_line("/louder")
        self.start(EchoApp(), log={"level": "error"}, env={"WS_PROXY_VERBOSE": "1"})
        self.echo_client("/by-variable").finish()
        self.proxy.wait_for_line("/by-variable")


if __name__ == "__main__":
    main()
