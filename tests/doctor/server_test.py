"""The correct server is one, by the judgement of others: Python websockets' client and the harness's own strict one."""

import asyncio
import itertools
import os

import websockets

import surroundings  # noqa: F401, first
from harness import Client, frames, main
from harness.deflate import BlockWriter, Compressor, StrictInflater

from doctor import DoctorTest

MESSAGES = ["", "a", "größe " * 3000, b"\0\xff" * 40_000, os.urandom(70_000), "x" * 300_000] * 2


class Websockets(DoctorTest):
    def talk(self, **how):
        server = self.serve()

        async def run():
            async with websockets.connect(server.url, max_size=None, subprotocols=["chat"], **how) as socket:
                self.assertEqual(socket.subprotocol, "chat")
                for message in MESSAGES:
                    await socket.send(message)
                    self.assertEqual(await socket.recv(), message)
                await socket.send(["in ", "", "parts"])
                self.assertEqual(await socket.recv(), "in parts")
                await asyncio.wait_for(await socket.ping(b"there?"), 5)
                extensions = [extension.name for extension in socket.extensions]
                await socket.close(4001, "bye")
                self.assertEqual(socket.close_code, 4001)
                return extensions
        return asyncio.run(run())

    def test_without_compression(self):
        self.assertEqual(self.talk(compression=None), [])

    def test_with_every_pair_of_windows_and_takeover(self):
        from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory as Offer
        for server_bits, client_bits in itertools.product((None, 9, 12, 15), repeat=2):
            for server_none, client_none in itertools.product((False, True), repeat=2):
                with self.subTest((server_bits, client_bits, server_none, client_none)):
                    offer = Offer(server_none, client_none, server_bits, client_bits)
                    self.assertEqual(self.talk(compression=None, extensions=[offer]), ["permessage-deflate"])


class Strict(DoctorTest):
    def client(self, **how):
        client = Client(("127.0.0.1", self.serve().port))
        self.addCleanup(client.close)
        return client.open(**how)

    def test_its_windows_are_what_was_asked_for(self):
        for bits in range(9, 16):
            with self.subTest(bits):
                client = self.client(extensions=f"permessage-deflate; server_max_window_bits={bits}")
                inflater = StrictInflater(bits)
                for message in ("abc" * 500, os.urandom(600).hex() * 5):
                    client.send_frame(frames.TEXT, message.encode())
                    self.assertEqual(inflater.inflate(client.read_frame().payload), message.encode())

    def test_a_final_block_and_references_across_it(self):
        client = self.client(extensions="permessage-deflate")
        inflater = StrictInflater(15)
        for written, wanted in ((BlockWriter().fixed([b"hello"], final=True), b"hello"), (BlockWriter().fixed([b"x", 6]), b"xhel"),
                                (BlockWriter().stored(b"one", final=True).fixed([b"two"]), b"onetwo")):
            client.send_frame(frames.TEXT, written.message(), rsv=frames.RSV1)
            self.assertEqual(inflater.inflate(client.read_frame().payload), wanted)

    def test_a_bomb_is_cut_short(self):
        client = self.client(extensions="permessage-deflate")
        client.send_frame(frames.BINARY, Compressor().compress(bytes(64 << 20)), rsv=frames.RSV1)
        self.assertEqual(frames.close_parts(client.read_frame().payload)[0], 1009)

    def test_wrong_frames_are_answered_with_the_code(self):
        for name, frame, code in (("unmasked", frames.encode(frames.TEXT, b"x"), 1002), ("rsv2", frames.encode(1, b"x", rsv=2, masked=True), 1002),
                                  ("utf8", frames.encode(1, b"\xff", masked=True), 1007), ("long", b"\x81\xff" + b"\x40" + bytes(7), 1009),
                                  ("code", frames.encode(8, frames.close_payload(1005), masked=True), 1002)):
            with self.subTest(name):
                client = self.client()
                client.send_bytes(frame)
                self.assertEqual(frames.close_parts(client.read_frame().payload)[0], code)


if __name__ == "__main__":
    main()
