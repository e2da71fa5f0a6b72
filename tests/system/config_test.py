"""The config file: every key, every kind of error with its place, the environment, and who wins (DESIGN section 7)."""

import json
import os
import re
import tempfile

from harness import Client, EchoApp, SystemTest, free_port, main, run_command, wait_until

# Every key of DESIGN section 7 with its default, as the file that is printed there.
EVERY_KEY = """\
listeners:
  - name: public
    address: 127.0.0.1:8009
    proxy_protocol: false
upstream:
  url: ws://localhost:8008
  connect_timeout: 5s
  response_timeout: 10s
  max_connections: 0
  lost_code: 1011
  proxy_protocol: off
  tls: {ca: "", server_name: "", verify: true, certificate: "", private_key: ""}
routes: []
compression:
  enabled: true
  engine: auto
  level: 6
  min_size: 32B
  window_bits: 15
  history: auto
  context_takeover: true
  client_window_bits: 12
  client_context_takeover: true
  memory: 256MiB
  adaptive: true
limits:
  max_connections: 10000
  max_connections_per_ip: 0
  handshakes_per_second_per_ip: 0
  max_message_size: 16MiB
  max_header_size: 16KiB
  write_buffer: 1MiB
  messages_per_second: 0
  bytes_per_second: 0
  control_frames_per_second: 100
  rate_action: slow
  allowed_origins: []
timeouts:
  handshake: 10s
  ping_interval: 30s
  ping_timeout: 10s
  idle: 0s
  close: 5s
drain:
  delay: 0s
  spread: 5s
  timeout: 25s
  close_code: 1001
websocket:
  validate_utf8: true
http:
  forward: true
  response_timeout: 1m
  client_timeout: 1m
headers:
  trusted_proxies: []
  upstream: {host: client}
admin:
  address: 127.0.0.1:9090
log:
  level: info
  format: auto
  access: true
sentry: {dsn: "", environment: dev, crash_directory: /tmp/wsproxy}
workers: auto
"""

SECTIONS = ("listeners", "upstream", "routes", "compression", "limits", "timeouts", "drain", "websocket", "http", "headers",
            "admin", "log", "sentry", "workers")


class ConfigTest(SystemTest):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory(prefix="wsproxy-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, text, name="proxy.yaml"):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def check(self, text, **env):
        return run_command("check", "--config", self.file(text), **env)

    def effective(self, text, **env):
        result = self.check(text, **env)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def errors(self, text, **env):
        """The error lines of `check`, which must not print a config."""
        result = self.check(text, **env)
        self.assertEqual((result.returncode, result.stdout), (1, ""), result.stderr)
        return [line for line in result.stderr.splitlines() if line.strip()]


class Check(ConfigTest):
    def test_every_key_of_the_design_with_its_default_is_valid_and_is_the_default(self):
        written = self.effective(EVERY_KEY)
        empty = self.effective("{}\n")
        self.assertEqual(written.replace("name: public", "name: ").replace('"', ""), empty.replace('"', ""))

    def test_an_empty_file_is_all_defaults(self):
        self.assertEqual(self.effective(""), self.effective("{}\n"))
        self.assertEqual(self.effective("# only a comment\n"), self.effective("{}\n"))

    def test_what_is_printed_is_a_config_that_says_the_same(self):
        changed = EVERY_KEY.replace("min_size: 32B", "min_size: 3KB").replace("idle: 0s", "idle: 90s") \
            .replace("allowed_origins: []", 'allowed_origins: ["https://a.example", "https://b.example:8443"]') \
            .replace("address: 127.0.0.1:8009", 'address: "[::1]:8009"')
        printed = self.effective(changed)
        self.assertEqual(self.effective(printed), printed)
        self.assertIn("https://b.example:8443", printed)
        self.assertNotEqual(printed, self.effective(EVERY_KEY))

    def test_durations_and_sizes_take_every_unit(self):
        same = [("idle: 0s", ["idle: 90s", "idle: 90000ms", "idle: 1500ms"], ["idle: 2m", "idle: 120s"], ["idle: 1h", "idle: 60m"])]
        for key, first, second, third in same:
            self.assertEqual(self.effective(EVERY_KEY.replace(key, first[0])), self.effective(EVERY_KEY.replace(key, first[1])))
            self.assertNotEqual(self.effective(EVERY_KEY.replace(key, first[0])), self.effective(EVERY_KEY.replace(key, first[2])))
            for pair in (second, third):
                self.assertEqual(*[self.effective(EVERY_KEY.replace(key, text)) for text in pair])
        key = "max_message_size: 16MiB"
        for pair in (("16777216", "16MiB"), ("1024", "1KiB"), ("1024B", "1KiB"), ("1GiB", "1024MiB"), ("3KB", "3000"),
                     ("2MB", "2000000B"), ("1GB", "1000MB")):
            with self.subTest(pair=pair):
                self.assertEqual(*[self.effective(EVERY_KEY.replace(key, f"max_message_size: {size}")) for size in pair])

    def test_secrets_are_not_printed(self):
        result = self.check("sentry: {dsn: 'https://verysecret@sentry.example/1'}\n")
        self.assertIn("sentry", result.stdout + result.stderr)
        self.assertNotIn("verysecret", result.stdout + result.stderr)

    def test_a_file_that_is_not_there_or_not_readable_is_one_line(self):
        for path in (os.path.join(self.folder, "none.yaml"), self.folder):
            with self.subTest(path=path):
                result = run_command("check", "--config", path)
                self.assertEqual((result.returncode, result.stdout), (1, ""))
                [line] = [line for line in result.stderr.splitlines() if line.strip()]
                self.assertIn(path, line)


class Errors(ConfigTest):
    def assert_error(self, text, line, column, *words):
        [error] = self.errors(text)
        place = f"{os.path.join(self.folder, 'proxy.yaml')}:{line}:{column}: "
        self.assertTrue(error.startswith(place), f"{error!r} does not begin with {place!r}")
        for word in words:
            self.assertIn(word, error)

    def test_an_unknown_key_is_an_error_at_its_place_with_a_suggestion(self):
        self.assert_error("compression:\n  levle: 3\n", 2, 3, "compression.levle", "level")
        self.assert_error("limits:\n  max_conections: 3\n", 2, 3, "max_conections", "max_connections")
        self.assert_error("compresion:\n  level: 3\n", 1, 1, "compresion", "compression")
        self.assert_error("listeners:\n  - adress: 127.0.0.1:80\n", 2, 5, "adress", "address")
        self.assert_error("xyzzy: 1\n", 1, 1, "xyzzy")

    def test_a_value_of_the_wrong_type_says_what_is_allowed(self):
        self.assert_error("compression:\n  enabled: maybe\n", 2, 12, "compression.enabled", "true", "false")
        self.assert_error("compression:\n  level: high\n", 2, 10, "compression.level", "1", "9")
        self.assert_error("compression: [1, 2]\n", 1, 14, "compression")
        self.assert_error("limits:\n  allowed_origins: 'x'\n", 2, 20, "limits.allowed_origins")
        self.assert_error("compression:\n  engine: brotli\n", 2, 11, "compression.engine", "zlib", "isal")
        self.assert_error("log:\n  level: loud\n", 2, 10, "log.level", "debug")

    def test_a_value_out_of_its_range_says_the_range(self):
        for level in ("0", "10", "-1", "99999999999999999999"):
            with self.subTest(level=level):
                self.assert_error(f"compression:\n  level: {level}\n", 2, 10, "compression.level", "1", "9")
        for bits in (8, 16):
            with self.subTest(bits=bits):
                self.assert_error(f"compression:\n  window_bits: {bits}\n", 2, 16, "compression.window_bits", "9", "15")
        self.assert_error("upstream:\n  lost_code: 1006\n", 2, 14, "upstream.lost_code")
        self.assert_error("drain:\n  close_code: 1005\n", 2, 15, "drain.close_code")

    def test_durations_and_sizes_that_are_none(self):
        for duration in ("5", "5 parsecs", "-1s", "s", "1e9h", "''"):
            with self.subTest(duration=duration):
                self.assert_error(f"timeouts:\n  close: {duration}\n", 2, 10, "timeouts.close")
        for size in ("5XB", "-1", "B", "99999999999GiB"):
            with self.subTest(size=size):
                self.assert_error(f"limits:\n  write_buffer: {size}\n", 2, 17, "limits.write_buffer")

    def test_addresses_and_urls_that_are_none(self):
        for address in ("127.0.0.1", "127.0.0.1:0x50", "127.0.0.1:70000", "'[::1:80'", "'unix:'", "':'"):
            with self.subTest(address=address):
                self.assert_error(f"listeners:\n  - address: {address}\n", 2, 14, "address")
        for url in ("http://localhost:1", "localhost:8008", "ws://", "ws://host:99999", "'ws+unix:'", "'ws://a b'"):
            with self.subTest(url=url):
                self.assert_error(f"upstream:\n  url: {url}\n", 2, 8, "upstream.url")
        self.assert_error("headers:\n  trusted_proxies: [10.0.0.0/99]\n", 2, 21, "headers.trusted_proxies")

    def test_all_errors_of_a_file_are_shown_at_once_in_its_order(self):
        errors = self.errors("compression:\n  level: 77\n  enabled: 3\ntimeouts:\n  close: soon\n  clsoe: 1s\nnonsense: 1\n")
        places = [tuple(map(int, re.search(r"proxy\.yaml:(\d+):(\d+): ", error).groups())) for error in errors]
        self.assertEqual(places, [(2, 10), (3, 12), (5, 10), (6, 3), (7, 1)])

    def test_yaml_that_is_none_is_an_error_with_its_place(self):
        for text in ("compression: {level: 3\n", "a: b: c\n", "limits:\n\t- tab\n", "compression: [\n"):
            with self.subTest(text=text):
                [error] = self.errors(text)
                self.assertRegex(error, r"proxy\.yaml:\d+:\d+: ")

    def test_a_key_given_twice_is_an_error(self):
        [error] = self.errors("compression: {level: 3}\nlog: {level: info}\ncompression: {level: 4}\n")
        self.assertRegex(error, r"proxy\.yaml:3:1: .*compression")

    def test_a_file_that_is_no_mapping_or_no_text_is_an_error(self):
        for text in ("- a\n- b\n", "just words\n", "\x00\x01\x02"):
            with self.subTest(text=text):
                self.assertGreaterEqual(len(self.errors(text)), 1)

    def test_run_says_the_same_and_does_not_start(self):
        path = self.file("compression:\n  level: 77\n")
        result = run_command("run", "--config", path)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"{path}:2:10: compression.level", result.stderr)

    def test_run_adds_nothing_to_the_errors_of_the_file(self):
        for text in ("listeners:\n  - {address: 127.0.0.1:1}\n  - {address: 127.0.0.1:1}\n",
                     "listeners:\n  - {address: 127.0.0.1:9090}\nadmin:\n  address: nowhere\n"):
            with self.subTest(text=text):
                path = self.file(text)
                errors = run_command("check", "--config", path).stderr
                self.assertEqual(len(errors.splitlines()), 1)
                self.assertEqual(run_command("run", "--config", path).stderr, errors)


class Environment(ConfigTest):
    def test_a_value_may_come_from_the_environment_and_a_default_stands_in(self):
        text = "upstream:\n  url: ws://${APP_HOST:-fallback.example}:${APP_PORT}\n"
        self.assertIn("ws://fallback.example:7000", self.effective(text, APP_PORT="7000"))
        self.assertIn("ws://other.example:7000", self.effective(text, APP_PORT="7000", APP_HOST="other.example"))

    def test_any_kind_of_value_may(self):
        self.assertEqual(self.effective("compression:\n  level: ${L}\n  enabled: ${E:-false}\nlog: {access: '${E:-false}'}\n", L="3"),
                         self.effective("compression: {level: 3, enabled: false}\nlog: {access: false}\n"))

    def test_a_variable_that_is_not_there_is_an_error_at_its_place(self):
        [error] = self.errors("upstream:\n  url: ws://${NO_SUCH_VARIABLE}:1\n")
        self.assertRegex(error, r"proxy\.yaml:2:8: upstream\.url: .*NO_SUCH_VARIABLE")

    def test_the_value_of_a_variable_is_no_yaml(self):
        [error] = self.errors("log:\n  level: ${EVIL}\n", EVIL="info\nworkers: 3")
        self.assertIn("log.level", error)


class Precedence(ConfigTest):
    """The command line wins over the environment, that over the file, that over the default."""

    def started(self, args=(), env=None, file_port=None):
        """A proxy on a file with a port of its own, and the app that the file names."""
        app = EchoApp()
        self.addCleanup(app.stop)
        port, admin = file_port or free_port(), free_port()
        text = {"listeners": [{"address": f"127.0.0.1:{port}"}], "upstream": {"url": app.url},
                "admin": {"address": f"127.0.0.1:{admin}"}, "log": {"format": "text"}}
        return self.command("run", "--config", self.file(json.dumps(text), f"{port}.yaml"), *args, **(env or {})), app

    def connects(self, port, process):
        def up():
            self.assertTrue(process.running(), process.lines)
            try:
                return Client(("127.0.0.1", port))
            except OSError:
                return None
        client = self.closing(wait_until(up, f"port {port}"))
        return client.open()

    def test_each_option_wins_over_its_variable_and_that_over_the_file(self):
        in_file, in_variable, as_option = free_port(), free_port(), free_port()
        process, _ = self.started(file_port=in_file)
        self.connects(in_file, process)
        process, _ = self.started(env={"WS_PROXY_PORT": str(in_variable)})
        self.connects(in_variable, process)
        process, _ = self.started(args=["--port", str(as_option)], env={"WS_PROXY_PORT": str(free_port())})
        self.connects(as_option, process)

    def test_the_app_s_url_from_a_variable_and_an_option(self):
        wanted = EchoApp()
        self.addCleanup(wanted.stop)
        for args, env in (((), {"WS_PROXY_REMOTE_URL": wanted.url}), (("--remote_url", wanted.url), {"WS_PROXY_REMOTE_URL": "ws://127.0.0.1:1"}),
                          ((f"--remote-url={wanted.url}",), {})):
            with self.subTest(args=args, env=env):
                port = free_port()
                process, other = self.started(args=args, env=env, file_port=port)
                self.connects(port, process)
                self.assertEqual((len(wanted.requests), len(other.requests)), (1, 0))
                wanted.requests.clear()

    def test_everything_from_the_environment_without_a_file(self):
        app = EchoApp()
        self.addCleanup(app.stop)
        port, admin = free_port(), free_port()
        process = self.command("run", WS_PROXY_HOST="127.0.0.1", WS_PROXY_PORT=str(port), WS_PROXY_REMOTE_URL=app.url,
                               WS_PROXY_ADMIN=f"127.0.0.1:{admin}", WS_PROXY_ENVIRONMENT="test")
        self.connects(port, process)
        self.assertEqual(run_command("probe", f"http://127.0.0.1:{admin}").returncode, 0)

    def test_everything_from_options_without_a_file(self):
        app = EchoApp()
        self.addCleanup(app.stop)
        port, admin = free_port(), free_port()
        process = self.command("run", "--host", "127.0.0.1", "--port", str(port), "--remote-url", app.url, "--admin",
                               f"127.0.0.1:{admin}", "--environment", "test")
        self.connects(port, process)
        self.assertEqual(run_command("probe", f"http://127.0.0.1:{admin}").returncode, 0)

    def test_the_file_itself_may_be_named_by_a_variable(self):
        port, admin = free_port(), free_port()
        app = EchoApp()
        self.addCleanup(app.stop)
        path = self.file(json.dumps({"listeners": [{"address": f"127.0.0.1:{port}"}], "upstream": {"url": app.url},
                                     "admin": {"address": f"127.0.0.1:{admin}"}}))
        self.connects(port, self.command("run", WS_PROXY_CONFIG=path))

    def test_a_variable_with_a_bad_value_stops_it_and_is_named(self):
        result = run_command("run", WS_PROXY_PORT="many")
        self.assertIn(result.returncode, (1, 2))
        self.assertIn("WS_PROXY_PORT", result.stderr)


class Routes(ConfigTest):
    def test_a_route_that_comes_too_late_is_an_error_at_its_match(self):
        [error] = self.errors("routes:\n  - match: {host: '*.example.org'}\n  - match: {host: a.example.org, path: /x}\n")
        self.assertRegex(error, r"proxy\.yaml:3:12: routes\[1\]\.match: never matches, routes\[0\]")

    def test_a_limit_that_no_route_can_have_says_why(self):
        [error] = self.errors("routes:\n  - match: {path: /x}\n    limits: {max_header_size: 1KiB}\n")
        self.assertRegex(error, r"proxy\.yaml:3:14: routes\[0\]\.limits\.max_header_size: .*before the request is known")


class NotYet(ConfigTest):
    """What is validated already and would be ignored is refused instead."""

    def test_each_feature_of_a_later_issue_is_refused_at_start_by_its_name(self):
        cases = {
            "admin.address": "admin: {address: 'unix:/tmp/admin.sock'}\n",
        }
        for what, text in cases.items():
            with self.subTest(what):
                result = run_command("run", "--config", self.file(text), "--port", str(free_port()))
                self.assertEqual(result.returncode, 1)
                self.assertIn("not supported yet", result.stderr)
                self.assertIn(what, result.stderr)

    def test_their_own_errors_are_found_before_that(self):
        result = self.check("routes:\n  - match: {pth: /chat/}\n    upstream: {url: 'ws://127.0.0.1:5678'}\n")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"proxy\.yaml:2:13: .*pth")


class Schema(ConfigTest):
    def test_the_schema_is_json_and_has_every_key_of_the_design(self):
        result = run_command("schema")
        self.assertEqual(result.returncode, 0)
        schema = json.loads(result.stdout)
        self.assertIn("$schema", schema)
        self.assertEqual(sorted(schema["properties"]), sorted(SECTIONS))
        self.assertIs(schema["additionalProperties"], False)
        named = set(re.findall(r'"([a-z_]+)"', result.stdout))
        wanted = set(re.findall(r"([a-z_]+):(?: |$)", EVERY_KEY, re.M))
        self.assertEqual(wanted - named, set())


class Start(ConfigTest):
    def assert_one_error(self, *words, options):
        """It ends with exit code 1 and one line that is an error; what it says before that is its own affair."""
        result = run_command("run", *options)
        self.assertEqual(result.returncode, 1)
        [line] = [line for line in (result.stdout + result.stderr).splitlines() if not re.search('"level":"(warning|info)"', line)]
        for word in words:
            self.assertIn(word, line)

    def test_a_port_in_use_is_one_line_and_exit_code_1(self):
        app = EchoApp()
        self.addCleanup(app.stop)
        for port, admin in ((app.port, free_port()), (free_port(), app.port)):
            with self.subTest(port=port, admin=admin):
                self.assert_one_error("in use", str(app.port), options=["--port", str(port), "--admin", f"127.0.0.1:{admin}"])

    def test_a_host_that_does_not_resolve_or_is_not_ours_is_one_line_and_exit_code_1(self):
        for host in ("no-such-host.invalid", "192.0.2.1"):
            with self.subTest(host=host):
                self.assert_one_error(host, options=["--host", host, "--port", str(free_port()), "--admin", f"127.0.0.1:{free_port()}"])

    def test_an_app_whose_host_does_not_resolve_is_a_bad_gateway_and_a_log_line(self):
        self.start(app_url="ws://no-such-host.invalid:80", wait="live", upstream={"connect_timeout": "300ms"})
        client = self.closing(self.proxy.client())
        client.ask()
        self.assertEqual(client.read_answer().status, 502)
        self.proxy.wait_for_line("no-such-host.invalid")


if __name__ == "__main__":
    main()
