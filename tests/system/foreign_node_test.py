"""Node's ws: what it offers by itself and every option it has (node/client.cjs)."""

import os

from harness import main
from harness.foreign import CLIENTS, SETTINGS, ForeignTest


class Node(ForeignTest):
    def talk(self):
        return self.run_client(["node", "client.cjs", self.proxy.url], os.path.join(CLIENTS, "node"))

    def test_everything_it_can_offer(self):
        self.start_echo()
        self.assertEqual(self.talk().count(" got permessage-deflate"), 7)
        self.no_extension_reached_the_app()

    def test_the_same_with_the_longest_history(self):
        self.start_echo(compression=SETTINGS["the longest history"])
        self.talk()


if __name__ == "__main__":
    main()
