"""A Sentry of the test's own: takes envelopes over HTTP, holds each against the format, and keeps what it got."""

import datetime
import http.server
import json
import queue
import re
import ssl
import threading
import time

from .app import wait_until
from .wire import DEADLINE

KEY, PROJECT = "4d5e6f7a8b9c", "42"
HEX_ADDRESS = re.compile(r"0x[0-9a-f]+")


def check(condition, *what):
    if not condition:
        raise AssertionError(f"the envelope is wrong: {what}")


def time_of(text):
    """RFC 3339 in UTC, as Sentry wants it."""
    check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text), "time", text)
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def take_line(body):
    end = body.find(b"\n")
    check(end >= 0, "a header without an end", body[:80])
    header = json.loads(body[:end])
    check(isinstance(header, dict), "a header that is no object", header)
    return header, body[end + 1:]


def parse_envelope(body):
    """The header and the items, (header, payload) each; by the rules of https://develop.sentry.dev/sdk/data-model/envelopes/."""
    header, rest = take_line(body)
    items = []
    while rest:
        item, rest = take_line(rest)
        check(isinstance(item.get("type"), str) and isinstance(item.get("length"), int), "item header", item)
        payload = rest[:item["length"]]
        check(len(payload) == item["length"], "an item shorter than it says", item)
        check(rest[item["length"]:item["length"] + 1] in (b"", b"\n"), "an item longer than it says", item)
        rest = rest[item["length"] + 1:]
        items.append((item, json.loads(payload)))
    check(items, "no item")
    return header, items


def check_stacktrace(event):
    for exception in event["exception"]["values"]:
        check(exception["type"].startswith("SIG") and exception["value"], "exception", exception)
        mechanism = exception["mechanism"]
        check(mechanism["type"] == "signalhandler" and mechanism["handled"] is False, "mechanism", mechanism)
        check(isinstance(mechanism["meta"]["signal"]["number"], int), "mechanism", mechanism)
        frames = exception["stacktrace"]["frames"]
        check(frames and all(HEX_ADDRESS.fullmatch(frame["instruction_addr"]) for frame in frames), "frames", frames)
    for image in event["debug_meta"]["images"]:
        check(image["type"] == "elf" and HEX_ADDRESS.fullmatch(image["image_addr"]), "image", image)
        check(isinstance(image["image_size"], int) and image["code_file"], "image", image)
        check(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", image["debug_id"]), "debug_id", image)
        check(re.fullmatch(r"[0-9a-f]{32,}", image["code_id"]), "code_id", image)


def check_event(event):
    check(re.fullmatch(r"[0-9a-f]{32}", event["event_id"]), "event_id", event)
    time_of(event["timestamp"])
    check(event["platform"] == "native" and event["level"] in ("error", "fatal"), "platform, level", event)
    check(re.fullmatch(r"wsproxy@\d+\.\d+\.\d+", event["release"]), "release", event)
    for key in ("environment", "server_name", "logger"):
        check(isinstance(event[key], str) and event[key], key, event)
    check(all(isinstance(value, str) for value in event.get("tags", {}).values()), "tags", event)
    check(("logentry" in event) != ("exception" in event), "a message or an exception", event)
    if "logentry" in event:
        check(isinstance(event["logentry"]["formatted"], str), "logentry", event)
    else:
        check_stacktrace(event)


class Report:
    """One request: `event` is the event in it, `discarded` how many it says were never sent, `when` it came (monotonic)."""

    def __init__(self, path, headers, body):
        self.path, self.headers, self.body, self.when = path, headers, body, time.monotonic()
        self.header, self.items = parse_envelope(body)
        kinds = [item["type"] for item, _ in self.items]
        check(kinds in (["event"], ["event", "client_report"]), "items", kinds)
        self.event = self.items[0][1]
        check_event(self.event)
        check(self.header["event_id"] == self.event["event_id"], "two ids", self.header, self.event)
        time_of(self.header["sent_at"])
        check(self.header["sdk"]["name"] and self.header["sdk"]["version"], "sdk", self.header)
        reports = [payload for item, payload in self.items if item["type"] == "client_report"]
        self.discarded = sum(one["quantity"] for report in reports for one in report["discarded_events"])

    @property
    def text(self):
        return self.event["logentry"]["formatted"]


class Sentry:
    """`answer` is (status, headers) for what comes next; None: says nothing until the test ends. `problems` are what was
    wrong with requests, `raw` all of their bytes."""

    def __init__(self, certificate=None, port=0):
        self.answer, self.problems, self.raw, self.requests = (200, {}), [], bytearray(), 0
        self._reports, self._ends = queue.Queue(), threading.Event()
        sentry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                sentry._take(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_):
                pass  # a proxy that ends in the middle of it

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        self._scheme = "http"
        if certificate:
            self._scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.crt, certificate.key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def dsn(self, host="127.0.0.1", prefix=""):
        return f"{self._scheme}://{KEY}@{host}:{self.port}{prefix}/{PROJECT}"

    def _take(self, request):
        body = request.rfile.read(int(request.headers["Content-Length"]))
        self.requests += 1
        self.raw += f"{request.requestline}\n{request.headers}".encode() + body
        answer = self.answer
        try:
            self._check_request(request)
            self._reports.put((answer, Report(request.path, request.headers, body)))
        except Exception as problem:  # shown by the test
            self.problems.append(repr(problem))
            answer = (400, {})
        if answer is None:
            self._ends.wait(10 * DEADLINE)
            request.close_connection = True
            return
        status, headers = answer
        request.send_response(status)
        for name, value in {"Content-Length": "2", **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(b"{}")

    def _check_request(self, request):
        check(request.path.endswith(f"/api/{PROJECT}/envelope/"), "path", request.path)
        check(request.headers["Content-Type"] == "application/x-sentry-envelope", "type", request.headers)
        check(request.headers["Host"].endswith(f":{self.port}"), "host", request.headers)
        check(request.headers["User-Agent"].startswith("wsproxy/"), "agent", request.headers)
        scheme, _, words = request.headers["X-Sentry-Auth"].partition(" ")
        fields = dict(word.split("=", 1) for word in words.split(", "))
        check(scheme == "Sentry" and fields["sentry_version"] == "7" and fields["sentry_key"] == KEY, "auth", request.headers)
        check(fields["sentry_client"].startswith("wsproxy/"), "auth", request.headers)

    def next(self, deadline=DEADLINE):
        """The next report, whatever was answered."""
        try:
            return self._reports.get(timeout=deadline)[1]
        except queue.Empty:
            raise AssertionError(f"no report came; wrong ones: {self.problems}") from None

    def is_empty(self):
        return self._reports.empty()

    def wait_requests(self, count):
        wait_until(lambda: self.requests >= count, f"{count} requests")

    def stop(self):
        self._ends.set()
        self._server.shutdown()
        self._server.server_close()
