import { checkSettings, checkType } from "./check_options.ts";
import type { Authorize, Scope } from "./core/auth.ts";
import type { Telemetry } from "./core/telemetry.ts";

/** Everything that can be set, grouped by part. Every field has a default. */
export interface RoomsOptions {
  /** Names this node in logs and in `Server.node`. @default a random id, new at each start */
  readonly nodeId?: string;
  readonly server?: ServerOptions;
  readonly auth?: AuthOptions;
  readonly history?: HistoryOptions;
  readonly presence?: PresenceOptions;
  readonly limits?: LimitOptions;
  /** Where the server says what happens to it. @default nothing is said */
  readonly telemetry?: Telemetry;
  /** Called when a client's connection has been acknowledged. A throw is logged. @default none */
  readonly onConnect?: (connection: ConnectionInfo) => void;
  /** Called once for each `onConnect`, when that connection has ended. A throw is logged. @default none */
  readonly onDisconnect?: (connection: ConnectionInfo) => void;
}

/** What the connection hooks are told. */
export interface ConnectionInfo {
  readonly connectionId: string;
  readonly userId: string;
  readonly sessionId: string;
}

/** Where and how to listen. */
export interface ServerOptions {
  /** Address to listen on. Any but a loopback address needs `auth.anonymous`. @default "127.0.0.1" */
  readonly host?: string;
  /** TCP port; 0 takes a free one. @default 4000 */
  readonly port?: number;
  /**
   * Origins a browser page may come from, as `scheme://host[:port]`. Same origin is
   * always allowed, and localhost while the server is open on a loopback address.
   * @default []
   */
  readonly allowedOrigins?: readonly string[];
  /**
   * Addresses of reverse proxies, or networks of them (`10.0.0.0/8`), whose
   * X-Forwarded-For tells where clients come from. Without it all that comes through a
   * proxy counts as one address. @default []
   */
  readonly trustedProxies?: readonly string[];
  /** Serves the pages: the console at `/`, GraphiQL at `/graphql` for a browser. @default true */
  readonly pages?: boolean;
  /**
   * Compresses what is larger than 1 KiB for WebSocket clients that offer
   * permessage-deflate, an event once for all of them. Saves bandwidth, costs CPU, and
   * memory for each client that sends compressed. @default false
   */
  readonly compression?: boolean;
  /**
   * Answers introspection, and tells whoever mistypes a name what it may have meant.
   * @default true while nobody needs a token, else false
   */
  readonly introspection?: boolean;
  /** How often sockets are pinged, in milliseconds; one silent for two pings is ended. @default 15_000 */
  readonly pingMs?: number;
  /** How long a stop waits for clients to go before it cuts them off, in milliseconds. @default 20_000 */
  readonly drainMs?: number;
}

/** Who may come in. Without more the server is open, and only on a loopback address. */
export interface AuthOptions {
  /** Lets in whoever has a token (JWT), on any address. Not together with `anonymous`. @default none */
  readonly jwt?: JwtOptions;
  /** Lets anybody in on any address, with `anonymousScopes`. @default false */
  readonly anonymous?: boolean;
  /** What anybody may do with `anonymous`; an error without it. @default ["read", "send", "join"] */
  readonly anonymousScopes?: readonly Scope[];
  /**
   * Says who may do what, in place of the rule that each action needs its scope, and the
   * room's right where a token names rooms. To narrow that rule, ask `authorizeByScope`
   * first. @default authorizeByScope
   */
  readonly authorize?: Authorize;
}

/** How tokens are checked. One of `secret`, `publicKeys` and `jwksUrl` there must be. */
export interface JwtOptions {
  /** The secret that tokens are signed with (HS256, HS384, HS512), at least 32 bytes. @default none */
  readonly secret?: string;
  /** Public keys, as PEM, JWK or JWK set; which algorithms count follows from them. @default none */
  readonly publicKeys?: string;
  /**
   * Where a JWK set is to be had, over HTTP. Fetched again every 5 minutes, and at most every
   * 30 seconds for a key nobody knows; while it cannot be had nobody new comes in. @default none
   */
  readonly jwksUrl?: string;
  /** What a token's `iss` must be. @default whatever it is */
  readonly issuer?: string;
  /** What a token's `aud` must be, or hold. @default whatever it is */
  readonly audience?: string;
  /** How far the clocks of whoever signs and of this server may be apart, in milliseconds. @default 30_000 */
  readonly leewayMs?: number;
  /** The cookie that may hold the token, where nothing else of a request does. @default "token" */
  readonly cookie?: string;
}

/** How much each stream remembers. A buffer for reconnects, not a database. */
export interface HistoryOptions {
  /** Entries kept in each stream; older ones go first. @default 1_000 */
  readonly count?: number;
  /** How long an entry is kept, in milliseconds. @default 300_000 */
  readonly ageMs?: number;
  /** Bytes kept in each stream; older entries go first. @default 1_048_576 */
  readonly bytes?: number;
}

/** When a user counts as gone. */
export interface PresenceOptions {
  /** How long after its last hold a membership ends, in milliseconds. @default 10_000 */
  readonly leaveGraceMs?: number;
}

/** Bounds of what one client can ask for. */
export interface LimitOptions {
  /** Content and data of one message together, in bytes of UTF-8; more is `PAYLOAD_TOO_LARGE`. @default 65_536 */
  readonly messageBytes?: number;
  /** One inbound WebSocket message or HTTP body, in bytes; more closes with 1009, or answers 413. @default 262_144 */
  readonly frameBytes?: number;
  /** The connection_init message, in bytes; more closes with 1009. @default 32_768 */
  readonly initBytes?: number;
  /** How long a socket may stay without a connection_init, in milliseconds; then 4408. @default 3_000 */
  readonly initTimeoutMs?: number;
  /** Lexical tokens of one GraphQL document; more is `GRAPHQL_PARSE_FAILED`. @default 1_000 */
  readonly documentTokens?: number;
  /** Fields one within the other, outside introspection; more is `QUERY_TOO_COMPLEX`. @default 8 */
  readonly documentDepth?: number;
  /** Aliases of an operation, its fragments expanded; more is `QUERY_TOO_COMPLEX`. @default 15 */
  readonly documentAliases?: number;
  /** Fields of an operation, its fragments expanded; more is `QUERY_TOO_COMPLEX`. @default 500 */
  readonly documentFields?: number;
  /**
   * Objects in lists that one answer may have, counted by the pages asked for before
   * anything is read; more is `QUERY_TOO_COMPLEX`. @default 1_000
   */
  readonly answerNodes?: number;
  /** Characters of an operation id; more is `BAD_USER_INPUT`. @default 128 */
  readonly operationIdCharacters?: number;
  /** Live operations of one connection; more is `SUBSCRIPTION_LIMIT`. @default 100 */
  readonly subscriptionsPerConnection?: number;
  /** Rooms one session may have joined; more is `ROOM_LIMIT`. @default 100 */
  readonly roomsPerSession?: number;
  /**
   * Open connections; more are closed with 1013. Keep it 1,024 below the process's
   * limit of file descriptors. @default 10_000
   */
  readonly connections?: number;
  /**
   * Open connections of one address (of IPv6 one network of 64 bits); more are closed
   * with 1013, and a quarter as many may be without a connection_init. 0 is any number.
   * @default 1_000
   */
  readonly connectionsPerAddress?: number;
  /**
   * Mutations one user may make in a second, and twice as many at once; more is
   * `RATE_LIMITED`. Services (scope `broadcast` or `admin`) and all users of one address
   * together may make 20 times as many. A connection may send 10 messages of any kind for
   * each; one that sends more is closed with 1013. An address may make 40 HTTP requests
   * for each; more is 429. 0 counts nothing. @default 50
   */
  readonly messagesPerSecond?: number;
  /**
   * Refused tokens of one address in a minute, those that only expired left out; then no
   * more of them are looked at: `RATE_LIMITED`, 429 or 1013. 0 is any number. @default 300
   */
  readonly refusedTokensPerMinute?: number;
  /**
   * Bytes a reader may lag behind; one more ends it with 1013, and it resumes. A query's or
   * mutation's answer may have half as many; one more is `PAYLOAD_TOO_LARGE`. @default 1_048_576
   */
  readonly outboxBytes?: number;
}

/** The options with every default filled in. */
export interface Settings {
  readonly nodeId: string | undefined;
  readonly server: Required<Omit<ServerOptions, "introspection">> & Pick<ServerOptions, "introspection">;
  readonly auth: Required<Omit<AuthOptions, "authorize" | "jwt">> & Pick<AuthOptions, "authorize"> & {
    readonly jwt?: JwtSettings;
  };
  readonly history: Required<HistoryOptions>;
  readonly presence: Required<PresenceOptions>;
  readonly limits: Required<LimitOptions>;
}

/** The same of {@linkcode JwtOptions}. */
export type JwtSettings = JwtOptions & Required<Pick<JwtOptions, "leewayMs" | "cookie">>;

/** The defaults of `auth.jwt`. */
export const JWT_DEFAULTS = { leewayMs: 30_000, cookie: "token" } as const;

/** The defaults, written here and nowhere else. */
export const DEFAULTS: Omit<Settings, "nodeId"> = {
  server: {
    host: "127.0.0.1",
    port: 4000,
    allowedOrigins: [],
    trustedProxies: [],
    pages: true,
    compression: false,
    pingMs: 15_000,
    drainMs: 20_000,
  },
  auth: { anonymous: false, anonymousScopes: ["read", "send", "join"] },
  history: { count: 1_000, ageMs: 300_000, bytes: 1_048_576 },
  presence: { leaveGraceMs: 10_000 },
  limits: {
    messageBytes: 65_536,
    frameBytes: 262_144,
    initBytes: 32_768,
    initTimeoutMs: 3_000,
    documentTokens: 1_000,
    documentDepth: 8,
    documentAliases: 15,
    documentFields: 500,
    answerNodes: 1_000,
    operationIdCharacters: 128,
    subscriptionsPerConnection: 100,
    roomsPerSession: 100,
    connections: 10_000,
    connectionsPerAddress: 1_000,
    messagesPerSecond: 50,
    refusedTokensPerMinute: 300,
    outboxBytes: 1_048_576,
  },
};

/**
 * Fills in the defaults and checks each value. An option that is `undefined` counts as
 * not given.
 *
 * @throws {TypeError} for a value of the wrong type or an option that does not exist
 * @throws {RangeError} for any other value that cannot be used
 */
export function resolveOptions(options: RoomsOptions): Settings {
  checkNames("", options, OPTION_NAMES);
  for (const name of ["onConnect", "onDisconnect"] as const) {
    if (options[name] !== undefined) checkType(name, options[name], "function");
  }
  if (options.telemetry !== undefined) checkType("telemetry.record", options.telemetry.record, "function");
  const settings: Settings = {
    nodeId: options.nodeId,
    server: fill("server", options.server),
    auth: fillAuth(options.auth),
    history: fill("history", options.history),
    presence: fill("presence", options.presence),
    limits: fill("limits", options.limits),
  };
  checkSettings(settings);
  if (options.auth?.anonymousScopes !== undefined && !settings.auth.anonymous) {
    throw new TypeError("Cannot use auth.anonymousScopes without auth.anonymous: it would have no effect");
  }
  return settings;
}

type Parts = typeof DEFAULTS;

const JWT_NAMES = ["secret", "publicKeys", "jwksUrl", "issuer", "audience", ...Object.keys(JWT_DEFAULTS)];

const OPTION_NAMES = [...Object.keys(DEFAULTS), "nodeId", "telemetry", "onConnect", "onDisconnect"];

/** Options that are what they are without a value. */
const WITHOUT_DEFAULT: { readonly [Part in keyof Parts]?: readonly string[] } = {
  server: ["introspection"],
  auth: ["authorize", "jwt"],
};

function fill<Part extends keyof Parts>(part: Part, given: RoomsOptions[Part]): Parts[Part] {
  const defaults = DEFAULTS[part];
  if (given === undefined) return defaults;
  checkType(part, given, "object");
  checkNames(`${part}.`, given, [...Object.keys(defaults), ...WITHOUT_DEFAULT[part] ?? []]);
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(set) };
}

function fillAuth(given: AuthOptions | undefined): Settings["auth"] {
  const { jwt, ...auth } = fill("auth", given);
  if (jwt === undefined) return auth;
  checkType("auth.jwt", jwt, "object");
  checkNames("auth.jwt.", jwt, JWT_NAMES);
  const set = Object.entries(jwt).filter(([, value]) => value !== undefined);
  return { ...auth, jwt: { ...JWT_DEFAULTS, ...Object.fromEntries(set) } };
}

function checkNames(prefix: string, given: object, names: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (!names.includes(name)) {
      throw new TypeError(
        `Cannot use ${JSON.stringify(prefix + name)}: no such option, must be one of ${names.join(", ")}`,
      );
    }
  }
}
