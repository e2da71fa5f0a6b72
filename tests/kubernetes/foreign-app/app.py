"""Sends back what it gets, on $PORT of loopback. Ends at SIGTERM without a word to anybody, as most apps do."""

import asyncio
import os
import signal

import websockets


async def echo(peer):
    async for message in peer:
        await peer.send(message)


async def main():
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    await websockets.serve(echo, "127.0.0.1", int(os.environ["PORT"]), max_size=None, compression=None, ping_interval=None)
    await over.wait()
    os._exit(0)


asyncio.run(main())
