// An echo app of Node's ws with compression: node_app.cjs, from a folder where `ws` is found. Prints "port N".
'use strict';
const path = require('path');
const { createRequire } = require('module');
const { WebSocketServer } = createRequire(path.join(process.cwd(), 'app.cjs'))('ws');

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: { threshold: 0 } });
server.on('connection', (socket) => {
  socket.on('message', (data, binary) => socket.send(data, { binary }));
  socket.on('error', () => {}); // without it a client's first wrong frame is the end of the process
});
server.on('listening', () => console.log(`port ${server.address().port}`));
