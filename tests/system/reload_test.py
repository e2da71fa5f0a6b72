"""A configuration file that changes: how it is seen, what is told, and what a broken one does (DESIGN section 7)."""

import json
import os
import shutil
import subprocess
import tempfile

from harness import Client, EchoApp, NamedApp, free_port, main, merged, wait_until
from harness.authority import Secret
from harness.reload import ReloadTest, fields_of, put_by_rename, put_in_place


def put_as_an_editor(text, path):
    """The old file gets out of the way, the new one is created under its name."""
    os.rename(path, path + "~")
    put_in_place(text, path)
    os.remove(path + "~")


def put_in_pieces(text, path):
    with open(path, "w") as file:
        for at in range(0, len(text), 97):
            file.write(text[at : at + 97])
            file.flush()


class Seen(ReloadTest):
    def has_limit(self, size):
        return f"max_message_size: {size}" in self.proxy.get("/config")[1]

    def assert_limit(self, size):
        wait_until(lambda: self.has_limit(size), f"a limit of {size}")

    def test_however_it_is_written(self):
        self.start_echo()
        client = self.echo_client()
        for at, put in enumerate((put_by_rename, put_in_place, put_as_an_editor, put_in_pieces, put_by_rename)):
            with self.subTest(put.__name__):
                self.write(self.text_with({"limits": {"max_message_size": f"{at + 1}KiB"}}), put)
                self.assert_limit(f"{at + 1}KiB")
                self.assert_echoes(client)

    def test_swapped_by_the_kubelet_again_and_again(self):
        folder = tempfile.mkdtemp(prefix="wsproxy-")
        self.addCleanup(shutil.rmtree, folder)
        settings = {"listeners": [{"address": f"127.0.0.1:{free_port()}"}], "admin": {"address": f"127.0.0.1:{free_port()}"},
                    "log": {"format": "json"}, "sentry": {"crash_directory": folder}}

        def version(size):
            path = os.path.join(folder, size)
            put_in_place(json.dumps(merged(settings, {"limits": {"max_message_size": size}})), path)
            return {"wsproxy.yaml": path}

        secret = Secret(folder, version("1KiB"))
        process = self.command("run", "--config", secret.path("wsproxy.yaml"))
        process.wait_for_line('"serving"')
        for size in ("2KiB", "3KiB", "4KiB"):
            secret.swap(version(size))
            process.wait_for_line(rf'"key":"limits.max_message_size","before":"[^"]+","after":"{size}"')
        self.assertFalse([line for line in process.lines if '"level":"error"' in line])

    def test_by_sighup_where_nothing_tells_of_the_change(self):
        without = ["unshare", "--user", "--map-root-user", "sh", "-c",
                   'echo 0 >/proc/sys/user/max_inotify_instances && exec "$0" "$@"']
        if subprocess.run([*without, "true"], capture_output=True).returncode != 0:
            self.skipTest("no user namespace here")
        self.start(EchoApp(), before=without)
        self.write(self.text_with({"limits": {"max_message_size": "2KiB"}}))
        self.hang_up()
        self.assert_limit("2KiB")

    def test_sighup_without_a_change_is_a_reload_that_changes_nothing(self):
        self.start_echo()
        client, before, success = self.echo_client(), len(self.proxy.lines), self.reloads("success")
        self.hang_up()
        lines = self.lines_until('"configuration reloaded"', before)
        self.assertEqual(fields_of(lines, "configuration changed"), [])
        self.proxy.wait_metric("wsproxy_config_reloads_total", success + 1, result="success")
        self.assert_echoes(client)

    def test_a_burst_of_writes_is_one_reload(self):
        self.start_echo()
        before = self.reloads("success")
        for at in range(100):
            put_by_rename(self.text_with({"limits": {"max_message_size": f"{at + 1}KiB"}}), self.proxy.config_file)
        self.assert_limit("100KiB")
        # one more than one, for a machine that stops in the middle of it
        self.assertLessEqual(self.reloads("success") - before, 3)

    def test_soon_even_when_it_is_never_quiet(self):
        self.start_echo()
        busy = os.path.join(os.path.dirname(self.proxy.config_file), "busy")
        self.write(self.text_with({"limits": {"max_message_size": "2KiB"}}))
        wait_until(lambda: put_in_place("x", busy) or self.has_limit("2KiB"), "the new limit while others write beside it")

    def test_what_else_is_in_the_folder_is_nobody_s_business(self):
        self.start_echo()
        before = self.reloads("success")
        put_in_place("none: of this", os.path.join(os.path.dirname(self.proxy.config_file), "other.yaml"))
        self.reload(limits={"max_message_size": "2KiB"})
        self.assertEqual((self.reloads("success") - before, self.reloads("failure")), (1, 0))


class Told(ReloadTest):
    def test_each_key_that_changed_with_before_and_after_and_then_that_it_is_done(self):
        self.start_echo(limits={"max_message_size": "1MiB"}, drain={"close_code": 1001})
        lines = self.reload(limits={"max_message_size": "2KiB", "allowed_origins": ["https://good.example"]}, drain={"close_code": 1012},
                            routes=[{"match": {"path": "/chat/"}, "upstream": {"url": "ws://127.0.0.1:5678"}}])
        changed = {entry["key"]: (entry["before"], entry["after"]) for entry in fields_of(lines, "configuration changed")}
        self.assertEqual(changed["limits.max_message_size"], ("1MiB", "2KiB"))
        self.assertEqual(tuple(map(str, changed["drain.close_code"])), ("1001", "1012"))
        self.assertIn("https://good.example", changed["limits.allowed_origins"][1])
        self.assertTrue(any(key.startswith("routes") and "/chat/" in after for key, (_, after) in changed.items()), changed)
        self.assertFalse([key for key in changed if not key.startswith(("limits.", "drain.close_code", "routes"))], changed)
        messages = [json.loads(line)["message"] for line in lines]
        self.assertLess(messages.index("configuration changed"), messages.index("configuration reloaded"))
        lines = self.restore()
        changed = {entry["key"]: (entry["before"], entry["after"]) for entry in fields_of(lines, "configuration changed")}
        self.assertEqual(changed["limits.max_message_size"], ("2KiB", "1MiB"))

    def test_what_needs_a_restart_is_named_and_the_rest_is_done(self):
        self.start_echo(workers=1)
        dsn = "https://verysecret@sentry.example/1"
        lines = self.reload(workers=2, admin={"address": f"127.0.0.1:{free_port()}"}, compression={"memory": "77MiB"},
                            log={"format": "text"}, sentry={"dsn": dsn, "environment": "other"}, limits={"max_message_size": "2KiB"})
        late = {entry["key"] for entry in map(json.loads, lines) if "needs a restart" in entry["message"]}
        self.assertEqual(late, {"workers", "admin.address", "compression.memory", "log.format", "sentry.dsn", "sentry.environment"})
        self.assertNotIn("verysecret", "\n".join(self.proxy.lines))
        self.assertNotIn("verysecret", self.proxy.get("/config")[1])
        self.assertEqual([entry["key"] for entry in fields_of(lines, "configuration changed")], ["limits.max_message_size"])
        self.assertEqual(self.proxy.get("/livez")[0], 200)
        self.assertIn("max_message_size: 2KiB", self.proxy.get("/config")[1])
        self.assert_echoes(self.echo_client())

    def test_when_it_last_went_well(self):
        self.start_echo()

        def last():
            return self.proxy.metrics().sum("wsproxy_config_last_reload_success_timestamp_seconds")

        at_start = last()
        self.refuse(limits={"max_message_size": "lots"})
        self.assertEqual(last(), at_start)
        self.reload(limits={"max_message_size": "2KiB"})
        wait_until(lambda: last() > at_start or self.hang_up(), "the time of the last reload to move")


class Refused(ReloadTest):
    def assert_unchanged(self, client):
        self.assertEqual(self.proxy.get("/config")[1], self.config)
        self.assert_echoes(client)
        self.assert_echoes(self.echo_client())

    def test_a_broken_file_changes_nothing_and_says_where_and_what(self):
        self.start_echo(limits={"max_message_size": "1MiB"})
        self.config, client = self.proxy.get("/config")[1], self.echo_client()
        file = self.proxy.config_file
        good = self.text_with({"limits": {"max_message_size": "1KiB"}})
        cases = {
            "an unknown key": (merged(json.loads(good), {"limits": {"max_conections": 3}}), ("limits.max_conections", "max_connections")),
            "a wrong type": (merged(json.loads(good), {"compression": {"enabled": "maybe"}}), ("compression.enabled", "true")),
            "out of range": (merged(json.loads(good), {"compression": {"level": 77}}), ("compression.level", "9")),
            "a code that may not be sent": (merged(json.loads(good), {"drain": {"close_code": 1005}}), ("drain.close_code",)),
            "a variable that is not there": (merged(json.loads(good), {"upstream": {"url": "ws://${NO_SUCH_VARIABLE}:1"}}), ("NO_SUCH_VARIABLE",)),
        }
        for what, (settings, words) in cases.items():
            with self.subTest(what):
                text = json.dumps(settings, indent=1)
                line = self.refuse(file, *words, text=text)
                self.assertRegex(line, rf"{file}:\d+:\d+: ")
                self.assert_unchanged(client)
        line = self.refuse(f"{file}:2:3: compression.levle", "level", text="compression:\n  levle: 3\n")
        for what, text in {"cut short": good[:-20], "no mapping": "- a\n- b\n", "no text": "\x00\x01\x02"}.items():
            with self.subTest(what):
                self.refuse(file, text=text)
                self.assert_unchanged(client)
        self.reload(limits={"max_message_size": "2KiB"})
        self.assertNotEqual(self.proxy.get("/config")[1], self.config)

    def test_a_file_that_is_gone_changes_nothing(self):
        self.start_echo()
        self.config, client = self.proxy.get("/config")[1], self.echo_client()
        before = self.reloads("failure")
        os.remove(self.proxy.config_file)
        self.proxy.wait_metric("wsproxy_config_reloads_total", before + 1, result="failure")
        self.assert_unchanged(client)
        self.reload(limits={"max_message_size": "2KiB"})

    def test_all_errors_are_told_and_it_counts_as_one(self):
        self.start_echo()
        before = self.reloads("failure")
        self.refuse("compression.level", text="compression:\n  level: 77\n  enabled: 3\ntimeouts:\n  close: soon\n")
        for place in ("2:10", "3:12", "5:10"):
            self.proxy.wait_for_line(f"wsproxy.yaml:{place}: ")
        self.reload(limits={"max_message_size": "2KiB"})
        self.assertEqual(self.reloads("failure") - before, 1)

    def test_certificates_that_are_not_there(self):
        self.start_echo()
        self.config, client = self.proxy.get("/config")[1], self.echo_client()
        listener = {**self.proxy.settings["listeners"][0], "tls": {"certificate": "/no/such.crt", "private_key": "/no/such.key"}}
        self.refuse("/no/such.crt", listeners=[listener])
        self.assert_unchanged(client)

    def test_broken_once_is_not_broken_for_good_by_sighup(self):
        self.start_echo()
        self.refuse(limits={"max_message_size": "lots"})
        before = self.reloads("failure")
        self.hang_up()
        self.proxy.wait_metric("wsproxy_config_reloads_total", before + 1, result="failure")
        self.reload_without_effect()
        self.assert_echoes(self.echo_client())


class OnTop(ReloadTest):
    """The command line wins over the environment, that over the file: after a reload too."""

    def test_options_and_variables_stay(self):
        wanted, other = NamedApp("wanted"), NamedApp("other")
        self.addCleanup(other.stop)
        for how in ({"args": ["--remote_url", wanted.url]}, {"env": {"WS_PROXY_REMOTE_URL": wanted.url}}):
            with self.subTest(**how):
                self.start(wanted, app_url=other.url, **how)
                lines = self.reload(upstream={"url": "ws://127.0.0.1:1"}, limits={"max_message_size": "2KiB"})
                self.assertEqual([entry["key"] for entry in fields_of(lines, "configuration changed")], ["limits.max_message_size"])
                self.assertEqual(self.echo_client().answer.get("X-App"), "wanted")

    def test_the_port_stays(self):
        port = free_port()
        self.start(EchoApp(), env={"WS_PROXY_PORT": str(port)}, listeners=[{"name": "public", "address": f"127.0.0.1:{port}"}])
        client = self.closing(Client(("127.0.0.1", port))).open()
        self.reload(listeners=[{"name": "public", "address": f"127.0.0.1:{free_port()}"}], limits={"max_message_size": "2KiB"})
        self.assert_echoes(client)
        self.assert_echoes(self.closing(Client(("127.0.0.1", port))).open())

    def test_the_verbosity_stays(self):
        self.start(EchoApp(), args=["-v"], log={"level": "error"})
        self.echo_client("/before").finish()
        self.proxy.access_line("/before")
        self.reload_without_effect(log={"level": "warning"})
        self.echo_client("/after").finish()
        self.proxy.access_line("/after")

    def test_variables_in_the_file_are_expanded_again(self):
        first, second = NamedApp("first"), NamedApp("second")
        self.addCleanup(second.stop)
        self.start(first, app_url="${FIRST}", env={"FIRST": first.url, "SECOND": second.url})
        self.assertEqual(self.echo_client().answer.get("X-App"), "first")
        self.reload(upstream={"url": "${SECOND}"})
        self.assertEqual(self.echo_client().answer.get("X-App"), "second")
        self.reload(upstream={"url": "${NOBODY:-" + first.url + "}"})
        self.assertEqual(self.echo_client().answer.get("X-App"), "first")


if __name__ == "__main__":
    main()
