"""An app of aiohttp: app.py. Prints "port N". What it serves, the other apps serve too."""

import asyncio
import hashlib
import json

from aiohttp import WSMsgType, web

routes = web.RouteTableDef()
listeners = set()  # of what is published


@routes.get("/text")
async def text(_):
    return web.Response(text="hello größe")


@routes.get("/json")
async def get_json(request):
    return web.json_response({"query": dict(request.query)})


@routes.post("/json")
async def post_json(request):
    try:
        return web.json_response({"got": await request.json()}, status=201, headers={"Location": "/json/1"})
    except json.JSONDecodeError:
        raise web.HTTPBadRequest() from None


@routes.put("/item")
async def put_item(request):
    response = web.Response(text=f"now {await request.text()}")
    response.set_cookie("a", "b")
    response.set_cookie("c", "d")
    return response


@routes.delete("/item")
async def delete_item(_):
    return web.Response(status=204)


@routes.get("/redirect")
async def redirect(_):
    raise web.HTTPFound("/text")


@routes.get("/big")
async def big(_):
    return web.Response(body=b"big " * (1 << 18))


@routes.post("/upload")
async def upload(request):
    digest, size = hashlib.sha256(), 0
    async for piece in request.content.iter_any():
        digest.update(piece)
        size += len(piece)
    return web.json_response({"size": size, "sha256": digest.hexdigest()})


async def begun(request, kind):
    response = web.StreamResponse(headers={"Content-Type": kind})
    await response.prepare(request)
    return response


@routes.get("/stream")
async def stream(request):
    response = await begun(request, "text/plain")
    for at in range(200):
        await response.write(f"line {at}\n".encode())
    return response


@routes.get("/events")
async def events(request):
    response, news = await begun(request, "text/event-stream"), asyncio.Queue()
    listeners.add(news)
    try:
        await response.write(b"data: hello\n\n")
        while True:
            await response.write(f"data: {await news.get()}\n\n".encode())
    finally:
        listeners.discard(news)


@routes.post("/publish")
async def publish(request):
    said = await request.text()
    for news in listeners:
        news.put_nowait(said)
    return web.Response(status=204)


@routes.get("/ws")
async def websocket(request):
    socket, news = web.WebSocketResponse(), asyncio.Queue()
    await socket.prepare(request)
    listeners.add(news)

    async def tell():
        while True:
            await socket.send_str(await news.get())
    telling = asyncio.create_task(tell())
    async for message in socket:
        await (socket.send_str if message.type == WSMsgType.TEXT else socket.send_bytes)(message.data)
    telling.cancel()
    listeners.discard(news)
    return socket


async def main():
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print("port", runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
