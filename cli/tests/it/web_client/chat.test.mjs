// chat.js over sockets that these tests script: `node chat.test.mjs PATH-OF-CHAT.JS`.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { webcrypto } from 'node:crypto';
import { Chat, Clock, socketsOf, ulid } from './fakes.mjs';

globalThis.crypto ??= webcrypto;
const path = process.env.CHAT_JS;
const { ChatClient, ChatError, PROTOCOL } = await import(pathToFileURL(path));

const SAY = { key: 'say', text: 'message', receivers: 'room', envelope: true, history: true };
const REQUESTS = { history: 'history', delete: 'delete', who: 'who', kick: 'kick' };
const URL_ = 'ws://chat.invalid/v1';

/** A test with a clock of its own. */
function clocked(name, run, seed) {
  test(name, async () => {
    const clock = new Clock(seed);
    try { await run(clock); } finally { clock.restore(); }
  });
}
/** A client whose sockets are scripted, and the events that it tells. */
function scripted(options = {}, opens) {
  const network = socketsOf(opens);
  const chat = new ChatClient({ url: URL_, from: 'Ann', WebSocket: network.Socket, ...options });
  const events = [];
  for (const event of ['state', 'notice', 'error', 'people', 'presence']) chat.on(event, (...what) => events.push([event, ...what]));
  return { chat, network, events };
}
const textsOf = chat => chat.messages.map(({ text }) => text);
const token = expiry => `e30.${Buffer.from(JSON.stringify({ sub: 'Ann', exp: Math.floor(expiry / 1000) })).toString('base64url')}.c2ln`;
const entry = (clock, text, more = {}) => ({ type: 'message', id: ulid(clock.now++, clock.random), route: 'say', from: 'Bob', room: 'kitchen', text, at: new Date(clock.now).toISOString(), ...more });

clocked('a handshake says the names and shows the token where a browser can', async clock => {
  const { chat, network } = scripted({ room: 'the kitchen', to: 'Bob', token: async () => token(clock.now + 3_600_000) });
  chat.connect();
  await clock.pass(10);
  const { address, protocols } = network.last();
  assert.equal(address.search, '?msgfrom=Ann&msgto=Bob&msgroom=the+kitchen');
  assert.deepEqual(protocols, ['chatctl', PROTOCOL.subprotocolToken + chat.token]);
  assert.equal(chat.state, 'open');
});

clocked('waits are random parts of a time that doubles up to half a minute, and end with disconnect', async clock => {
  const { chat, events } = scripted({}, socket => setTimeout(() => socket.ends(), 1));
  Math.random = () => 1;
  chat.connect();
  await clock.pass(200_000);
  const waits = events.filter(([, state]) => state === 'waiting');
  const spans = waits.map(([, , { until, code }]) => [Math.round((until - clock.now + 200_000) / 1000), code]);
  const ends = [1, 3, 7, 15, 31, 61, 91];
  assert.deepEqual(spans.slice(0, 7).map(([end]) => end), ends);
  assert.ok(spans.every(([, code]) => code === 'Refused'));
  chat.disconnect();
  const before = events.length;
  await clock.pass(100_000);
  assert.equal(events.length, before);
  assert.equal(chat.state, 'off');
});

clocked('a receipt resolves, a refusal rejects with its reason, and silence fails after a time', async clock => {
  const { chat, network } = scripted({ routes: [{ ...SAY, history: false }], answerWithin: 10_000 });
  chat.connect();
  await clock.pass(10);
  const [first, second, third] = ['one', 'two', 'three'].map(text => chat.send(text));
  assert.deepEqual(chat.messages.map(({ status }) => status), ['sending', 'sending', 'sending']);
  const socket = network.last(), [a, b] = socket.sent;
  assert.deepEqual(a, { action: 'say', message: 'one', ref: a.ref });
  socket.receives({ type: 'sent', ref: a.ref, id: ulid(clock.now, clock.random), delivered: 2, stored: false });
  socket.receives({ error: 'Refused', message: 'no such words here', route: 'say', ref: b.ref });
  assert.equal((await first).delivered, 2);
  await assert.rejects(second, { code: 'Refused', message: 'no such words here' });
  const late = assert.rejects(third, { code: 'NoAnswer' });
  await clock.pass(10_000);
  await late;
  assert.deepEqual(chat.messages.map(({ status }) => status), ['sent', 'failed', 'failed']);
  await assert.rejects(chat.send('x'.repeat(40_000)), { code: 'TooLong' });
  assert.equal(chat.messages.length, 3, 'what is too long is no message');
  // A receipt that comes late all the same.
  socket.receives({ type: 'sent', ref: chat.messages[2].ref, id: ulid(clock.now, clock.random), delivered: 1, stored: false });
  assert.equal(chat.messages[2].status, 'sent');
  chat.disconnect();
  await assert.rejects(chat.send('x'), error => error instanceof ChatError && error.code === 'NotConnected');
});

clocked('a token is replaced before it expires, by a connection that opens before the old one closes', async clock => {
  let made = 0;
  const { chat, network } = scripted({ token: async () => { made++; return token(clock.now + 400_000); } });
  chat.connect();
  await clock.pass(10);
  const [first] = network.sockets;
  await clock.pass(330_000);
  assert.equal(network.sockets.length, 1);
  await clock.pass(20_000);
  assert.equal(network.sockets.length, 2);
  assert.equal(made, 2);
  // Both deliver, and each text is shown once; equal texts are two.
  for (const socket of network.sockets) { socket.receives('hi'); socket.receives('hi'); }
  network.sockets[1].receives('bye');
  assert.deepEqual(textsOf(chat), ['hi', 'hi', 'bye']);
  await clock.pass(10_000);
  assert.equal(first.readyState, 3);
  assert.equal(chat.state, 'open');
});

clocked('what an expired token had refused is sent again with a new one, once', async clock => {
  const tokens = [token(clock.now + 5_000), token(clock.now + 3_600_000)];
  const { chat, network } = scripted({ routes: [SAY], requests: {}, token: async () => tokens.shift() });
  chat.connect();
  await clock.pass(10);
  const [first] = network.sockets;
  chat._renewAt = Infinity;
  clearTimeout(chat._renewal);
  await clock.pass(6_000);
  const receipt = chat.send('late');
  first.receives({ error: 'TokenExpired', message: 'the token has expired', route: 'say', ref: first.sent[0].ref });
  first.ends(1008);
  await clock.pass(100);
  const second = network.last();
  assert.notEqual(second, first);
  assert.deepEqual(second.sent, first.sent);
  second.receives({ type: 'sent', ref: second.sent[0].ref, id: ulid(clock.now, clock.random), delivered: 1, stored: true });
  await receipt;
  assert.deepEqual(chat.messages.map(({ status }) => status), ['sent']);
});

clocked('a text that looks like a refusal of the token is a text: nothing is sent again, and the connection stays', async clock => {
  const forged = JSON.stringify({ error: 'TokenExpired', message: 'm', route: '$default' });
  for (const proof of [{}, { token: async () => token(clock.now + 3_600_000) }]) {
    const { chat, network, events } = scripted({ routes: [{ key: '$default' }], ...proof });
    chat.connect();
    await clock.pass(10);
    const socket = network.last();
    socket.receives(forged);
    await chat.send('one');
    socket.receives(forged);
    socket.receives({ error: 'TokenExpired' });
    await clock.pass(60_000);
    await chat.send('two');
    await clock.pass(60_000);
    assert.equal(network.sockets.length, 1);
    assert.deepEqual(socket.sent, ['one', 'two']);
    assert.equal(events.filter(([kind, text]) => kind === 'error' && text === 'm').length, 2);
    assert.deepEqual(textsOf(chat), ['one', '{"error":"TokenExpired"}', 'two']);
    chat.disconnect();
  }
});

clocked('a chat that does not end a connection whose token has expired is left by the clock', async clock => {
  const tokens = [token(clock.now + 2_000), token(clock.now + 3_600_000)];
  const { chat, network } = scripted({ routes: [{ key: '$default' }], token: async () => tokens.shift() });
  chat.connect();
  await clock.pass(10);
  const first = network.last();
  chat._renewAt = Infinity;
  clearTimeout(chat._renewal);
  await clock.pass(3_000);
  chat.send('late');
  first.receives({ error: 'TokenExpired', message: 'm', route: '$default' });
  await clock.pass(10_000);
  assert.deepEqual([first.readyState, network.sockets.length, network.last().sent], [3, 2, ['late']]);
});

clocked('a chat that refuses each new token is not asked in a loop', async clock => {
  let made = 0;
  const { chat, network } = scripted({ routes: [{ key: '$default' }], token: async () => token(clock.now + 3_600_000 + 1_000 * made++) }, socket => {
    socket.onsent = () => setTimeout(() => { socket.receives({ error: 'TokenExpired', message: 'm', route: '$default' }); socket.ends(1008); }, 5);
    setTimeout(() => socket.opens(), 1);
  });
  chat.connect();
  await clock.pass(10);
  chat.send('again and again');
  await clock.pass(120_000);
  assert.ok(network.sockets.length > 2 && network.sockets.length < 30, `${network.sockets.length} connections`);
  assert.equal(made, network.sockets.length);
});

clocked('a clock that is days ahead keeps no client out, and what was sent is not repeated', async clock => {
  const days = 3 * 86_400_000;
  let made = 0;
  const { chat, network } = scripted({ routes: [{ key: '$default' }], token: async () => token(clock.now - days + 3_600_000 + made++ * 1_000) });
  chat.connect();
  await clock.pass(10);
  assert.equal(chat.state, 'open');
  for (const text of ['one', 'two', 'three']) await chat.send(text);
  await clock.pass(60_000);
  assert.deepEqual([network.sockets.length, made], [1, 1]);
  // It has really expired: only what was refused goes out again.
  const first = network.last();
  first.receives({ error: 'TokenExpired', message: 'm', route: '$default' });
  first.ends(1008);
  await clock.pass(10_000);
  assert.deepEqual(network.last().sent, ['three']);
  assert.deepEqual([network.sockets.length, made], [2, 2]);
});

clocked('a new token that the chat refuses is not tried in a loop', async clock => {
  let made = 0;
  const { chat, network, events } = scripted({ token: async () => token(clock.now - 100_000 + made++) }, socket => setTimeout(() => socket.ends(), 1));
  chat.connect();
  await clock.pass(120_000);
  assert.ok(network.sockets.length < 20, `${network.sockets.length} connections`);
  assert.deepEqual(events.at(-1)[2].code, 'TokenExpired');
});

clocked('what makes tokens may fail for a time, or not answer at all, and only its own word ends the chat', async clock => {
  const outcomes = [
    () => { throw new TypeError('fetch failed'); },
    () => { throw new Error('status 503'); },
    () => Promise.reject('a text'),
    () => new Promise(() => {}),
    async () => token(clock.now + 3_600_000),
    () => { throw new Error('status 500'); },
    () => new Promise(() => {}),
    async () => { throw new ChatError('Blocked', 'You may not come back.'); },
  ];
  const { chat, network, events } = scripted({ token: () => outcomes.shift()() });
  chat.connect();
  await clock.pass(100_000);
  assert.equal(chat.state, 'open');
  const why = events.filter(([, state]) => state === 'waiting').map(([, , { code, message }]) => [code, message]);
  assert.deepEqual(why, ['fetch failed', 'status 503', 'a text', 'No answer came.'].map(text => ['NoNewToken', text]));
  chat._renewAt = 0;
  network.last().ends();
  await clock.pass(200_000);
  assert.deepEqual(events.at(-1), ['state', 'off', { code: 'Blocked', message: 'You may not come back.' }]);
});

clocked('a connection is replaced when the network is back, and the old one stays where that fails', async clock => {
  let isDown = false;
  const { chat, network } = scripted({}, socket => setTimeout(() => isDown ? socket.ends() : socket.opens(), 1));
  chat.connect();
  await clock.pass(10);
  isDown = true;
  chat.retryNow();
  chat.retryNow();
  await clock.pass(10);
  assert.deepEqual([network.sockets.length, chat.state, network.sockets[0].readyState], [2, 'open', 1]);
  isDown = false;
  chat.retryNow();
  await clock.pass(10_000);
  assert.deepEqual([chat.state, network.sockets[0].readyState, network.last().readyState], ['open', 3, 1]);
  await chat.send('still here');
  assert.deepEqual(network.last().sent, ['still here']);
});

clocked('a listener that fails stops neither the client nor the other listeners', async clock => {
  const reported = [];
  globalThis.reportError = error => reported.push(error.message);
  try {
    const { chat, network } = scripted();
    for (const event of ['state', 'message']) chat.on(event, () => { throw new Error(event); });
    const seen = [];
    chat.on('message', ({ text }) => seen.push(text));
    chat.connect();
    await clock.pass(10);
    network.last().receives('hi');
    assert.deepEqual([seen, reported], [['hi'], ['state', 'state', 'message']]);
    await clock.pass(9 * 60_000);
    assert.equal(network.sockets.length, 2, 'it is renewed');
  } finally { delete globalThis.reportError; }
});

clocked('frames that no chat sends break nothing', async clock => {
  const { chat, network } = scripted({ room: 'kitchen', routes: [SAY], requests: REQUESTS });
  const places = [];
  chat.on('message', message => places.push(message));
  chat.connect();
  await clock.pass(10);
  const socket = network.last(), id = ulid(clock.now, clock.random);
  const odd = [null, 7, true, '', 'x', [], [1], {}, { a: { b: 1 } }, 'NaN', '\u202eevil', '<img src=x onerror=alert(1)>', '\ud800', 'x'.repeat(100_000)];
  const shapes = value => [
    { type: value }, { type: 'message', id: value, text: 'x' }, { type: 'message', id, text: value }, { type: 'message', id: id + '1', text: 'x', at: value, from: value, room: value, to: value, attributes: value },
    { type: 'deleted', id, of: value, by: value, at: value }, { type: 'deleted', id, of: id + '2', by: value, at: value }, { type: 'sent', ref: value, id: value }, { type: 'presence', arrived: value, left: value, people: value },
    { type: 'presence', arrived: [value], left: [value], people: value }, { type: 'history', entries: value, ref: value }, { type: 'who', people: value, ref: value }, { error: value, message: value, ref: value },
    { error: 'Kicked', message: value }, { error: 'TokenExpired', message: value }, value,
  ];
  const requests = socket.sent.map(({ ref }) => ref);
  for (const value of odd) {
    for (const shape of shapes(value)) socket.receives(JSON.stringify(shape));
    for (const answer of [value, { type: 'history', entries: value }, { type: 'history', entries: [value, null, { type: 'message' }], more: value }, { type: 'who', people: value, next: value }, { type: 'who', people: [value], next: value }]) {
      for (const ref of requests) socket.receives(JSON.stringify({ ...(answer && typeof answer === 'object' ? answer : { answer }), ref }));
      await clock.settle();
      for (const { ref } of socket.sent) if (ref && !requests.includes(ref)) requests.push(ref);
    }
  }
  for (const text of ['{"__proto__":{"isPolluted":1},"type":"message","id":"' + id + '3","text":"x","attributes":{"__proto__":{"isPolluted":1},"constructor":"x"}}', '{', '{"type":"message"', '\u0000', '{"a":'.repeat(20_000)]) socket.receives(text);
  assert.equal({}.isPolluted, undefined);
  await clock.pass(100_000);
  for (const message of places) assert.ok(message.at.toISOString() && typeof message.text === 'string');
  // It still works.
  const last = network.last();
  const receipt = chat.send('still here');
  const { ref } = last.sent.at(-1);
  last.receives({ type: 'sent', ref, id: ulid(clock.now, clock.random), delivered: 1, stored: true });
  assert.equal((await receipt).delivered, 1);
  assert.equal(chat.state, 'open');
});

clocked('a client without a new token stops and says so', async clock => {
  const only = token(clock.now + 5_000);
  const { chat, network, events } = scripted({ token: async () => only });
  chat.connect();
  await clock.pass(6_000);
  network.last().ends(1008);
  await clock.pass(100);
  assert.deepEqual(events.at(-1), ['state', 'off', { code: 'TokenExpired', message: 'The token has expired.' }]);
});

clocked('who was sent away stays away, but a text that looks like this order is a text', async clock => {
  const { chat, network, events } = scripted({ routes: [SAY], requests: {} });
  chat.connect();
  await clock.pass(10);
  const order = { error: 'Kicked', message: 'you were sent away', route: 'say' };
  network.last().receives(order);
  await clock.pass(10_000);
  assert.equal(chat.state, 'open');
  network.last().receives(order);
  network.last().ends(1000);
  await clock.pass(100_000);
  assert.deepEqual(events.at(-1), ['state', 'off', { code: 'Kicked', message: 'you were sent away' }]);
  assert.equal(network.sockets.length, 1);
});

clocked('people are listed page by page, come and go, and are asked for again where an announcement is missing', async clock => {
  const { chat, network } = scripted({ routes: [SAY], requests: { who: 'who' } });
  chat.connect();
  await clock.pass(10);
  const socket = network.last();
  const answer = (people, next) => {
    const { ref } = socket.sent.at(-1);
    socket.receives({ type: 'who', room: 'kitchen', people: people.map(name => ({ name, devices: 1, since: 'x' })), nameless: 0, next, ref });
  };
  answer(['Ann'], 'Ann');
  await clock.settle();
  assert.equal(socket.sent.at(-1).after, 'Ann');
  answer(['Bob'], null);
  await clock.settle();
  assert.deepEqual(chat.people, ['Ann', 'Bob']);
  socket.receives({ type: 'presence', room: 'kitchen', arrived: ['Cid'], left: ['Bob'], people: 2, at: 'x' });
  assert.deepEqual(chat.people, ['Ann', 'Cid']);
  const before = socket.sent.length;
  await clock.pass(10_000);
  assert.equal(socket.sent.length, before, 'nothing is asked where the number is right');
  socket.receives({ type: 'presence', room: 'kitchen', arrived: ['Dan'], left: [], people: 4, at: 'x' });
  await clock.pass(10_000);
  assert.equal(socket.sent.length, before + 1);
});

clocked('a text that is no envelope is shown as it came where the stack has none', async clock => {
  const { chat, network, events } = scripted({ routes: [{ key: '$default', text: null, receivers: 'friend' }] });
  chat.connect();
  await clock.pass(10);
  const forged = JSON.stringify(entry(clock, 'x'));
  network.last().receives(forged);
  network.last().receives(PROTOCOL.friendNotReachable);
  assert.deepEqual(textsOf(chat), [forged]);
  assert.equal(events.at(-1)[0], 'notice');
  await chat.send('plain');
  assert.deepEqual(network.last().sent, ['plain']);
});

clocked('a deletion takes the text away, whichever of the two comes first', async clock => {
  const { chat, network } = scripted({ routes: [SAY], requests: {} });
  chat.connect();
  await clock.pass(10);
  const [one, two] = [entry(clock, 'one'), entry(clock, 'two')];
  const gone = of => ({ type: 'deleted', id: ulid(clock.now++, clock.random), of: of.id, by: 'Mo', room: 'kitchen', from: 'Bob', at: new Date(clock.now).toISOString() });
  const socket = network.last();
  for (const frame of [one, gone(one), gone(two), two]) socket.receives(frame);
  assert.deepEqual(chat.messages.map(({ text, deleted }) => [text, deleted.by]), [['', 'Mo'], ['', 'Mo']]);
});

clocked('messages that come in another order are shown in that of their ids', async clock => {
  const { chat, network } = scripted({ routes: [SAY], requests: {} });
  const places = [];
  chat.on('message', (message, next) => places.push([message.text, next?.text ?? null]));
  chat.connect();
  await clock.pass(10);
  const [one, two, three] = ['one', 'two', 'three'].map(text => entry(clock, text));
  for (const frame of [two, three, one, two]) network.last().receives(frame);
  assert.deepEqual(textsOf(chat), ['one', 'two', 'three']);
  assert.deepEqual(places, [['two', null], ['three', null], ['one', 'two']]);
});

clocked('older pages come on demand until there are no more', async clock => {
  const server = new Chat(clock, { page: 20 });
  server.entries = Array.from({ length: 50 }, (_, i) => entry(clock, String(i)));
  const chat = new ChatClient({ url: URL_, from: 'Ann', room: 'kitchen', routes: [SAY], requests: { history: 'history' }, WebSocket: server.network.Socket });
  chat.connect();
  await clock.pass(2_000);
  assert.deepEqual([chat.messages.length, chat.hasOlder, textsOf(chat)[0]], [20, true, '30']);
  // Asked twice at once, it is read once.
  const both = Promise.all([chat.older(), chat.older()]);
  await clock.pass(2_000);
  assert.deepEqual([await both, chat.messages.length], [[true, true], 40]);
  const last = chat.older();
  await clock.pass(2_000);
  assert.equal(await last, false);
  assert.deepEqual(textsOf(chat), Array.from({ length: 50 }, (_, i) => String(i)));
});

clocked('a chat that was empty misses nothing of what came while the client was away', async clock => {
  const server = new Chat(clock, { page: 20 });
  const chat = new ChatClient({ url: URL_, from: 'Ann', room: 'kitchen', routes: [SAY], requests: { history: 'history' }, WebSocket: server.network.Socket });
  chat.connect();
  await clock.pass(2_000);
  server.kills(server.network.last());
  server.entries = Array.from({ length: 90 }, (_, i) => entry(clock, String(i)));
  await clock.pass(60_000);
  assert.equal(chat.messages.length, 90);
});

clocked('a message without a receipt is found in the history after a reconnect, and is no second one', async clock => {
  const server = new Chat(clock);
  const chat = new ChatClient({ url: URL_, from: 'Ann', room: 'kitchen', routes: [SAY], requests: { history: 'history' }, WebSocket: server.network.Socket });
  chat.connect();
  await clock.pass(2_000);
  server.posts = (posts => (socket, frame) => frame.type === 'sent' || posts.call(server, socket, frame))(server.posts);
  const receipt = chat.send('did it arrive?');
  await clock.pass(500);
  server.kills(server.network.last());
  const lost = chat.send('never sent').catch(error => error.code);
  await clock.pass(60_000);
  await receipt;
  assert.equal(await lost, 'NotConnected');
  assert.deepEqual(chat.messages.map(({ text, status, stored }) => [text, status, stored]), [['did it arrive?', 'sent', true]]);
});

clocked('a connection that is lost while pages are read goes on where they ended, whatever came live meanwhile', async clock => {
  const server = new Chat(clock, { page: 10 });
  const chat = new ChatClient({ url: URL_, from: 'Ann', room: 'kitchen', routes: [SAY], requests: { history: 'history' }, WebSocket: server.network.Socket });
  chat.connect();
  await clock.pass(2_000);
  const first = server.network.last();
  first.ends();
  server.connections.clear();
  // A message each three seconds, while this client is away.
  server.entries = Array.from({ length: 200 }, (_, i) => { clock.now += 3_000; return entry(clock, String(i)); });
  const until = async isSo => { while (!isSo()) await clock.pass(10); };
  await until(() => chat.messages.length >= 30);
  assert.ok(chat.messages.length < 100);
  server.keeps(null, entry(clock, 'live'), () => {});
  await until(() => textsOf(chat).includes('live'));
  assert.ok(chat.messages.length < 150);
  server.kills(server.network.last());
  await clock.pass(100_000);
  assert.deepEqual(textsOf(chat), [...Array.from({ length: 200 }, (_, i) => String(i)), 'live']);
});

/** What a screen shows, which follows the events alone. */
function screenOf(chat) {
  const rows = [];
  const put = (message, next) => {
    const old = rows.indexOf(message);
    if (old >= 0) rows.splice(old, 1);
    const place = next ? rows.indexOf(next) : -1;
    rows.splice(place < 0 ? rows.length : place, 0, message);
  };
  chat.on('message', put);
  chat.on('changed', put);
  chat.on('removed', message => rows.splice(rows.indexOf(message), 1));
  return rows;
}

for (let seed = 1; seed <= 60; seed++) {
  clocked(`every message is on every screen once and in order, whatever happens to connections (${seed})`, async clock => {
    const server = new Chat(clock, { lateness: 29_000, page: 3 + Math.floor(clock.random() * 30) });
    const clients = ['Ann', 'Bob', 'Ann'].map(from => {
      const chat = new ChatClient({ url: URL_, from, room: 'kitchen', routes: [SAY], requests: { history: 'history', delete: 'delete' }, WebSocket: server.network.Socket });
      return { chat, rows: screenOf(chat) };
    });
    for (const { chat } of clients) chat.connect();
    let count = 0;
    for (let step = 0; step < 150; step++) {
      await clock.pass(clock.random() * 2_000);
      const { chat } = clients[Math.floor(clock.random() * clients.length)];
      const chance = clock.random();
      if (chance < 0.6) chat.send(`message ${count++}`).catch(() => {});
      else if (chance < 0.75) server.network.sockets.filter(one => one.readyState < 3).forEach(one => { if (clock.random() < 0.5) server.kills(one); });
      else if (chance < 0.8) {
        const own = chat.messages.find(message => message.id && message.own && !message.deleted);
        if (own) chat.delete(own).catch(() => {});
      } else if (chance < 0.85) chat.older().catch(() => {});
    }
    // What is under way arrives; one more look at it covers what was written late.
    await clock.pass(120_000);
    for (const socket of server.network.sockets.filter(one => one.readyState < 3)) server.kills(socket);
    await clock.pass(120_000);
    for (const { chat, rows } of clients) {
      while (chat.hasOlder) {
        const older = chat.older();
        await clock.pass(2_000);
        await older;
      }
      assert.equal(chat.state, 'open');
      const kept = server.entries.filter(({ type }) => type === 'message').map(({ id }) => id);
      const known = chat.messages.filter(({ id, deleted }) => id && !deleted).map(({ id }) => id);
      assert.deepEqual(known, kept);
      assert.deepEqual(rows.map(({ id, text }) => id ?? text), chat.messages.map(({ id, text }) => id ?? text));
      const ids = chat.messages.flatMap(({ id }) => id ?? []);
      assert.deepEqual(ids, [...ids].sort());
      // What has no id was never kept, and says so.
      const texts = new Set(server.entries.map(({ text }) => text));
      for (const { text, status } of chat.messages.filter(({ id }) => !id)) assert.deepEqual([status, texts.has(text)], ['failed', false]);
    }
    assert.ok(count > 50, `${count} messages`);
  }, seed);
}

test('the types name what there is', () => {
  const types = readFileSync(path.replace(/\.js$/, '.d.ts'), 'utf8');
  const inside = types.split('export declare class ChatClient {')[1].split('\n}')[0];
  const declared = [...inside.matchAll(/^ {2}(?:get |readonly )?(\w+)[(:?<]/gm)].map(([, name]) => name).filter(name => name !== 'constructor');
  const chat = new ChatClient({ url: URL_ });
  const members = [...Object.getOwnPropertyNames(ChatClient.prototype), ...Object.keys(chat)].filter(name => name !== 'constructor' && !name.startsWith('_'));
  assert.deepEqual([...new Set(declared)].sort(), [...new Set([...members])].sort());
});
