"""Runs a client of another language in front of proxies of different settings."""

import os
import subprocess

from .case import SystemTest
from .wire import DEADLINE

CLIENTS = os.environ.get("WSPROXY_CLIENTS", "")

# What an operator may choose that a client has to cope with.
SETTINGS = {
    "as it comes": {},
    "no history": {"history": 0},
    "the longest history": {"history": "32KiB", "level": 9},
    "the narrowest windows": {"window_bits": 9, "client_window_bits": 9, "history": "512B"},
    "fast": {"level": 1, "min_size": 0},
}


class ForeignTest(SystemTest):
    def run_client(self, command, directory=None, **env):
        """The output of a client that must succeed; everything it said when it does not."""
        result = subprocess.run(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                timeout=10 * DEADLINE, env={**os.environ, **env})
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("ok: ", result.stdout)
        return result.stdout

    def no_extension_reached_the_app(self):
        offers = [request.all("Sec-WebSocket-Extensions") for request in self.app.requests]
        self.assertTrue(offers)
        self.assertEqual([offer for offer in offers if offer], [])
