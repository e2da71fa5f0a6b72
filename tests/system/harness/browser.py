"""Headless Chromium, driven over WebDriver with the standard library only."""

import functools
import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading

from .ports import free_port
from .wire import DEADLINE

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--no-proxy-server"]
KEY_CODES = {"Tab": 9, "Enter": 13, "Escape": 27, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowRight": 39}


class Driver:
    """As much of W3C WebDriver as opening a page and running a script takes."""

    def __init__(self, profile, env):
        # A port that it finds itself is free for IPv6, and may not be for IPv4.
        self._process = subprocess.Popen(["chromedriver", f"--port={free_port()}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)
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

    def devtools(self, command, **parameters):
        """What WebDriver has no word for, such as a phone's screen or a dark scheme."""
        return self._ask("POST", f"{self._session}/goog/cdp/execute", {"cmd": command, "params": parameters})

    def press(self, *keys):
        """Keys by their names (Tab, ArrowLeft, Enter), for whatever has the focus."""
        for key in keys:
            which = {"key": key, "code": key, "windowsVirtualKeyCode": KEY_CODES[key]}
            self.devtools("Input.dispatchKeyEvent", type="keyDown", **which, **({"text": "\r"} if key == "Enter" else {}))
            self.devtools("Input.dispatchKeyEvent", type="keyUp", **which)

    def console(self):
        """What has gone wrong in pages since it was asked last: errors, and what a policy did not allow."""
        return [entry["message"] for entry in self._ask("POST", f"{self._session}/se/log", {"type": "browser"})]

    def close(self):
        try:
            self._ask("DELETE", self._session)
        finally:
            self._process.terminate()
            self._process.wait(DEADLINE)


def believe(home, ca):
    """Makes Chromium with that HOME believe the authority: its store is NSS's."""
    store = os.path.join(home, ".pki", "nssdb")
    os.makedirs(store)
    for words in (["-N", "--empty-password"], ["-A", "-n", "the test's authority", "-t", "C,,", "-i", ca]):
        subprocess.run(["certutil", "-d", f"sql:{store}", *words], check=True, capture_output=True, timeout=DEADLINE)


def start_browser(test_class, ca=None):
    """A browser that lives as long as the class; `ca` is the file of an authority that it believes."""
    profile = tempfile.mkdtemp(prefix="wsproxy-browser-")
    test_class.addClassCleanup(functools.partial(shutil.rmtree, profile, ignore_errors=True))
    env = {**os.environ}
    if ca is not None:
        env["HOME"] = os.path.join(profile, "home")
        believe(env["HOME"], ca)
    driver = Driver(profile, env)
    test_class.addClassCleanup(driver.close)
    return driver
