"""Go's gorilla and coder libraries, with and without takeover (go/)."""

import os

from harness import main
from harness.foreign import CLIENTS, SETTINGS, ForeignTest


class Go(ForeignTest):
    def test_every_mode_of_both_libraries_with_every_setting_of_ours(self):
        for name, compression in SETTINGS.items():
            with self.subTest(name):
                self.start_echo(compression=compression)
                said = self.run_client([os.path.join(CLIENTS, "go", "client"), self.proxy.url])
                self.assertIn("ok: gorilla got", said)
                self.no_extension_reached_the_app()


if __name__ == "__main__":
    main()
