"""A proxy whose configuration file the test rewrites."""

import json
import os
import re
import signal

from .app import wait_until
from .case import SystemTest
from .proxy import merged


def put_in_place(text, path):
    with open(path, "w") as file:
        file.write(text)


def put_by_rename(text, path):
    put_in_place(text, path + ".new")
    os.replace(path + ".new", path)


def fields_of(lines, message):
    """The entries of a JSON log with that message."""
    return [entry for line in lines if (entry := json.loads(line)).get("message") == message]


class ReloadTest(SystemTest):
    def text_with(self, changes):
        """The whole file as it would be with these changes to what it was at the start."""
        return json.dumps(merged(self.proxy.settings, changes), indent=1)

    def write(self, text, put=put_by_rename):
        """What is written last is what counts; returns how many lines of the log there were before."""
        before = len(self.proxy.lines)
        put(text, self.proxy.config_file)
        return before

    def reloads(self, result):
        return self.proxy.metrics().sum("wsproxy_config_reloads_total", result=result)

    def reload(self, put=put_by_rename, **changes):
        """The log's lines of a reload with these changes, which must succeed and change something."""
        return self.reload_text(self.text_with(changes), put)

    def reload_text(self, text, put=put_by_rename):
        before = self.write(text, put)
        # What was written earlier may be read once more, which changes nothing.
        return self.lines_until('"message":"configuration reloaded"', self.line_with('"message":"configuration changed', before))

    def reload_without_effect(self, put=put_by_rename, **changes):
        """A reload that must succeed though nothing that is in force changes."""
        self.proxy.wait_for_line('"message":"configuration reloaded"', after=self.write(self.text_with(changes), put))

    def line_with(self, pattern, after):
        """The number of the first line with it."""
        self.proxy.wait_for_line(pattern, after=after)
        return next(at for at, line in enumerate(self.proxy.lines) if at >= after and re.search(pattern, line))

    def lines_until(self, pattern, after):
        last = self.line_with(pattern, after)
        return self.proxy.lines[after : last + 1]

    def refuse(self, *words, put=put_by_rename, text=None, **changes):
        """The file is refused with an error line that has all these words, and it is counted."""
        failures, successes = self.reloads("failure"), self.reloads("success")
        before = self.write(text if text is not None else self.text_with(changes), put)
        self.proxy.wait_metric("wsproxy_config_reloads_total", failures + 1, result="failure")

        def told():
            return [line for line in self.proxy.lines[before:]
                    if '"level":"error"' in line and all(word in line for word in words)]

        [line, *_] = wait_until(told, f"an error line with {words}")
        self.assertEqual(self.reloads("success"), successes)
        return line

    def restore(self):
        """The file as it was at the start."""
        return self.reload()

    def hang_up(self):
        self.proxy.signal(signal.SIGHUP)

    def assert_echoes(self, client, text="still here"):
        client.send(text)
        self.assertEqual(client.read_message().text, text)

    def rejects_with(self, path="/", **how):
        """The status of a handshake that is not accepted."""
        client = self.closing(self.proxy.client())
        client.ask(path, **how)
        status = client.read_answer().status
        client.close()
        return status
