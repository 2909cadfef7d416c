// @ts-check
/**
 * A client for any chatctl chat: one ES module without dependencies and without a build step. It runs in browsers and in
 * Node.js (22 and newer; older ones with a `WebSocket` implementation in the options). `chat.d.ts` has its types.
 *
 *     import { ChatClient } from './chat.js';
 *
 *     const chat = new ChatClient({
 *       url: 'wss://….execute-api.us-east-1.amazonaws.com/v1',
 *       room: 'kitchen',
 *       token: () => newToken(),                                   // called again before the token expires
 *       routes: [{ key: 'say', text: 'message', receivers: 'room', envelope: true, history: true }],
 *       requests: { history: 'history', delete: 'delete', who: 'who' },
 *     });
 *     chat.on('message', (message, next) => show(message, next));    // `next`: the message that follows it, or null
 *     chat.on('changed', (message, next) => show(message, next));    // its status, its place, or its deletion
 *     chat.connect();
 *     await chat.send('Tea is ready');                               // resolves with the receipt
 *     await chat.older();                                            // a page of what was said before
 *
 * A connection that is lost is opened again, after random waits that double up to half a minute; a quiet one is replaced
 * before API Gateway ends it. Where routes have `envelope` and `history`, each message is in `messages` exactly once and in
 * the order of ids, whatever happens to connections. Texts are the words of other people: show them by `textContent` only.
 */

/** What every chat of chatctl agrees on with its clients; a test compares it with the crate chat-protocol. */
export const PROTOCOL = {"handshake":{"from":"msgfrom","to":"msgto","room":"msgroom"},"nameCharacters":64,"namePunctuation":" ._@+'-","everybody":"everybody","frameBytes":32768,"friendNotReachable":"Your friend is not reachable. Connect from the other terminal and then try again","subprotocol":"chatctl","subprotocolToken":"chatctl.token.","tokenExpired":"TokenExpired"};

const MINUTE = 60_000;
// API Gateway ends a connection at a frame of more than 32 KB, after 10 minutes without a message, and after 2 hours.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
const QUIET = 8 * MINUTE, AGE = 110 * MINUTE;
// For so long both connections are listened to when one replaces the other: messages may be under way to the old one.
const OVERLAP = 3_000;
// How long a server may take to end a connection whose token has expired.
const ENDING = 5_000;
const FIRST_WAIT = 1_000, LONGEST_WAIT = 30_000, STABLE = 10_000;
// A token is replaced this long before it expires, but not before three quarters of its time.
const TOKEN_MARGIN = MINUTE;
// How long a receipt or an answer may take. API Gateway's integrations take 29 seconds at most.
const ANSWER = 30_000;
// How long a new token may take.
const TOKEN_PATIENCE = 30_000;
// Entries of a page of history, the attempts to read one, and the wait between two looks at who is here.
const PAGE = 50, PAGE_ATTEMPTS = 5, PEOPLE_WAIT = 5_000;
// Later than nothing: an id that every message is newer than.
const BEGINNING = '0'.repeat(26);
// Frames that are remembered, in case that an expired token has them refused.
const REMEMBERED = 64;

/** A failure with a `code`: an error word of the chat, or `Closed`, `NoAnswer`, `NotConnected`, `TooLong`. */
export class ChatError extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = 'ChatError';
    this.code = code;
  }
}

/** The claims of a token, unproven: `{}` if it has none that can be read. */
export function claimsOf(/** @type {string} */ token) {
  try {
    const bytes = atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes, c => c.charCodeAt(0)))) ?? {};
  } catch { return {}; }
}

/** The size of a text on the wire. */
export const bytesOf = (/** @type {string} */ text) => new TextEncoder().encode(text).length;

const randomText = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), byte => (byte % 36).toString(36)).join('');
const expiryOf = (/** @type {string} */ token) => {
  const { exp } = claimsOf(token);
  return Number.isFinite(exp) ? exp * 1000 : Infinity;
};
const parsed = data => {
  if (typeof data !== 'string' || !data.startsWith('{')) return null;
  try { return JSON.parse(data); } catch { return null; }
};
const hasTexts = (object, ...names) => names.every(name => typeof object?.[name] === 'string');
/** Whether it is a message or a deletion. */
const isEntry = object => hasTexts(object, 'id', 'type') && (object.type === 'message' ? hasTexts(object, 'text') : object.type === 'deleted' && hasTexts(object, 'of'));
/** The moment of `at`; now, if it is none. */
const momentOf = at => {
  const moment = new Date(at ?? Date.now());
  return isNaN(moment.getTime()) ? new Date(Date.now()) : moment;
};
/** What `promise` resolves with, if that does not take too long. */
const within = (time, promise) => {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error('No answer came.')), time); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

/** @typedef {import('./chat.d.ts').Message} Message */

export class ChatClient {
  /** @param {import('./chat.d.ts').ChatOptions} options */
  constructor(options) {
    this.options = options;
    /** @type {'off' | 'connecting' | 'open' | 'waiting'} */
    this.state = 'off';
    /** Every message that is known: in the order of ids; without an id, in the order in which they came.
     * @type {Message[]} */
    this.messages = [];
    /** Who is here, by name; `null` where it is not known. */
    this.people = null;
    /** How many people are here; `null` where it is not known. */
    this.peopleCount = null;
    /** Connections without a name. */
    this.nameless = 0;
    this.token = '';

    this._listeners = {};
    this._wanted = false;
    this._line = null;       // the socket that messages go out on
    this._next = null;       // the one that is to replace it, until it is open
    this._overlap = null;    // while both deliver: what has come over which
    this._attempts = 0;
    this._openedAt = 0;
    this._spokeAt = 0;
    this._everOpen = false;
    this._round = 0;         // counts the attempts to connect, so that one which was given up meanwhile is forgotten
    this._renewAt = 0;       // when the token is to be replaced
    this._refused = 0;       // frames that were refused, as it seems, because the token has expired
    this._withheld = [];     // those refusals, as long as they may be texts of a person
    this._isCertain = false; // whether one of them cannot be
    this._kicked = null;     // what the chat said before it ended the connection for good, and when
    this._pending = new Map();   // by `ref`: messages without a receipt, and requests without an answer
    this._marks = new Map();     // own messages of this client by `ref`, as others see it among the attributes
    this._byId = new Map();
    this._deleted = new Map();   // what was deleted, by the message's id
    this._awaited = [];      // own messages without a receipt that the chat sends back
    this._sent = [];         // the last frames, and when they were sent
    this._unsent = [];       // those that wait for a new token
    this._conversations = conversationsOf(options);
  }

  /** Calls `listener` at each event of this kind; the answer takes it off again.
   * @param {string} event @param {(...what: any[]) => void} listener */
  on(event, listener) {
    const listeners = this._listeners[event] ??= new Set();
    listeners.add(listener);
    return () => listeners.delete(listener);
  }
  _emit(event, ...what) {
    for (const listener of this._listeners[event] ?? []) {
      // A listener that fails must not stop the connection.
      try { listener(...what); } catch (error) {
        if (globalThis.reportError) reportError(error);
        else setTimeout(() => { throw error; });
      }
    }
  }

  // ---- The connection.

  /** Connects, and stays connected until `disconnect`. */
  connect() {
    if (this._wanted) return;
    this._wanted = true;
    this._everOpen = false;
    this._attempts = this._openedAt = 0;
    this._connect();
  }

  /** Ends the connection. What has no receipt yet fails; messages and what is known stay. */
  disconnect() {
    this._stop('Disconnected', '');
  }

  /** Tries to connect now, if the client waits to do so. A connection that is open is replaced: without the network it may
   * have been lost unnoticed. */
  retryNow() {
    if (this.state === 'waiting') this._connect();
    else if (this.state === 'open') this._renew();
  }

  /** The name that the token proves, or that was given. */
  get name() {
    return this.options.from || String(claimsOf(this.token)[this.options.nameClaim ?? 'sub'] ?? '');
  }

  _show(state, detail = {}) {
    this.state = state;
    this._emit('state', state, detail);
  }

  async _connect() {
    clearTimeout(this._retry);
    this._show('connecting');
    const mine = ++this._round;
    const isOver = () => mine !== this._round || !this._wanted;
    try {
      await this._freshToken();
    } catch (error) {
      if (isOver()) return;
      // There is none; any other failure of what makes tokens may pass.
      if (error instanceof ChatError) this._stop(error.code, error.message);
      else this._waitUntil(this._nextAttempt(), 'NoNewToken', String(error?.message ?? error));
      return;
    }
    if (isOver()) return;
    try {
      this._line = this._dial();
    } catch (error) {
      // An address that cannot be dialled stays one.
      this._stop('CannotDial', error.message);
    }
  }

  _isFresh() {
    return Boolean(this.token) && Date.now() < Math.min(this._renewAt, expiryOf(this.token));
  }

  /** Gets a new token, if there is none or it is about to expire. */
  async _freshToken() {
    if (!this.options.token || this._isFresh()) return;
    const token = await within(TOKEN_PATIENCE, this.options.token()) ?? '';
    const left = expiryOf(token) - Date.now();
    // A new one that seems to have expired is tried all the same: this clock may be wrong.
    if (left <= 0 && token === this.token) throw new ChatError(PROTOCOL.tokenExpired, 'The token has expired.');
    // The same one again: there will be no other before it expires. Where the clocks differ, the chat says when it has.
    const isLasting = token === this.token || left <= 0 || left === Infinity;
    this._renewAt = isLasting ? Infinity : Date.now() + left - Math.min(TOKEN_MARGIN, left / 4);
    this.token = token;
  }

  _dial() {
    const Socket = this.options.WebSocket ?? globalThis.WebSocket;
    const { url } = this.options;
    const query = new URLSearchParams();
    for (const [field, name] of Object.entries(PROTOCOL.handshake)) if (this.options[field]) query.set(name, this.options[field]);
    const address = new URL(typeof url === 'function' ? url.call(null) : url);
    address.search = String(query);
    const socket = new Socket(address.href, this.token ? [PROTOCOL.subprotocol, PROTOCOL.subprotocolToken + this.token] : []);
    socket.onopen = () => this._opened(socket);
    socket.onmessage = event => this._received(socket, event.data);
    socket.onclose = event => this._closed(socket, event);
    // A browser reports the same by `close`; an emitter without a listener would throw.
    socket.onerror = () => {};
    return socket;
  }

  _opened(socket) {
    if (socket === this._next) {
      const before = this._line === socket ? null : this._line;
      this._line = socket;
      this._next = null;
      setTimeout(() => { before?.close(1000); this._overlap = null; }, OVERLAP);
    } else if (socket !== this._line) return socket.close(1000);
    this._openedAt = this._spokeAt = Date.now();
    this._everOpen = true;
    this._kicked = null;
    if (this._isCertain) this._takeBack(this._refused);
    else this._trust();
    for (const { data, entry } of this._unsent.splice(0)) this._transmit(data, entry);
    this._show('open');
    this._renewLater();
    for (const conversation of this._conversations) this._catchUp(conversation, socket);
    if (this.options.requests?.who) this._lookWhoIsHere();
  }

  _closed(socket, { code }) {
    if (socket === this._next && socket !== this._line) {
      // The one that is open stays; there is time for another attempt before it is ended.
      this._next = this._overlap = null;
      this._renewal = setTimeout(() => this._renew(), Math.random() * LONGEST_WAIT);
      return;
    }
    if (socket !== this._line) return;
    clearTimeout(this._renewal);
    if (this._refused && this._wanted && !this._next) return this._replaceToken();
    // Only the chat can end a connection: a frame that looks like this order is the text of a person.
    if (this._kicked && Date.now() - this._kicked.at < ENDING) return this._stop('Kicked', this._kicked.message);
    this._doubtAll();
    if (!this._wanted) return;
    if (this._next) {
      // The one that is being opened sends what this one was refused.
      if (this._refused) this._takeBack(this._refused);
      this._line = this._next;
      return this._show('connecting');
    }
    const wasOpen = this._openedAt > 0, isExpired = this._hasExpired();
    if (wasOpen && Date.now() - this._openedAt > STABLE) this._attempts = 0;
    this._openedAt = 0;
    this._overlap = null;
    // One without a time in it may be the reason.
    if (!wasOpen && expiryOf(this.token) === Infinity) this._renewAt = 0;
    if (wasOpen && isExpired) return this._connect();
    const why = wasOpen ? (code === 1009 ? 'TooLong' : 'Lost') : this._everOpen ? 'Unreachable' : 'Refused';
    this._waitUntil(this._nextAttempt(), why);
  }

  /** Full jitter: many clients that lost the same server do not come back at the same moment. */
  _nextAttempt() {
    return Date.now() + Math.random() * Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(this._attempts++, 10));
  }
  _waitUntil(moment, code, message = '') {
    this._show('waiting', { code, message, until: moment });
    this._retry = setTimeout(() => this._connect(), moment - Date.now());
  }

  /** Whether the token has expired since the connection opened; a clock by which it had expired before is wrong. */
  _hasExpired() {
    const expiry = expiryOf(this.token);
    return this._openedAt < expiry && expiry <= Date.now();
  }

  /** A frame is refused because the token has expired, and the chat ends the connection next. Where envelopes are not used, a
   * person's text can look like that, so only the end of the connection, the clock, or the frame's `ref` proves it. */
  _suspect(socket, data, isCertain) {
    this._refused++;
    this._withheld.push(data);
    this._isCertain ||= isCertain;
    if (this._refused > 1) return;
    setTimeout(() => {
      if (socket !== this._line || !this._refused) return;
      // The chat cannot end it; nothing would arrive any more.
      if (this._isCertain || this._hasExpired()) return socket.close(1000);
      this._sent = [];
      this._trust();
    }, ENDING);
  }
  /** The last frames were refused: they are sent again when there is a connection. */
  _takeBack(count) {
    this._unsent.unshift(...this._sent.splice(-count));
    this._refused = 0;
    this._withheld = [];
    this._isCertain = false;
  }
  /** No frame was refused: what looked like it were texts. */
  _trust() {
    this._refused = 0;
    for (const data of this._withheld.splice(0)) this._takePlain(data);
  }

  /** The connection has ended because its token has expired: what was refused goes out again with a new one. */
  _replaceToken() {
    const expiry = expiryOf(this.token);
    const late = this._hasExpired() ? this._sent.filter(({ at }) => at >= expiry).length : 0;
    this._takeBack(Math.max(late, this._refused));
    if (Date.now() - this._openedAt > STABLE) this._attempts = 0;
    this._openedAt = 0;
    this._line = this._overlap = null;
    this._renewAt = 0;
    const kept = new Set(this._unsent.map(({ entry }) => entry));
    this._doubtAll(entry => !kept.has(entry));
    // A chat that refuses each new token is not asked in a loop.
    if (this._attempts++) return this._waitUntil(this._nextAttempt(), 'Lost');
    this._connect();
  }

  _stop(code, message) {
    this._wanted = false;
    clearTimeout(this._retry);
    clearTimeout(this._renewal);
    this._round++;
    const keeps = code === PROTOCOL.tokenExpired;
    const sockets = [this._line, this._next, ...(this._overlap?.keys() ?? [])];
    this._line = this._next = this._overlap = null;
    // With a new token they go out all the same.
    const kept = new Set(keeps ? this._unsent.map(({ entry }) => entry) : []);
    if (!keeps) for (const { entry } of this._unsent.splice(0)) this._settle(entry, new ChatError('Closed', 'This was not sent.'));
    this._doubtAll(entry => !kept.has(entry), true);
    for (const socket of sockets) socket?.close(1000);
    this._show('off', { code, message });
  }

  // ---- Staying connected. A browser cannot ping, and a message that only keeps alive would reach a user: so a quiet
  // connection is replaced before its limit. The new one is open before the old one closes, and nothing is lost.

  _renewLater() {
    clearTimeout(this._renewal);
    const quiet = Math.min(this._spokeAt + QUIET, this._openedAt + AGE) - Math.random() * MINUTE / 2;
    const isForToken = Boolean(this.options.token) && this._renewAt < quiet;
    this._renewal = setTimeout(() => this._renew(isForToken), Math.max(0, (isForToken ? this._renewAt : quiet) - Date.now()));
  }
  async _renew(isForToken = false) {
    const isIdle = () => this._wanted && !this._next && this._line?.readyState === 1;
    if (!isIdle()) return;
    const before = this.token;
    try {
      await this._freshToken();
    } catch {
      // The connection lasts until its token has expired; there is time for another attempt.
      this._renewal = setTimeout(() => this._renew(isForToken), 5_000);
      return;
    }
    if (!isIdle()) return;
    if (isForToken && this.token === before) return this._renewLater();
    try {
      this._next = this._dial();
    } catch {
      this._renewal = setTimeout(() => this._renew(), LONGEST_WAIT);
      return;
    }
    this._overlap = new Map([[this._line, new Map()], [this._next, new Map()]]);
  }
  /** While two connections deliver: whether the other one has brought this frame already. */
  _isTwin(socket, data) {
    if (!this._overlap?.has(socket)) return false;
    const mine = this._overlap.get(socket);
    const count = (mine.get(data) ?? 0) + 1;
    mine.set(data, count);
    const [theirs] = [...this._overlap].filter(([other]) => other !== socket).map(([, seen]) => seen);
    return (theirs.get(data) ?? 0) >= count;
  }

  // ---- Sending.

  /** The bytes of the frame that would carry `text`; `PROTOCOL.frameBytes` at most are sent. */
  sizeOf(text, { route = this.options.routes?.[0] ?? { key: '$default' }, attributes = {} } = {}) {
    return bytesOf(this._data(text, route, attributes, randomText()));
  }
  _data(text, route, attributes, ref) {
    const { key, text: member, envelope, history, includeSender } = route;
    // What comes back by another way than the receipt is recognised by its mark.
    const all = history || includeSender ? { ...attributes, ref } : attributes;
    const more = envelope && member ? { ref, ...(Object.keys(all).length && { attributes: all }) } : {};
    if (key === '$default') return member ? JSON.stringify({ [member]: text, ...more }) : text;
    return JSON.stringify({ action: key, [member || 'message']: text, ...more });
  }

  /** Sends a message; it is among `messages` at once. Resolves with the receipt (without `envelope`: `null`, as soon as the
   * frame is on its way). Rejects with the chat's refusal, or where no receipt comes; the message may have arrived then.
   * @param {string} text @param {import('./chat.d.ts').SendOptions} [how] */
  send(text, { route = this.options.routes?.[0] ?? { key: '$default' }, attributes = {} } = {}) {
    if (this.state !== 'open' || this._line?.readyState !== 1) return Promise.reject(new ChatError('NotConnected', 'There is no connection.'));
    const hasReceipt = Boolean(route.envelope && route.text), ref = randomText();
    const data = this._data(text, route, attributes, ref);
    if (bytesOf(data) > PROTOCOL.frameBytes) return Promise.reject(new ChatError('TooLong', `The message has ${bytesOf(data)} bytes, and a frame ${PROTOCOL.frameBytes} at most.`));
    const message = this._message({ text, route: route.key, from: this.name || undefined, attributes }, true);
    if (hasReceipt) message.ref = ref;
    message.status = hasReceipt || route.includeSender ? 'sending' : 'sent';
    message.isKept = Boolean(route.history);
    if (hasReceipt) this._marks.set(ref, message);
    if (route.includeSender && !hasReceipt) this._awaited.push(message);
    const outcome = hasReceipt ? this._expect(ref, message) : Promise.resolve(null);
    this._place(message);
    this._transmit(data, message);
    return outcome;
  }

  /** Asks the route `key`, which has `answers`; resolves with the answer. Rejects with the chat's error, or without an answer. */
  request(key, members = {}) {
    if (this._line?.readyState !== 1) return Promise.reject(new ChatError('NotConnected', 'There is no connection.'));
    const ref = randomText();
    const answer = this._expect(ref, null);
    this._transmit(JSON.stringify({ action: key, ...members, ref }), ref);
    return answer;
  }

  /** Deletes a message everywhere: one of your own, or with the right `moderate` each message. */
  async delete(/** @type {Message} */ message) {
    const place = message.room !== undefined ? { room: message.room } : { with: message.from === this.name || message.own ? message.to ?? this.options.to : message.from };
    if (message.room === undefined && !place.with) delete place.with;
    const answer = await this.request(this.options.requests?.delete ?? 'delete', { id: message.id, ...place });
    // All others get a frame of the deletion.
    this._take({ type: 'deleted', of: message.id, by: this.name, at: Date.now() });
    return answer;
  }

  /** Ends the connections of a person; it needs the right `moderate`. */
  kick(/** @type {string} */ name) {
    return this.request(this.options.requests?.kick ?? 'kick', { name });
  }

  /** Everybody who is in the room, page after page. */
  async who() {
    const people = [];
    let nameless = 0, after;
    do {
      const page = await this.request(this.options.requests?.who ?? 'who', after ? { after } : {});
      people.push(...page.people);
      nameless = page.nameless;
      after = page.people.length > 0 && page.next;
    } while (after);
    return { people, nameless };
  }

  _transmit(data, entry) {
    this._line.send(data);
    this._sent.push({ data, entry, at: Date.now() });
    if (this._sent.length > REMEMBERED) this._sent.shift();
    this._spokeAt = Date.now();
    this._renewLater();
  }

  /** The promise of what comes with this `ref`; the timer begins anew when a frame is sent again. */
  _expect(ref, message) {
    const promise = new Promise((resolve, reject) => {
      const late = () => this._settle(message ?? ref, new ChatError('NoAnswer', message ? 'It is not certain that this arrived.' : 'No answer came.'));
      this._pending.set(ref, { message, resolve, reject, timer: setTimeout(late, this.options.answerWithin ?? ANSWER) });
    });
    // Also where only events are listened to.
    promise.catch(() => {});
    return promise;
  }

  /** Ends the wait of a message, or of a request by its `ref`. */
  _settle(entry, error, answer = null) {
    const ref = typeof entry === 'string' ? entry : entry?.ref;
    const pending = this._pending.get(ref);
    this._pending.delete(ref);
    clearTimeout(pending?.timer);
    const message = typeof entry === 'string' ? pending?.message : entry;
    if (message && error && message.status === 'sending') {
      message.status = 'failed';
      message.reason = error.message;
      message.code = error.code;
      this._changed(message);
    }
    if (error) pending?.reject(error);
    else pending?.resolve(answer);
  }

  /** The connection has gone, and receipts and answers with it. What is kept by the chat may still be found there. */
  _doubtAll(isMeant = _ => true, finally_ = false) {
    const lost = new ChatError('Closed', 'It is not certain that this arrived.');
    for (const [ref, { message }] of [...this._pending]) {
      if (!isMeant(message ?? ref)) continue;
      if (message?.isKept && !finally_ && this._conversations.length) message.isDoubtful = true;
      else this._settle(ref, lost);
    }
    for (const message of this._awaited.splice(0)) {
      if (isMeant(message)) this._settle(message, lost);
      else this._awaited.push(message);
    }
  }

  // ---- Receiving.

  _received(socket, data) {
    const json = parsed(data);
    if (json?.error === PROTOCOL.tokenExpired && hasTexts(json, 'message') && this.token) {
      // One that is replaced already is of no interest.
      if (socket !== this._line) return;
      // It is the answer to a frame, if it is one.
      if (this._sent.length > this._refused) return this._suspect(socket, data, this._pending.has(json.ref));
    }
    if (this._takesEnvelope(json)) return;
    if (this._isTwin(socket, data)) return;
    if (hasTexts(json, 'error', 'message')) {
      if (json.error === 'Kicked') this._kicked = { message: json.message, at: Date.now() };
      const error = new ChatError(json.error, json.message);
      if (this._pending.has(json.ref)) return this._settle(json.ref, error);
    }
    this._takePlain(data);
  }

  /** Takes a frame without an envelope, which belongs to no request. */
  _takePlain(data) {
    const [kind, text] = this.read(data);
    if (kind !== 'text') return this._emit(kind, text, parsed(data));
    const index = this._awaited.findIndex(own => own.text === text);
    if (index >= 0) {
      const [own] = this._awaited.splice(index, 1);
      own.status = 'sent';
      return this._changed(own);
    }
    this._place(this._message({ text }, false));
  }

  /** Takes what only chats with envelopes send. */
  _takesEnvelope(json) {
    const { routes = [], requests = {} } = this.options;
    if (!hasTexts(json, 'type') || !routes.some(route => route.envelope) && !Object.keys(requests).length) return false;
    switch (json.type) {
      case 'message':
      case 'deleted':
        if (!isEntry(json)) return false;
        this._take(json);
        this._seenLive(json);
        return true;
      case 'sent':
        if (!hasTexts(json, 'id', 'ref')) return false;
        this._acknowledged(json);
        return true;
      case 'presence':
        if (!Array.isArray(json.arrived) || !Array.isArray(json.left)) return false;
        this._presence(json);
        return true;
      default:
        // An answer; one that nothing waits for any more is of no interest.
        if (!hasTexts(json, 'ref')) return false;
        this._settle(json.ref, null, json);
        return true;
    }
  }

  /** What a frame without an envelope is: a message, a notice, or an error of the gateway or of a handler. */
  read(data) {
    if (typeof data !== 'string') return ['error', 'A binary message came, which cannot be shown.'];
    if (data === PROTOCOL.friendNotReachable) return ['notice', data];
    const json = parsed(data);
    if (json === null || typeof json !== 'object') return ['text', data];
    const has = (...names) => Object.keys(json).length === names.length && hasTexts(json, ...names);
    if (has('message', 'connectionId', 'requestId')) return ['error', json.message];
    if (has('error', 'message', 'route', 'ref') || has('error', 'message', 'route') || has('error', 'message')) return ['error', json.message];
    if (json.action === 'newMessage' && typeof json.payload === 'string') return ['text', json.payload];
    const isFrame = (this.options.routes ?? []).some(({ key, text }) => json.action === key && !text);
    if (isFrame && typeof json.message === 'string') return ['text', json.message];
    return ['text', data];
  }

  _message({ id, route, from, room, to, text, at, attributes = {} }, own) {
    return { id: id ?? null, ref: null, route, from, room, to, text, at: momentOf(at), attributes, own, status: own ? 'sent' : 'received', reason: '', code: '', delivered: null, stored: false, changed: false, deleted: null };
  }

  /** Takes a message or a deletion, live or of history, unless it is known. */
  _take(entry) {
    if (entry.type === 'deleted') {
      if (this._deleted.has(entry.of)) return;
      this._deleted.set(entry.of, { by: entry.by, at: momentOf(entry.at) });
      const message = this._byId.get(entry.of);
      if (message) this._erase(message);
      return;
    }
    if (this._byId.has(entry.id)) return;
    const { ref, ...attributes } = entry.attributes ?? {};
    const own = ref && this._marks.get(ref);
    if (own && !own.id && (!entry.from || entry.from === this.name || !this.name)) {
      own.status = 'sent';
      own.stored ||= own.isKept;
      own.reason = own.code = '';
      own.changed = own.text !== entry.text;
      own.text = entry.text;
      this._identify(own, entry);
      // Its receipt may be lost; where it is only late, it brings the number of receivers.
      if (own.isDoubtful) this._settle(own, null);
      return;
    }
    const message = this._message({ ...entry, attributes: ref ? attributes : entry.attributes }, Boolean(entry.from) && entry.from === this.name);
    if (this._deleted.has(entry.id)) {
      message.deleted = this._deleted.get(entry.id);
      message.text = '';
    }
    this._byId.set(message.id, message);
    this._place(message);
  }

  _acknowledged(receipt) {
    const pending = this._pending.get(receipt.ref);
    const message = pending?.message ?? this._marks.get(receipt.ref);
    if (!message) return;
    Object.assign(message, { status: 'sent', reason: '', code: '', delivered: receipt.delivered, stored: receipt.stored === true });
    if (receipt.changed) message.changed = true;
    if (message.id) this._changed(message);
    else if (this._byId.has(receipt.id)) this._remove(message);
    else this._identify(message, receipt);
    this._settle(receipt.ref, null, receipt);
  }

  /** An own message has got its id, which may be smaller than that of one that came meanwhile. */
  _identify(message, { id, at, room, to }) {
    message.id = id;
    if (at) message.at = momentOf(at);
    message.room ??= room;
    message.to ??= to;
    this._byId.set(id, message);
    this._marks.delete(message.ref);
    if (this._deleted.has(id)) this._erase(message);
    const place = this.messages.lastIndexOf(message);
    const before = this.messages.slice(0, place).findLast(one => one.id), after = this.messages.slice(place + 1).find(one => one.id);
    if (before?.id > id || after?.id < id) {
      this.messages.splice(place, 1);
      this._insert(message);
    }
    this._changed(message);
  }

  _erase(message) {
    message.deleted = this._deleted.get(message.id);
    message.text = '';
    this._changed(message);
  }
  _remove(message) {
    this.messages.splice(this.messages.indexOf(message), 1);
    this._emit('removed', message);
  }
  _place(message) {
    this._insert(message);
    this._emit('message', message, this._after(message));
  }
  _changed(message) {
    this._emit('changed', message, this._after(message));
  }
  _after(message) {
    return this.messages[this.messages.lastIndexOf(message) + 1] ?? null;
  }
  /** After the last one with a smaller id; the newest, and what has no id, at the end. */
  _insert(message) {
    let place = this.messages.length;
    if (message.id) {
      let isNewest = true;
      for (let i = place - 1; i >= 0; i--) {
        const { id } = this.messages[i];
        if (id && id > message.id) isNewest = false;
        if (id && id < message.id || i === 0) {
          if (!isNewest) place = id && id < message.id ? i + 1 : 0;
          break;
        }
      }
    }
    this.messages.splice(place, 0, message);
  }

  // ---- History: what was missed, and what was said before. `cursor` is the id up to which nothing is missing.

  _conversationOf(entry) {
    const kind = entry.room !== undefined ? 'room' : 'friend';
    return this._conversations.find(conversation => conversation.kind === kind);
  }
  _seenLive(entry) {
    const conversation = this._conversationOf(entry);
    if (!conversation) return;
    conversation.first = conversation.first && conversation.first < entry.id ? conversation.first : entry.id;
    conversation.last = conversation.last > entry.id ? conversation.last : entry.id;
    // While something may be missing, what comes live says nothing about what came before it.
    if (conversation.isComplete) conversation.cursor = conversation.last;
  }

  /** Reads what came since the cursor. Two functions may write messages in another order than that of their ids, so the chat
   * begins a while before it, and entries that are known are dropped. */
  async _catchUp(conversation, socket) {
    conversation.isComplete = false;
    const isOver = () => socket !== this._line;
    const place = this._placeOf(conversation);
    try {
      if (conversation.cursor === null && conversation.first === null) {
        const page = await this._page({ ...place, limit: PAGE }, isOver);
        if (conversation.cursor === null) {
          conversation.more = page.more;
          conversation.cursor = page.entries.at(-1)?.id ?? BEGINNING;
          this._takePage(conversation, page);
        }
      } else {
        let after = conversation.cursor ?? conversation.first, isExact = false;
        for (;;) {
          const page = await this._page({ ...place, after, limit: PAGE, ...(isExact && { exact: true }) }, isOver);
          this._takePage(conversation, page);
          const last = page.entries.at(-1)?.id;
          if (last > (conversation.cursor ?? '')) conversation.cursor = last;
          if (!page.more || !last || isExact && last <= after) break;
          [after, isExact] = [last, true];
        }
      }
    } catch (error) {
      if (!isOver()) this._emit('error', `What was missed could not be read: ${error.message}`, null);
      return;
    }
    if (isOver()) return;
    conversation.isComplete = true;
    if (conversation.last > conversation.cursor) conversation.cursor = conversation.last;
    // What is not among it was not kept when it was read.
    for (const [, { message }] of [...this._pending]) {
      if (message?.isDoubtful && !message.id) this._settle(message, new ChatError('Closed', 'It is not certain that this arrived.'));
    }
    this._emit('history', { isComplete: true, more: this.hasOlder });
  }
  _placeOf({ kind }) {
    const { room, to } = this.options;
    if (kind === 'room') return room ? { room } : {};
    return to ? { with: to } : {};
  }
  _takePage(conversation, page) {
    for (const entry of page.entries) this._take(entry);
    const first = page.entries[0]?.id;
    if (first && !(conversation.first < first)) conversation.first = first;
  }
  /** One page, with some patience: answers can be lost, and a limit can be reached. */
  async _page(members, isOver) {
    for (let attempt = 1; ; attempt++) {
      try {
        const page = await this.request(this.options.requests.history, members);
        if (!Array.isArray(page.entries)) throw new ChatError('NoAnswer', 'The answer has no entries.');
        return { more: page.more === true, entries: page.entries.filter(isEntry) };
      } catch (error) {
        if (attempt >= PAGE_ATTEMPTS || isOver() || error.code === 'Closed' || error.code === 'NotConnected') throw error;
        await new Promise(done => setTimeout(done, Math.random() * FIRST_WAIT * 2 ** attempt));
        if (isOver()) throw error;
      }
    }
  }

  /** Whether there may be older messages than those in `messages`. */
  get hasOlder() {
    return this._conversations.some(({ more, cursor, first }) => more && (cursor !== null || first !== null));
  }

  /** Reads a page of older messages; resolves with whether there are more. */
  async older() {
    // The conversation that is known least far back.
    const [conversation] = this._conversations.filter(({ more, first }) => more && first).sort((a, b) => a.first < b.first ? 1 : -1);
    if (!conversation || this.state !== 'open') return this.hasOlder;
    const socket = this._line;
    conversation.older ??= this._page({ ...this._placeOf(conversation), before: conversation.first, limit: PAGE }, () => socket !== this._line)
      .then(page => {
        conversation.more = page.more && page.entries.length > 0;
        this._takePage(conversation, page);
      })
      .finally(() => { conversation.older = null; });
    await conversation.older;
    this._emit('history', { isComplete: conversation.isComplete, more: this.hasOlder });
    return this.hasOlder;
  }

  // ---- Presence.

  async _lookWhoIsHere() {
    const mine = this._look = {};
    try {
      const { people, nameless } = await this.who();
      if (mine !== this._look) return;
      this.people = people.map(({ name }) => name).sort();
      this.peopleCount = people.length;
      this.nameless = nameless;
      this._emit('people', this.people, this.peopleCount);
    } catch (error) {
      if (mine !== this._look || error.code === 'Closed' || error.code === 'NotConnected') return;
      // A room that is too large to be listed still tells its size when people come or go.
      this.people = null;
      this._emit('people', null, this.peopleCount);
    }
  }
  _presence({ arrived, left, people, at }) {
    this.peopleCount = people;
    this._emit('presence', { arrived, left, people, at });
    if (this.people) {
      const here = new Set(this.people);
      for (const name of left) here.delete(name);
      for (const name of arrived) here.add(name);
      this.people = [...here].sort();
      // An announcement was missed.
      if (Number.isFinite(people) && here.size !== people && !this._lookLater) {
        this._lookLater = setTimeout(() => { this._lookLater = null; if (this.state === 'open') this._lookWhoIsHere(); }, PEOPLE_WAIT);
      }
    }
    this._emit('people', this.people, people);
  }
}

/** The conversations whose messages are kept: that of the room, that with the friend. */
function conversationsOf({ routes = [], requests = {} }) {
  if (!requests.history) return [];
  const kept = routes.filter(route => route.envelope && route.history);
  const kinds = new Set(kept.map(({ receivers }) => receivers === 'room' ? 'room' : 'friend'));
  return [...kinds].map(kind => ({ kind, cursor: null, first: null, last: '', more: true, isComplete: false, older: null }));
}
