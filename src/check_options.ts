import { isIPv4, isIPv6 } from "node:net";
import { type Scope, SCOPES } from "./core/auth.ts";
import { isLoopbackHost } from "./core/loopback.ts";
import type { JwtSettings, Settings } from "./options.ts";

/** The least and the greatest value of a number. Both are allowed. */
export type Bounds = readonly [least: number, greatest: number];

/** What one value must be, whoever gave it: an option, a flag or a variable. */
export interface Rule<T> {
  /** Completes a message: "must be …". */
  readonly requirement: string;
  accepts(value: T): boolean;
}

type NumbersOf<Part> = { readonly [Name in keyof Part as Part[Name] extends number ? Name : never]: Bounds };

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const GIBIBYTE = 1_073_741_824;
const MILLION = 1_000_000;

/** The bounds of every number among the options, in the unit its name says. */
export const BOUNDS: { readonly [Part in "server" | "history" | "presence" | "limits"]: NumbersOf<Settings[Part]> } = {
  server: { port: [0, 65_535], pingMs: [1, DAY_MS], drainMs: [0, DAY_MS] },
  history: { count: [1, MILLION], ageMs: [1, DAY_MS], bytes: [1, GIBIBYTE] },
  presence: { leaveGraceMs: [0, DAY_MS] },
  limits: {
    messageBytes: [1, GIBIBYTE],
    frameBytes: [1, GIBIBYTE],
    initBytes: [1, GIBIBYTE],
    initTimeoutMs: [1, DAY_MS],
    documentTokens: [1, MILLION],
    documentDepth: [1, 100],
    documentAliases: [0, MILLION],
    documentFields: [1, MILLION],
    answerNodes: [1, MILLION],
    operationIdCharacters: [1, MILLION],
    subscriptionsPerConnection: [1, MILLION],
    roomsPerSession: [1, MILLION],
    connections: [1, MILLION],
    connectionsPerAddress: [0, MILLION],
    messagesPerSecond: [0, MILLION],
    refusedTokensPerMinute: [0, MILLION],
    outboxBytes: [1, GIBIBYTE],
  },
};

/** The name of a node: short, and one word in a log. */
export const NODE_ID_RULE: Rule<string> = {
  requirement: "must be 1 to 128 letters, digits or signs of ASCII, without spaces",
  accepts: (nodeId) => /^[!-~]{1,128}$/.test(nodeId),
};

/** Where to listen. An empty host would mean every address. */
export const HOST_RULE: Rule<string> = {
  requirement: "must be an IP address or a host name, without brackets or a port",
  accepts: (host) => /^(?:[\w.-]+|[\da-f.:]+(?:%[\w.-]+)?)$/i.test(host),
};

/** A page's origin. A pattern or a path would look like a permission and never match. */
export const ORIGIN_RULE: Rule<string> = {
  requirement: 'must be an origin such as "https://app.example.com", without a path or wildcards',
  accepts: (origin) => /^https?:\/\/[^\s/?#@\\*]+$/i.test(origin) && URL.canParse(origin),
};

/** A reverse proxy's address, or a network of them. A name would have to be looked up, and may change. */
export const PROXY_RULE: Rule<string> = {
  requirement: 'must be an IP address, or a network such as "10.0.0.0/8"',
  accepts(proxy) {
    const [, address = "", bits = "0"] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(proxy) ?? [];
    return isIPv4(address) ? Number(bits) <= 32 : isIPv6(address) && Number(bits) <= 128;
  },
};

/** A scope somebody wrote down. */
export const SCOPE_RULE: Rule<string> = {
  requirement: `must be one of ${SCOPES.join(", ")}`,
  accepts: (scope) => SCOPES.includes(scope as Scope),
};

/** A secret to sign with: shorter ones can be guessed from any one token (RFC 7518 section 3.2). */
export const SECRET_RULE: Rule<string> = {
  requirement: 'must be at least 32 random bytes, such as from "openssl rand -base64 48"',
  accepts: (secret) => new TextEncoder().encode(secret).length >= 32,
};

/** Where keys are fetched from. */
export const JWKS_URL_RULE: Rule<string> = {
  requirement: 'must be a URL such as "https://id.example.com/.well-known/jwks.json"',
  accepts: (url) => /^https?:\/\//i.test(url) && URL.canParse(url),
};

/** A text that somebody compares with another. */
export const WORD_RULE: Rule<string> = {
  requirement: "must not be empty",
  accepts: (text) => text !== "",
};

/** A cookie's name (RFC 6265 section 4.1.1). */
export const COOKIE_RULE: Rule<string> = {
  requirement: "must be the name of a cookie: letters, digits and signs without spaces",
  accepts: (name) => /^[\w!#$%&'*+.^`|~-]{1,128}$/.test(name),
};

/** How far two clocks may be apart, in milliseconds. */
export const LEEWAY_BOUNDS: Bounds = [0, HOUR_MS];

/** A number without a fraction, within bounds. */
export function integerRule([least, greatest]: Bounds): Rule<number> {
  return {
    requirement: `must be an integer from ${least} to ${greatest}`,
    accepts: (value) => Number.isInteger(value) && value >= least && value <= greatest,
  };
}

/**
 * Checks each value once.
 *
 * @throws {TypeError} for a value of the wrong type
 * @throws {RangeError} for any other that cannot be used
 */
export function checkSettings(settings: Settings): void {
  const { nodeId, server, auth } = settings;
  if (nodeId !== undefined) checkText("nodeId", nodeId, NODE_ID_RULE);
  checkText("server.host", server.host, HOST_RULE);
  checkList("server.allowedOrigins", server.allowedOrigins, ORIGIN_RULE);
  checkList("server.trustedProxies", server.trustedProxies, PROXY_RULE);
  checkType("server.pages", server.pages, "boolean");
  if (server.introspection !== undefined) checkType("server.introspection", server.introspection, "boolean");
  checkType("server.compression", server.compression, "boolean");
  checkType("auth.anonymous", auth.anonymous, "boolean");
  checkList("auth.anonymousScopes", auth.anonymousScopes, SCOPE_RULE);
  if (auth.authorize !== undefined) checkType("auth.authorize", auth.authorize, "function");
  for (const [part, numbers] of Object.entries(BOUNDS)) {
    const values: Readonly<Record<string, unknown>> = { ...settings[part as keyof typeof BOUNDS] };
    for (const [name, bounds] of Object.entries(numbers)) checkNumber(`${part}.${name}`, values[name], bounds);
  }
  if (auth.jwt !== undefined) checkJwt(auth.jwt);
  if (auth.jwt !== undefined && auth.anonymous) {
    throw new TypeError(
      "Cannot use auth.jwt together with auth.anonymous: either tokens say who comes in, or anybody does",
    );
  }
  if (auth.jwt === undefined && !auth.anonymous && !isLoopbackHost(server.host)) {
    throw new RangeError(
      `Cannot use ${show(server.host)} as server.host without authentication: ` +
        "must be a loopback address, or set auth.jwt to ask for tokens, or auth.anonymous to let anybody in",
    );
  }
}

function checkJwt(jwt: JwtSettings): void {
  const { secret, publicKeys, jwksUrl, issuer, audience, leewayMs, cookie } = jwt;
  if ([secret, publicKeys, jwksUrl].filter((source) => source !== undefined).length !== 1) {
    throw new TypeError("Cannot use auth.jwt: must have one of secret, publicKeys and jwksUrl");
  }
  // A secret is not to be seen, not even a wrong one.
  if (secret !== undefined && (typeof secret !== "string" || !SECRET_RULE.accepts(secret))) {
    throw new RangeError(`Cannot use auth.jwt.secret: ${SECRET_RULE.requirement}`);
  }
  if (publicKeys !== undefined) checkText("auth.jwt.publicKeys", publicKeys, WORD_RULE);
  if (jwksUrl !== undefined) checkText("auth.jwt.jwksUrl", jwksUrl, JWKS_URL_RULE);
  if (issuer !== undefined) checkText("auth.jwt.issuer", issuer, WORD_RULE);
  if (audience !== undefined) checkText("auth.jwt.audience", audience, WORD_RULE);
  checkNumber("auth.jwt.leewayMs", leewayMs, LEEWAY_BOUNDS);
  checkText("auth.jwt.cookie", cookie, COOKIE_RULE);
}

/** @throws {TypeError} when the value is not of the type */
export function checkType(name: string, value: unknown, type: "boolean" | "function" | "object"): void {
  if (typeof value !== type || value === null) {
    throw new TypeError(`Cannot use ${show(value)} as ${name}: must be ${type === "object" ? "an" : "a"} ${type}`);
  }
}

function checkText(name: string, value: unknown, rule: Rule<string>): void {
  if (typeof value !== "string") throw new TypeError(cannotUse(name, value, rule));
  if (!rule.accepts(value)) throw new RangeError(cannotUse(name, value, rule));
}

function checkList(name: string, values: unknown, rule: Rule<string>): void {
  if (!Array.isArray(values)) throw new TypeError(`Cannot use ${show(values)} as ${name}: must be an array`);
  for (const value of values) checkText(`one of ${name}`, value, rule);
}

function checkNumber(name: string, value: unknown, bounds: Bounds): void {
  const rule = integerRule(bounds);
  if (typeof value !== "number") throw new TypeError(cannotUse(name, value, rule));
  if (!rule.accepts(value)) throw new RangeError(cannotUse(name, value, rule));
}

function cannotUse(name: string, value: unknown, rule: Rule<never>): string {
  return `Cannot use ${show(value)} as ${name}: ${rule.requirement}`;
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
