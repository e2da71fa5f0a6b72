// Node's `ws` in front of the proxy: node client.cjs URL. The app behind is harness/app.py's EchoApp.
// Prints one line for each offer; throws at the first thing that is not as it should be.
'use strict';

const assert = require('node:assert');
const crypto = require('node:crypto');
const { once } = require('node:events');
const WebSocket = require('ws');

const url = process.argv[2];
const SIZES = [0, 1, 31, 32, 125, 126, 1000, 65535, 65536, 200000, 1 << 20];

// What the client asks for, and what has to stand in the answer besides the name.
const OFFERS = [
  { ask: true, answer: ['client_max_window_bits=12'] },
  { ask: { threshold: 0 }, answer: ['client_max_window_bits=12'] },
  { ask: { threshold: 0, serverNoContextTakeover: true }, answer: ['server_no_context_takeover'] },
  { ask: { threshold: 0, clientNoContextTakeover: true, serverNoContextTakeover: true },
    answer: ['server_no_context_takeover', 'client_no_context_takeover'] },
  { ask: { threshold: 0, serverMaxWindowBits: 9 }, answer: ['server_max_window_bits=9'] },
  { ask: { threshold: 0, clientMaxWindowBits: 9 }, answer: ['client_max_window_bits=9'] },
  { ask: { threshold: 0, serverMaxWindowBits: 11, clientMaxWindowBits: 10, serverNoContextTakeover: true },
    answer: ['server_max_window_bits=11', 'client_max_window_bits=10', 'server_no_context_takeover'] },
];

function text(size) {
  const words = 'order price größe 日本 🙂 update {"type":"chat"} '.repeat(size / 20 + 1);
  return words.slice(0, size).replace(/[\ud800-\udbff]$/, 'x');
}

/** Messages in the order they came, for whoever asks next. */
class Inbox {
  constructor(socket) {
    this.waiting = [];
    this.messages = [];
    socket.on('message', (data, isBinary) => {
      const message = isBinary ? data : data.toString();
      const taker = this.waiting.shift();
      if (taker) taker(message); else this.messages.push(message);
    });
  }

  next() {
    if (this.messages.length > 0) return Promise.resolve(this.messages.shift());
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}

async function open(perMessageDeflate) {
  const socket = new WebSocket(`${url}/node`, { perMessageDeflate });
  const inbox = new Inbox(socket);
  let answer;
  socket.on('upgrade', (response) => { answer = response.headers['sec-websocket-extensions']; });
  await once(socket, 'open');
  return { socket, inbox, answer };
}

async function roundTrips({ socket, inbox }) {
  for (const size of SIZES) {
    for (const sent of [text(size), crypto.randomBytes(size)]) {
      socket.send(sent);
      assert.deepStrictEqual(await inbox.next(), sent, `a message of ${size}`);
    }
  }
}

async function conversation({ socket, inbox }) {
  for (let turn = 0; turn < 300; turn++) {
    const sent = `{"turn":${turn},"text":"${text(20 + (turn * 37) % 400)}"}`;
    socket.send(sent);
    assert.strictEqual(await inbox.next(), sent, `turn ${turn}`);
  }
  socket.send('/feed 500 the same news for everyone, again and again');
  for (let turn = 0; turn < 500; turn++) {
    assert.strictEqual(await inbox.next(), `${turn} the same news for everyone, again and again`);
  }
}

async function fragments({ socket, inbox }) {
  const parts = ['first part, ', '', 'größe, '.repeat(50), 'last'];
  parts.forEach((part, at) => {
    socket.send(part, { fin: at === parts.length - 1 });
    if (at === 1) socket.ping('between');
  });
  assert.strictEqual(await inbox.next(), parts.join(''));
  socket.send(`/fragments 7 ${text(3000)}`);
  assert.strictEqual(await inbox.next(), text(3000));
}

async function pings({ socket, inbox }) {
  const pong = once(socket, 'pong');
  socket.ping('are you there');
  assert.strictEqual((await pong)[0].toString(), 'are you there');
  const ping = once(socket, 'ping');
  socket.send('/ping and you');
  assert.strictEqual((await ping)[0].toString(), 'and you');
  socket.send('/pongs');
  assert.ok(Number(await inbox.next()) >= 1, 'the app had no pong');
}

async function closedByApp({ socket }) {
  const closed = once(socket, 'close');
  socket.send('/close 4001 bye größe');
  const [code, reason] = await closed;
  assert.deepStrictEqual([code, reason.toString()], [4001, 'bye größe']);
}

async function closedByClient({ socket }) {
  const closed = once(socket, 'close');
  socket.close(3999, 'enough');
  const [code, reason] = await closed;
  assert.deepStrictEqual([code, reason.toString()], [3999, 'enough']);
}

async function lostApp({ socket }) {
  const closed = once(socket, 'close');
  socket.send('/vanish');
  assert.strictEqual((await closed)[0], 1011);
}

async function tryOffer({ ask, answer }) {
  const connection = await open(ask);
  assert.strictEqual(connection.socket.extensions, 'permessage-deflate');
  const parameters = connection.answer.split(';').map((part) => part.trim());
  for (const wanted of answer) assert.ok(parameters.includes(wanted), `${wanted} is not in ${connection.answer}`);
  await roundTrips(connection);
  await conversation(connection);
  await fragments(connection);
  await pings(connection);
  await closedByApp(connection);
  console.log(`ok: ${JSON.stringify(ask)} got ${connection.answer}`);
}

async function withoutCompression() {
  const connection = await open(false);
  assert.strictEqual(connection.socket.extensions, '');
  assert.strictEqual(connection.answer, undefined);
  await roundTrips(connection);
  await closedByClient(connection);
  console.log('ok: no offer, no answer');
}

async function main() {
  // A promise that nobody will ever keep lets the process end quietly: that is a failure until the last line.
  process.exitCode = 1;
  for (const offer of OFFERS) await tryOffer(offer);
  await withoutCompression();
  await closedByClient(await open(true));
  await lostApp(await open(true));
  console.log(`ok: closing, with ws ${require('ws/package.json').version}`);
  process.exitCode = 0;
}

main().catch((problem) => { console.error(problem); process.exit(1); });
