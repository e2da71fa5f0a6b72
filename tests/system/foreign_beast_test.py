"""Boost.Beast's websocket::stream and its own deflate, with every window and takeover it can ask for."""

import os

from harness import main
from harness.foreign import SETTINGS, ForeignTest

CLIENT = os.environ.get("WSPROXY_BEAST_CLIENT", "beast_client")


class Beast(ForeignTest):
    def test_every_window_and_takeover(self):
        self.start_echo()
        said = self.run_client([CLIENT, "127.0.0.1", str(self.proxy.port)])
        self.assertEqual(said.count("ok: server"), 48)
        self.no_extension_reached_the_app()

    def test_the_same_with_the_longest_history(self):
        self.start_echo(compression=SETTINGS["the longest history"] | {"client_window_bits": 15})
        self.run_client([CLIENT, "127.0.0.1", str(self.proxy.port)])


if __name__ == "__main__":
    main()
