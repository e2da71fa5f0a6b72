"""The log's level changes while the proxy runs: by the side port, and by SIGUSR1 (DESIGN section 8). Who may is in
side_rights_test.py."""

import signal

from harness import EchoApp, SystemTest, main, wait_until
from harness.reload import fields_of

LEVELS = ("error", "warning", "info", "debug")


class LevelTest(SystemTest):
    def start_at(self, level):
        """Of more than ten lines that are alike within a while the log has the first ones: few changes a proxy."""
        self.start(EchoApp(), log={"level": level})

    def set(self, level):
        """Ends at that level, with the line about it in the log."""
        before, line = self.level(), len(self.proxy.lines)
        self.assert_answer(200, level, self.proxy.ask("/log-level", "POST", body=level.encode()))
        self.wait_told(before, level, "side port", line)

    def level(self):
        answer = self.proxy.ask("/log-level")
        self.assertEqual(answer.status, 200)
        return answer.data.decode().removesuffix("\n")

    def wait_told(self, before, after, by, line):
        self.proxy.wait_for_line(f'"log level changed".*"before":"{before}","after":"{after}","by":"{by}"', after=line)

    def told(self, line):
        return [(entry["before"], entry["after"], entry["by"]) for entry in fields_of(self.proxy.lines[line:], "log level changed")]

    def assert_answer(self, status, text, answer):
        self.assertEqual((answer.status, answer.data.decode()), (status, text + "\n"))


class BySidePort(LevelTest):
    def test_a_post_says_it_in_its_body_or_in_the_query(self):
        self.start_at("info")
        for target, body, level in (("/log-level", b"debug", "debug"), ("/log-level", b" warning\t", "warning"),
                                    ("/log-level?level=error", b"", "error"), ("/log-level?other=debug&level=info", b"", "info"),
                                    ("/log-level?level=debug", b"error", "debug"), ("/log-level?level=", b"error", "error")):
            with self.subTest(target, body=body):
                self.assert_answer(200, level, self.proxy.ask(target, "POST", body=body))
                self.assertEqual(self.level(), level)

    def test_what_is_no_level_is_refused_with_those_there_are_and_changes_nothing(self):
        self.start_at("info")
        line = len(self.proxy.lines)
        for target, body in (("/log-level", b""), ("/log-level", b"loud"), ("/log-level", b"DEBUG"), ("/log-level", b"level=debug"),
                             ("/log-level", b"debug error"), ("/log-level", b"\xff\x00"), ("/log-level?level=loud", b"debug"),
                             ("/log-level?levels=debug", b""), ("/log-level?level=3", b"")):
            with self.subTest(target, body=body):
                self.assert_answer(400, "the levels are error, warning, info and debug", self.proxy.ask(target, "POST", body=body))
        self.assertEqual(self.level(), "info")
        self.set("warning")
        self.assertEqual(self.told(line), [("info", "warning", "side port")])

    def test_a_get_only_looks(self):
        for level in LEVELS:
            self.start_at(level)
            self.assert_answer(200, level, self.proxy.ask("/log-level?level=info"))
            self.assert_answer(200, level, self.proxy.ask("/log-level", body=b"info"))

    def test_other_methods_are_none(self):
        self.start_at("info")
        for method in ("PUT", "DELETE"):
            self.assertEqual(self.proxy.ask("/log-level", method, body=b"debug").status, 405)
        self.assertEqual(self.level(), "info")

    def test_each_change_is_told_whichever_level_it_is_from_or_to(self):
        for before in LEVELS:
            with self.subTest(before):
                self.start_at(before)
                for after in LEVELS:
                    if after != before:
                        self.set(after)
                        self.set(before)

    def test_a_line_of_a_file_or_a_pipe_is_as_good(self):
        self.start_at("info")
        for end in (b"\n", b"\r\n"):
            self.assert_answer(200, "debug", self.proxy.ask("/log-level", "POST", body=b" debug" + end))

    def test_the_same_again_is_no_change(self):
        self.start_at("info")
        line = len(self.proxy.lines)
        self.assert_answer(200, "info", self.proxy.ask("/log-level", "POST", body=b"info"))
        self.set("debug")
        self.assertEqual(self.told(line), [("info", "debug", "side port")])

    def test_it_counts_from_the_next_line_on(self):
        self.start_at("error")
        line = len(self.proxy.lines)
        self.echo_client("/unheard").finish()
        self.proxy.wait_metric("wsproxy_connection_duration_seconds_count", 1)
        self.set("info")
        self.echo_client("/heard").finish()
        self.proxy.access_line("/heard")
        self.assertNotIn("/unheard", "\n".join(self.proxy.lines[line:]))


class BySignal(LevelTest):
    def test_each_sigusr1_is_one_step_more_talkative_and_after_debug_comes_error(self):
        self.start_at("info")
        for before, after in (("info", "debug"), ("debug", "error"), ("error", "warning"), ("warning", "info"), ("info", "debug")):
            line = len(self.proxy.lines)
            self.proxy.signal(signal.SIGUSR1)
            self.wait_told(before, after, "SIGUSR1", line)
            # The line that tells of it is written while the more talkative one of both still holds.
            wait_until(lambda wanted=after: self.level() == wanted, "the level is the next one")

    def test_it_goes_on_from_what_the_side_port_has_set(self):
        self.start_at("info")
        self.set("error")
        line = len(self.proxy.lines)
        self.proxy.signal(signal.SIGUSR1)
        self.wait_told("error", "warning", "SIGUSR1", line)


if __name__ == "__main__":
    main()
