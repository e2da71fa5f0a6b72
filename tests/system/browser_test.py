"""A page in headless Chromium connects through the proxy (driven over WebDriver, with the standard library only)."""

import functools
import http.client
import http.server
import json
import re
import shutil
import subprocess
import tempfile
import threading

from harness import DEADLINE, EchoApp, SystemTest, main

PAGE = """<!doctype html><meta charset="utf-8"><title>page</title><script>
const sizes = [0, 1, 31, 32, 125, 126, 1000, 65535, 65536, 200000, 1 << 20];

function text(size) {
  return 'order größe 日本 🙂 {"type":"chat"} '.repeat(size / 20 + 1).slice(0, size).replace(/[\\ud800-\\udbff]$/, 'x');
}

function random(size) {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65536) crypto.getRandomValues(bytes.subarray(at, Math.min(size, at + 65536)));
  return bytes;
}

class Connection {
  constructor(url) {
    this.socket = new WebSocket(url, ['chat.v2', 'chat.v1']);
    this.socket.binaryType = 'arraybuffer';
    this.messages = [];
    this.takers = [];
    this.socket.onmessage = ({data}) => { const taker = this.takers.shift(); taker ? taker(data) : this.messages.push(data); };
    this.closed = new Promise((resolve) => { this.socket.onclose = ({code, reason, wasClean}) => resolve({code, reason, wasClean}); });
    this.opened = new Promise((resolve, reject) => { this.socket.onopen = resolve; this.socket.onerror = () => reject(Error('no connection')); });
  }
  next() {
    if (this.messages.length) return Promise.resolve(this.messages.shift());
    return new Promise((resolve) => this.takers.push(resolve));
  }
}

async function echoed(connection, sent) {
  connection.socket.send(sent);
  const got = await connection.next();
  if (typeof sent === 'string') return got === sent;
  const bytes = new Uint8Array(got);
  return bytes.length === sent.length && bytes.every((byte, at) => byte === sent[at]);
}

async function everything(url) {
  const result = {wrong: [], messages: 0};
  const connection = new Connection(url);
  await connection.opened;
  result.extensions = connection.socket.extensions;
  result.protocol = connection.socket.protocol;
  for (const size of sizes) {
    for (const sent of [text(size), random(size)]) {
      if (!await echoed(connection, sent)) result.wrong.push(`${typeof sent} of ${size}`);
      result.messages++;
    }
  }
  for (let turn = 0; turn < 300; turn++) {
    if (!await echoed(connection, `{"turn":${turn},"text":"${text(20 + turn * 37 % 400)}"}`)) result.wrong.push(`turn ${turn}`);
    result.messages++;
  }
  connection.socket.send('/feed 500 the same news for everyone, again and again');
  for (let turn = 0; turn < 500; turn++) {
    if (await connection.next() !== `${turn} the same news for everyone, again and again`) result.wrong.push(`news ${turn}`);
  }
  connection.socket.send('/fragments 5 ' + text(3000));
  if (await connection.next() !== text(3000)) result.wrong.push('fragments');
  connection.socket.send('/ping there?');
  if (!await echoed(connection, 'behind the ping')) result.wrong.push('ping');  // the pong is on its way by then
  // The answer to the ping is the browser's own and may be behind the first question.
  for (let tries = 0; tries < 100 && !(result.pongs > 0); tries++) {
    connection.socket.send('/pongs');
    result.pongs = await connection.next();
  }
  connection.socket.send('/close 4001 bye größe');
  result.closedByApp = await connection.closed;

  const second = new Connection(url);
  await second.opened;
  second.socket.close(3999, 'enough');
  result.closedByUs = await second.closed;

  const third = new Connection(url);
  await third.opened;
  third.socket.send('/vanish');
  result.lost = await third.closed;
  return result;
}
</script>"""

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--no-proxy-server"]


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = PAGE.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Driver:
    """As much of W3C WebDriver as opening a page and running a script takes."""

    def __init__(self, profile):
        self._process = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said = []
        self._port = self._wait_for_port()
        threading.Thread(target=lambda: self.said.extend(self._process.stdout), daemon=True).start()
        options = {"args": [*FLAGS, f"--user-data-dir={profile}"]}
        if binary := shutil.which("chromium"):
            options["binary"] = binary
        capabilities = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}
        self._session = "/session/" + self._ask("POST", "/session", {"capabilities": capabilities})["sessionId"]
        self._ask("POST", f"{self._session}/timeouts", {"script": 60_000})

    def _wait_for_port(self):
        for line in self._process.stdout:
            self.said.append(line)
            if match := re.search(r"started successfully on port (\d+)", line):
                return int(match[1])
        raise AssertionError("chromedriver did not start:\n" + "".join(self.said))

    def _ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=90)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
            value = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        assert not (isinstance(value, dict) and "error" in value), value
        return value

    def open(self, url):
        self._ask("POST", f"{self._session}/url", {"url": url})

    def run(self, script, *args):
        """The value of a promise; what it failed with is a failure here."""
        wrapped = f"const done = arguments[arguments.length - 1]; ({script}).then(done, (e) => done({{failed: String(e)}}))"
        value = self._ask("POST", f"{self._session}/execute/async", {"script": wrapped, "args": list(args)})
        assert not (isinstance(value, dict) and "failed" in value), value
        return value

    def close(self):
        try:
            self._ask("DELETE", self._session)
        finally:
            self._process.terminate()
            self._process.wait(DEADLINE)


class Browser(SystemTest):
    @classmethod
    def setUpClass(cls):
        profile = tempfile.mkdtemp(prefix="wsproxy-browser-")
        cls.addClassCleanup(functools.partial(shutil.rmtree, profile, ignore_errors=True))
        cls.driver = Driver(profile)
        cls.addClassCleanup(cls.driver.close)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        cls.addClassCleanup(server.server_close)
        cls.addClassCleanup(server.shutdown)
        cls.page = f"http://localhost:{server.server_port}/"

    def run_page(self, **settings):
        self.start(EchoApp(subprotocols=("chat.v1",)), **settings)
        self.driver.open(self.page)
        return self.driver.run("everything(arguments[0])", f"ws://127.0.0.1:{self.proxy.port}/page")

    def assert_everything_worked(self, result):
        self.assertEqual(result["wrong"], [])
        self.assertEqual(result["messages"], 322)
        self.assertEqual(result["protocol"], "chat.v1")
        self.assertEqual(int(result["pongs"]), 1)
        self.assertEqual(result["closedByApp"], {"code": 4001, "reason": "bye größe", "wasClean": True})
        self.assertEqual(result["closedByUs"], {"code": 3999, "reason": "enough", "wasClean": True})
        self.assertEqual(result["lost"]["code"], 1011)

    def test_a_page_gets_permessage_deflate_and_everything_it_sends_comes_back(self):
        result = self.run_page()
        self.assertRegex(result["extensions"], r"^permessage-deflate\b")
        self.assertIn("client_max_window_bits=12", result["extensions"])
        self.assert_everything_worked(result)
        request = self.app.requests[0]
        self.assertEqual(request.all("Sec-WebSocket-Extensions"), [])
        self.assertEqual(request.get("Origin"), self.page.rstrip("/"))
        metrics = self.proxy.metrics()
        self.assertGreater(metrics.sum("wsproxy_handshakes_total", extension="accepted"), 2)

    def test_the_same_without_compression(self):
        result = self.run_page(compression={"enabled": False})
        self.assertEqual(result["extensions"], "")
        self.assert_everything_worked(result)

    def test_a_page_of_an_origin_that_is_not_allowed_gets_no_connection(self):
        self.start_echo(limits={"allowed_origins": ["https://elsewhere.example"]})
        self.driver.open(self.page)
        with self.assertRaisesRegex(AssertionError, "no connection"):
            self.driver.run("everything(arguments[0])", f"ws://127.0.0.1:{self.proxy.port}/page")
        self.assertEqual(self.app.requests, [])


if __name__ == "__main__":
    main()
