"""A proxy on Python websockets: permessage-deflate as the library has it, none toward the app.

No keepalive: a generator that prepares its messages would be late with its pongs.
"""

import asyncio
import sys

import websockets


async def pump(source, sink):
    async for message in source:
        await sink.send(message)
    await sink.close()


async def relay(client):
    async with websockets.connect(APP + client.path, compression=None, ping_interval=None) as app:
        await asyncio.gather(pump(client, app), pump(app, client))


async def main(port):
    async with websockets.serve(relay, "127.0.0.1", port, ping_interval=None):
        await asyncio.Future()


APP = f"ws://127.0.0.1:{sys.argv[2]}"
asyncio.run(main(int(sys.argv[1])))
