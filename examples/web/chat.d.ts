/** What every chat of chatctl agrees on with its clients. */
export declare const PROTOCOL: {
  handshake: { from: string; to: string; room: string };
  nameCharacters: number;
  namePunctuation: string;
  everybody: string;
  frameBytes: number;
  friendNotReachable: string;
  subprotocol: string;
  subprotocolToken: string;
  tokenExpired: string;
};

/** A route that takes messages, as chatctl.toml has it. Without a member, the route does not have that. */
export interface Route {
  key: string;
  /** The member of the frame with the text. Without one, a frame to `$default` is the text, and others have it in `message`. */
  text?: string | null;
  receivers?: 'room' | 'friend' | 'backend' | 'handler';
  envelope?: boolean;
  history?: boolean;
  includeSender?: boolean;
}

/** The keys of the routes with `answers`. */
export interface Requests {
  history?: string;
  delete?: string;
  who?: string;
  kick?: string;
}

export interface ChatOptions {
  /** `wss://…/STAGE`, or a function that answers it. */
  url: string | (() => string);
  from?: string;
  to?: string;
  room?: string;
  /** Answers a token. It is called before the first connection, before a token expires, and after it has. If it throws a
   * `ChatError`, the client stops; after any other failure, and after 30 seconds without an answer, it tries again. */
  token?: () => Promise<string>;
  /** The claim of tokens with the name. @default 'sub' */
  nameClaim?: string;
  /** The first one takes what `send` gets no route for. @default [{ key: '$default' }] */
  routes?: Route[];
  requests?: Requests;
  /** How long a receipt or an answer may take, in milliseconds. @default 30000 */
  answerWithin?: number;
  /** @default globalThis.WebSocket */
  WebSocket?: unknown;
}

export interface Message {
  /** `null`: it has no envelope, or no receipt yet. */
  id: string | null;
  /** Of a message that this client has sent. */
  ref: string | null;
  route?: string;
  from?: string;
  room?: string;
  to?: string;
  text: string;
  at: Date;
  attributes: Record<string, string>;
  /** Whether this user has sent it, from here or from another device. */
  own: boolean;
  status: 'received' | 'sending' | 'sent' | 'failed';
  /** Why it failed, in words and as a word. `Closed` and `NoAnswer`: it may have arrived all the same. */
  reason: string;
  code: string;
  /** How many connections accepted it; `null` where that is not known. */
  delivered: number | null;
  stored: boolean;
  /** Whether the chat's review has changed it. */
  changed: boolean;
  /** `text` is empty then. */
  deleted: { by: string; at: Date } | null;
}

export interface Receipt {
  type: 'sent';
  ref: string;
  id: string;
  delivered: number | null;
  stored: boolean;
  changed?: boolean;
}

export interface SendOptions {
  route?: Route;
  /** Texts that receivers get beside the message; `ref` among them is the client's own. */
  attributes?: Record<string, string>;
}

export type State = 'off' | 'connecting' | 'open' | 'waiting';

export interface StateDetail {
  /** `off`: `Disconnected`, `TokenExpired`, `Kicked`, `CannotDial`, or the code of what the token's function threw.
   * `waiting`: `Lost`, `TooLong`, `Unreachable`, `Refused` (it has never been open) or `NoNewToken`. */
  code?: string;
  /** Why, where the code does not say it. */
  message?: string;
  /** When the next attempt follows, as of `Date.now()`. */
  until?: number;
}

export interface Presence {
  arrived: string[];
  left: string[];
  people: number;
  at: string;
}

export interface ChatEvents {
  state: (state: State, detail: StateDetail) => void;
  /** A new message, and the one that follows it in `messages`. */
  message: (message: Message, next: Message | null) => void;
  /** Its status, text or place has changed. */
  changed: (message: Message, next: Message | null) => void;
  removed: (message: Message) => void;
  /** A page of history has come; `isComplete`: nothing is missing. */
  history: (page: { isComplete: boolean; more: boolean }) => void;
  /** Who is here, sorted; `null` where only the number is known. */
  people: (names: string[] | null, count: number | null) => void;
  presence: (change: Presence) => void;
  /** A sentence of the chat's. */
  notice: (text: string) => void;
  /** An error that belongs to no message and no request. */
  error: (text: string, frame: object | null) => void;
}

/** A failure with a `code`: an error word of the chat, or `Closed`, `NoAnswer`, `NotConnected`, `TooLong`. */
export declare class ChatError extends Error {
  constructor(code: string, message: string);
  code: string;
}

/** The claims of a token, unproven: `{}` if it has none that can be read. */
export declare function claimsOf(token: string): Record<string, unknown>;

/** The size of a text on the wire. */
export declare function bytesOf(text: string): number;

export declare class ChatClient {
  constructor(options: ChatOptions);
  options: ChatOptions;
  readonly state: State;
  /** Every message that is known: in the order of ids; without an id, in the order in which they came. */
  readonly messages: Message[];
  /** Who is here, sorted; `null` where it is not known. */
  readonly people: string[] | null;
  readonly peopleCount: number | null;
  /** Connections without a name. */
  readonly nameless: number;
  /** The token of the last connection. */
  readonly token: string;
  /** The name that was given, or that the token proves. */
  readonly name: string;
  /** Whether there may be older messages than those in `messages`. */
  readonly hasOlder: boolean;
  /** The answer takes the listener off again. */
  on<E extends keyof ChatEvents>(event: E, listener: ChatEvents[E]): () => void;
  /** Connects, and stays connected until `disconnect`. */
  connect(): void;
  disconnect(): void;
  /** Ends the wait for the next attempt. A connection that is open is replaced, for it may have been lost unnoticed: call it
   * when the network is back (`addEventListener('online', () => chat.retryNow())`). */
  retryNow(): void;
  /** Resolves with the receipt; without `envelope` with `null`, as soon as the frame is on its way. */
  send(text: string, options?: SendOptions): Promise<Receipt | null>;
  /** The bytes of the frame that would carry `text`; `PROTOCOL.frameBytes` at most are sent. */
  sizeOf(text: string, options?: SendOptions): number;
  /** Asks a route with `answers`, and resolves with the answer. */
  request(key: string, members?: object): Promise<object>;
  delete(message: Message): Promise<object>;
  kick(name: string): Promise<object>;
  who(): Promise<{ people: { name: string; devices: number; since: string }[]; nameless: number }>;
  /** Reads a page of older messages; resolves with whether there are more. */
  older(): Promise<boolean>;
  /** What a frame without an envelope is, and its text. */
  read(data: unknown): ['text' | 'notice' | 'error', string];
}
