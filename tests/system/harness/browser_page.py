"""The page that talks through the proxy from inside a browser, and what it must have seen."""

import http.server
import threading

from .browser import start_browser
from .case import SystemTest

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


class BrowserTest(SystemTest):
    """A browser and a server of that page, for the whole class."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.driver = start_browser(cls)
        cls.page = cls.serve_page()

    @classmethod
    def serve_page(cls):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        cls.addClassCleanup(server.server_close)
        cls.addClassCleanup(server.shutdown)
        return f"http://localhost:{server.server_port}/"

    def assert_everything_worked(self, result):
        self.assertEqual(result["wrong"], [])
        self.assertEqual(result["messages"], 322)
        self.assertEqual(result["protocol"], "chat.v1")
        self.assertEqual(int(result["pongs"]), 1)
        self.assertEqual(result["closedByApp"], {"code": 4001, "reason": "bye größe", "wasClean": True})
        self.assertEqual(result["closedByUs"], {"code": 3999, "reason": "enough", "wasClean": True})
        self.assertEqual(result["lost"]["code"], 1011)
