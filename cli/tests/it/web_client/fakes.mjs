// A clock that tests move, sockets that tests script, and a chat that keeps messages, for the tests of chat.js.

/** Time for one test: `setTimeout`, `Date.now` and `Math.random` are the clock's until `restore`. */
export class Clock {
  constructor(seed = 1) {
    this.now = Date.UTC(2026, 0, 1);
    this.timers = [];
    this.count = 0;
    this.real = { setTimeout, clearTimeout, now: Date.now, random: Math.random, setImmediate };
    globalThis.setTimeout = (run, wait = 0) => {
      const timer = { run, at: this.now + Math.max(0, wait), order: this.count++ };
      this.timers.push(timer);
      return timer;
    };
    globalThis.clearTimeout = timer => { this.timers = this.timers.filter(one => one !== timer); };
    Date.now = () => this.now;
    // https://en.wikipedia.org/wiki/Linear_congruential_generator, with the figures of Numerical Recipes
    let state = seed >>> 0;
    this.random = Math.random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  }
  restore() {
    Object.assign(globalThis, { setTimeout: this.real.setTimeout, clearTimeout: this.real.clearTimeout });
    Date.now = this.real.now;
    Math.random = this.real.random;
  }
  /** Lets everything happen that waits for nothing but its turn. */
  settle() {
    return new Promise(done => this.real.setImmediate(done));
  }
  /** Lets so much time pass. */
  async pass(milliseconds) {
    const end = this.now + milliseconds;
    for (;;) {
      await this.settle();
      const due = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (!due) break;
      this.timers = this.timers.filter(one => one !== due);
      this.now = Math.max(this.now, due.at);
      due.run();
    }
    this.now = end;
    await this.settle();
  }
}

/** A WebSocket class whose sockets are in `sockets`; `opens` gets each. */
export function socketsOf(opens = socket => setTimeout(() => socket.opens(), 1)) {
  const sockets = [];
  class Socket {
    constructor(address, protocols) {
      Object.assign(this, { address: new URL(address), protocols, readyState: 0, sent: [] });
      sockets.push(this);
      opens(this);
    }
    opens() {
      if (this.readyState !== 0) return;
      this.readyState = 1;
      this.onopen?.({});
    }
    send(data) {
      this.sent.push(data.startsWith('{') ? JSON.parse(data) : data);
      this.onsent?.(data);
    }
    receives(frame) {
      if (this.readyState === 1) this.onmessage?.({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) });
    }
    ends(code = 1006) {
      if (this.readyState === 3) return;
      this.readyState = 3;
      this.onclose?.({ code });
    }
    close(code) {
      setTimeout(() => this.ends(code), 1);
    }
  }
  return { Socket, sockets, last: () => sockets.at(-1) };
}

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** A ULID of a moment; `random` decides the rest. */
export function ulid(moment, random) {
  let time = '';
  for (let rest = moment, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = ALPHABET[rest % 32] + time;
  return time + Array.from({ length: 16 }, () => ALPHABET[Math.floor(random() * 32)]).join('');
}

/** A chat of one room that keeps messages, as docs/guide/history.md describes it, over an unreliable network. */
export class Chat {
  /** `lateness`: how long after a message's id it is written, at most, in milliseconds; `page`: entries of a page. */
  constructor(clock, { lateness = 0, page = 50 } = {}) {
    Object.assign(this, { clock, lateness, page, entries: [], connections: new Set() });
    this.network = socketsOf(socket => {
      socket.name = socket.address.searchParams.get('msgfrom');
      setTimeout(() => {
        if (socket.readyState !== 0) return;
        // The connection is recorded before the client has its answer.
        this.connections.add(socket);
        setTimeout(() => socket.opens(), clock.random() * 100);
      }, clock.random() * 100);
      socket.onsent = data => setTimeout(() => this.takes(socket, JSON.parse(data)), clock.random() * 50);
    });
  }
  posts(socket, frame) {
    setTimeout(() => socket.receives(frame), this.clock.random() * 200);
  }
  takes(socket, { action, message, ref, attributes, before, after, exact, limit = 50, id }) {
    // It was lost with its connection.
    if (socket.readyState === 3) return;
    const now = this.clock.now, random = this.clock.random;
    if (action === 'say') {
      const entry = { type: 'message', id: ulid(now, random), route: 'say', from: socket.name, room: 'kitchen', text: message, at: new Date(now).toISOString(), attributes };
      this.keeps(socket, entry, receivers => {
        if (ref) this.posts(socket, { type: 'sent', ref, id: entry.id, delivered: receivers, stored: true });
      });
    } else if (action === 'delete') {
      const own = this.entries.find(entry => entry.id === id);
      if (!own) return this.posts(socket, { error: 'NotFound', message: 'there is no such message', route: 'delete', ref });
      const entry = { type: 'deleted', id: ulid(now, random), of: id, by: socket.name, room: 'kitchen', from: own.from, at: new Date(now).toISOString() };
      this.entries = this.entries.filter(one => one !== own);
      this.keeps(socket, entry, () => this.posts(socket, { type: 'done', ref, id: entry.id }));
    } else if (action === 'history') {
      const some = Math.min(limit, this.page);
      let entries = this.entries, more;
      if (after) {
        const from = exact ? after : ulid(Math.max(0, timeOf(after) - 60_000), () => 0);
        entries = entries.filter(entry => entry.id > from);
        [more, entries] = [entries.length > some, entries.slice(0, some)];
      } else {
        entries = entries.filter(entry => !before || entry.id < before);
        [more, entries] = [entries.length > some, entries.slice(-some)];
      }
      this.posts(socket, { type: 'history', room: 'kitchen', entries, more, ref });
    }
  }
  /** Written first; then its receivers are looked up. */
  keeps(sender, entry, done) {
    setTimeout(() => {
      this.entries.push(entry);
      this.entries.sort((a, b) => a.id < b.id ? -1 : 1);
      setTimeout(() => {
        const receivers = [...this.connections].filter(one => one !== sender);
        for (const receiver of receivers) this.posts(receiver, entry);
        done(receivers.length);
      }, this.clock.random() * 50);
    }, this.clock.random() * this.lateness);
  }
  /** Ends a connection; the chat notices it later. */
  kills(socket) {
    socket.ends();
    setTimeout(() => this.connections.delete(socket), this.clock.random() * 5_000);
  }
}
function timeOf(id) {
  return [...id.slice(0, 10)].reduce((sum, letter) => sum * 32 + ALPHABET.indexOf(letter), 0);
}
