"""A man in the middle, between the proxy and the app, that does to one message what no proxy may do."""

import asyncio
import contextlib

from harness.frames import header_of


class Spoiler:
    """`deed` gets each data frame that the app sends on a connection, by number, and returns what goes on instead."""

    def __init__(self, deed):
        self._deed = deed

    async def start(self, app_port):
        self._app_port = app_port
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=256)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self):
        self._server.close()

    async def _serve(self, reader, writer):
        app_reader, app_writer = await asyncio.open_connection("127.0.0.1", self._app_port)
        await asyncio.gather(self._pass_on(reader, app_writer), self._spoil(app_reader, writer), return_exceptions=True)

    @staticmethod
    async def _pass_on(reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _spoil(self, reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            writer.write(await reader.readuntil(b"\r\n\r\n"))
            number = 0
            while True:
                frame = await self._frame(reader)
                if frame[0] & 0xF < 8:
                    frame = self._deed(number, frame)
                    number += 1
                writer.write(frame)
                await writer.drain()
        writer.close()

    @staticmethod
    async def _frame(reader):
        buffer = await reader.readexactly(2)
        while (header := header_of(buffer)) is None:
            buffer += await reader.readexactly(1)
        missing = header[5] + header[4] - len(buffer)
        return buffer + await reader.readexactly(missing)


def loses(at):
    return lambda number, frame: b"" if number == at else frame


def repeats(at):
    return lambda number, frame: frame * 2 if number == at else frame


def corrupts(at):
    """A bit of the last byte, which leaves it text."""
    return lambda number, frame: frame[:-1] + bytes([frame[-1] ^ 1]) if number == at else frame


def swaps(at):
    kept = []

    def deed(number, frame):
        if number == at:
            kept.append(frame)
            return b""
        return frame + kept.pop() if number == at + 1 and kept else frame
    return deed
