// An app of Express and `ws` on one port: node app.cjs. Prints "port N". What it serves, the other apps serve too.
'use strict';

const crypto = require('node:crypto');
const http = require('node:http');
const path = require('node:path');
const { setImmediate } = require('node:timers/promises');
const express = require('express');
const { WebSocketServer } = require('ws');

const app = express();
const listeners = new Set(); // of what is published

app.get('/page', (request, response) => response.sendFile(path.join(__dirname, 'page.html')));
app.get('/text', (request, response) => response.type('text').send('hello größe'));
app.get('/json', (request, response) => response.json({ query: request.query }));
app.post('/json', express.json(), (request, response) => response.status(201).location('/json/1').json({ got: request.body }));
app.put('/item', express.text(), (request, response) => response.cookie('a', 'b').cookie('c', 'd').send(`now ${request.body}`));
app.delete('/item', (request, response) => response.status(204).end());
app.get('/redirect', (request, response) => response.redirect('/text'));
app.get('/big', (request, response) => response.send(Buffer.alloc(1 << 20, 'big ')));

app.post('/upload', (request, response) => {
  const hash = crypto.createHash('sha256');
  let size = 0;
  request.on('data', (piece) => { hash.update(piece); size += piece.length; });
  request.on('end', () => response.json({ size, sha256: hash.digest('hex') }));
});

app.get('/stream', async (request, response) => {
  for (let at = 0; at < 200; at++) {
    response.write(`line ${at}\n`);
    await setImmediate();
  }
  response.end();
});

app.get('/events', (request, response) => {
  response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  response.write('data: hello\n\n');
  const listener = (text) => response.write(`data: ${text}\n\n`);
  listeners.add(listener);
  request.on('close', () => listeners.delete(listener));
});

app.post('/publish', express.text(), (request, response) => {
  for (const listener of listeners) listener(request.body);
  response.status(204).end();
});

// Four parameters make it the handler of errors; without one Express prints them.
app.use((error, request, response, next) => response.status(error.status).json({ error: error.message }));

const server = http.createServer(app);
new WebSocketServer({ server, path: '/ws' }).on('connection', (socket) => {
  const listener = (text) => socket.send(text);
  listeners.add(listener);
  socket.on('message', (data, binary) => socket.send(data, { binary }));
  socket.on('close', () => listeners.delete(listener));
});
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
