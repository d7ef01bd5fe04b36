import { parseArgs } from "@std/cli/parse-args";
import {
  BOUNDS,
  COOKIE_RULE,
  HOST_RULE,
  JWKS_URL_RULE,
  LEEWAY_BOUNDS,
  NODE_ID_RULE,
  ORIGIN_RULE,
  PROXY_RULE,
  SCOPE_RULE,
  SECRET_RULE,
  WORD_RULE,
} from "./check_options.ts";
import type { Scope } from "./core/auth.ts";
import { isLoopbackHost } from "./core/loopback.ts";
import { LOG_LEVELS, type LogLevel } from "./core/telemetry.ts";
import { DEFAULTS, JWT_DEFAULTS, type JwtOptions, type RoomsOptions } from "./options.ts";
import { boolean, choice, integer, type Kind, list, seconds, text } from "./setting_kinds.ts";
import { LOG_FORMATS, type LogFormat } from "./telemetry/log.ts";

/** Where settings come from. */
export interface SettingsSource {
  readonly args: readonly string[];
  /** The value of an environment variable. Called once for each variable of {@linkcode SETTINGS}. */
  readonly variable: (name: string) => string | undefined;
  /** Whether the log goes to a terminal. */
  readonly isTerminal: boolean;
}

/** What the command line asks for. */
export type Command =
  | { readonly kind: "help" | "version" }
  | StartCommand;

/** To start a server. */
export interface StartCommand {
  readonly kind: "start";
  /** All of them, but for the public keys where they are in a file. */
  readonly options: RoomsOptions;
  readonly log: LogSettings;
  /** The file that holds the public keys. */
  readonly keyFile: string | undefined;
}

/** What to write of what happens, and how. */
export interface LogSettings {
  readonly level: LogLevel;
  readonly format: LogFormat;
}

/** A flag or variable that cannot be used. Its message is one line, for whoever starts the server. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/** One thing that can be set, by flag and by environment variable. */
export interface Setting {
  /** The flag without its two dashes. */
  readonly flag: string;
  /** The environment variable: the flag in capitals. */
  readonly variable: string;
  /** What a value looks like, for the help. */
  readonly placeholder: string;
  readonly defaultText: string;
  readonly help: string;
  /** What a value must be, as the end of a message. */
  readonly requirement: string;
  /** What the flag means without a value; undefined: it needs one. */
  readonly bare: string | undefined;
  /** Whether nobody may see its value, not even a wrong one. */
  readonly isSecret: boolean;
  /** Reads the text into the draft. False, and nothing done, when it is not what is required. */
  read(text: string, draft: Draft): boolean;
}

/** Everything that can be set, in the order of the help. */
export const SETTINGS: readonly Setting[] = [
  setting("port", integer(BOUNDS.server.port), {
    help: "TCP port to listen on; 0 takes a free one",
    defaultText: String(DEFAULTS.server.port),
    put: (draft, value) => draft.server.port = value,
  }),
  setting("host", text("address", HOST_RULE), {
    help: "address to listen on; any but a loopback address needs tokens or --anonymous",
    defaultText: DEFAULTS.server.host,
    put: (draft, value) => draft.server.host = value,
  }),
  setting("jwt-secret", text("secret", SECRET_RULE), {
    help:
      "secret that tokens are signed with (HS256, HS384, HS512); better a variable than a flag, which others can see",
    defaultText: "none, no tokens are asked for",
    isSecret: true,
    put: (draft, value) => draft.jwt.secret = value,
  }),
  setting("jwks-url", text("URL", JWKS_URL_RULE), {
    help: "where the public keys of whoever signs tokens are to be had, as a JWK set",
    defaultText: "none",
    put: (draft, value) => draft.jwt.jwksUrl = value,
  }),
  setting("jwt-key-file", text("file", WORD_RULE), {
    help: "file with the public keys of whoever signs tokens: PEM, JWK or JWK set",
    defaultText: "none",
    put: (draft, value) => draft.keyFile = value,
  }),
  setting("jwt-issuer", text("issuer", WORD_RULE), {
    help: "what a token's iss must be",
    defaultText: "whatever it is",
    put: (draft, value) => draft.jwt.issuer = value,
  }),
  setting("jwt-audience", text("audience", WORD_RULE), {
    help: "what a token's aud must be, or hold",
    defaultText: "whatever it is",
    put: (draft, value) => draft.jwt.audience = value,
  }),
  setting("jwt-leeway-seconds", seconds(LEEWAY_BOUNDS), {
    help: "how far the clocks of whoever signs tokens and of this server may be apart",
    defaultText: String(JWT_DEFAULTS.leewayMs / 1_000),
    put: (draft, value) => draft.jwt.leewayMs = value,
  }),
  setting("token-cookie", text("name", COOKIE_RULE), {
    help: "cookie that may hold the token",
    defaultText: JWT_DEFAULTS.cookie,
    put: (draft, value) => draft.jwt.cookie = value,
  }),
  setting("anonymous", boolean(), {
    help: "let anybody in on any address, with --anonymous-scopes",
    defaultText: "off, open on a loopback address only",
    put: (draft, value) => draft.auth.anonymous = value,
  }),
  setting("anonymous-scopes", list<Scope>("scopes", SCOPE_RULE), {
    help: "what anybody may do with --anonymous",
    defaultText: DEFAULTS.auth.anonymousScopes.join(","),
    put: (draft, value) => draft.auth.anonymousScopes = value,
  }),
  setting("allowed-origins", list("origins", ORIGIN_RULE), {
    help: "origins whose pages may connect, beside the server's own",
    defaultText: "none, and localhost while the server is open on a loopback address",
    put: (draft, value) => draft.server.allowedOrigins = value,
  }),
  setting("no-pages", boolean(), {
    help: "serve no pages: neither the console at / nor GraphiQL",
    defaultText: "off, the pages are served",
    put: (draft, value) => draft.server.pages = !value,
  }),
  setting("introspection", boolean(), {
    help: "tell clients what the schema holds, also what a mistyped name may have meant",
    defaultText: "on while nobody needs a token",
    put: (draft, value) => draft.server.introspection = value,
  }),
  setting("compression", boolean(), {
    help: "compress large messages for WebSocket clients that offer it",
    defaultText: "off",
    put: (draft, value) => draft.server.compression = value,
  }),
  setting("history-count", integer(BOUNDS.history.count), {
    help: "entries kept in each stream",
    defaultText: String(DEFAULTS.history.count),
    put: (draft, value) => draft.history.count = value,
  }),
  setting("history-age-seconds", seconds(BOUNDS.history.ageMs), {
    help: "how long an entry is kept",
    defaultText: String(DEFAULTS.history.ageMs / 1_000),
    put: (draft, value) => draft.history.ageMs = value,
  }),
  setting("node-id", text("name", NODE_ID_RULE), {
    help: "name of this node in logs and in Server.node",
    defaultText: "random, new at each start",
    put: (draft, value) => draft.nodeId = value,
  }),
  setting("drain-seconds", seconds(BOUNDS.server.drainMs), {
    help: "how long a stop waits for clients to go",
    defaultText: String(DEFAULTS.server.drainMs / 1_000),
    put: (draft, value) => draft.server.drainMs = value,
  }),
  setting("leave-grace-seconds", seconds(BOUNDS.presence.leaveGraceMs), {
    help: "how long after its last connection a user leaves its rooms",
    defaultText: String(DEFAULTS.presence.leaveGraceMs / 1_000),
    put: (draft, value) => draft.presence.leaveGraceMs = value,
  }),
  setting("ping-seconds", seconds(BOUNDS.server.pingMs), {
    help: "how often sockets are pinged; one silent for two pings is ended",
    defaultText: String(DEFAULTS.server.pingMs / 1_000),
    put: (draft, value) => draft.server.pingMs = value,
  }),
  setting("max-connections", integer(BOUNDS.limits.connections), {
    help: "open connections; keep it 1,024 below the limit of file descriptors",
    defaultText: String(DEFAULTS.limits.connections),
    put: (draft, value) => draft.limits.connections = value,
  }),
  setting("max-connections-per-address", integer(BOUNDS.limits.connectionsPerAddress), {
    help: "open connections of one address; 0 is any number",
    defaultText: String(DEFAULTS.limits.connectionsPerAddress),
    put: (draft, value) => draft.limits.connectionsPerAddress = value,
  }),
  setting("trusted-proxies", list("addresses", PROXY_RULE), {
    help: "reverse proxies whose X-Forwarded-For is believed",
    defaultText: "none, an address is whoever connects",
    put: (draft, value) => draft.server.trustedProxies = value,
  }),
  setting("rate-limit", integer(BOUNDS.limits.messagesPerSecond), {
    help: "messages a second of one user, twice as many at once; 0 is off",
    defaultText: String(DEFAULTS.limits.messagesPerSecond),
    put: (draft, value) => draft.limits.messagesPerSecond = value,
  }),
  setting("log-level", choice("level", LOG_LEVELS), {
    help: `least level logged: ${LOG_LEVELS.join(", ")}`,
    defaultText: "info",
    put: (draft, value) => draft.log.level = value,
  }),
  setting("log-format", choice("format", LOG_FORMATS), {
    help: "pretty for people, json for programs (one object a line)",
    defaultText: "pretty on a terminal, else json",
    put: (draft, value) => draft.log.format = value,
  }),
];

/**
 * Reads the command line and the environment. A flag wins over its variable, and an
 * empty variable counts as unset.
 *
 * @throws {SettingsError} for the first flag or variable that cannot be used
 */
export function readSettings({ args, variable, isTerminal }: SettingsSource): Command {
  const flags = parseFlags(args);
  if (flags.command !== undefined) return { kind: flags.command };
  const draft: Draft = {
    server: {},
    auth: {},
    history: {},
    presence: {},
    limits: {},
    jwt: {},
    keyFile: undefined,
    log: { level: "info", format: isTerminal ? "pretty" : "json" },
  };
  const names = new Map<string, string>();
  for (const setting of SETTINGS) {
    const flagText = flags.values.get(setting.flag);
    const value = flagText ?? (variable(setting.variable) || undefined);
    if (value === undefined) continue;
    const name = flagText === undefined ? setting.variable : `--${setting.flag}`;
    if (!setting.read(value, draft)) {
      const shown = setting.isSecret ? name : `${JSON.stringify(value)} as ${name}`;
      throw new SettingsError(`Cannot use ${shown}: ${setting.requirement}`);
    }
    names.set(setting.flag, name);
  }
  checkOpenness(draft, names);
  const { log, jwt, keyFile, ...options } = draft;
  if (!asksForTokens(names)) return { kind: "start", options, log, keyFile };
  return { kind: "start", options: { ...options, auth: { ...options.auth, jwt } }, log, keyFile };
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };
type Part<Name extends "server" | "auth" | "history" | "presence" | "limits"> = Writable<
  NonNullable<RoomsOptions[Name]>
>;

/** What has been read so far. */
interface Draft {
  nodeId?: string;
  readonly server: Part<"server">;
  readonly auth: Part<"auth">;
  readonly history: Part<"history">;
  readonly presence: Part<"presence">;
  readonly limits: Part<"limits">;
  readonly jwt: Writable<JwtOptions>;
  keyFile: string | undefined;
  readonly log: Writable<LogSettings>;
}

interface SettingDetails<T> {
  readonly help: string;
  readonly defaultText: string;
  readonly isSecret?: boolean;
  readonly put: (draft: Draft, value: T) => void;
}

function setting<T>(
  flag: string,
  kind: Kind<T>,
  { help, defaultText, isSecret = false, put }: SettingDetails<T>,
): Setting {
  return {
    flag,
    variable: flag.toUpperCase().replaceAll("-", "_"),
    placeholder: kind.placeholder,
    defaultText,
    help,
    requirement: kind.requirement,
    bare: kind.bare,
    isSecret,
    read(text, draft) {
      const value = kind.parse(text);
      if (value === undefined) return false;
      put(draft, value);
      return true;
    },
  };
}

/** The flags given, by name, as text. */
interface Flags {
  readonly command: "help" | "version" | undefined;
  readonly values: ReadonlyMap<string, string>;
}

function parseFlags(args: readonly string[]): Flags {
  const unknown: string[] = [];
  const names = SETTINGS.map(({ flag }) => flag);
  const parsed = parseArgs(args.flatMap(splitNegated), {
    boolean: ["help", "version"],
    alias: { h: "help" },
    // Everything else is text, because parseArgs would take any text for true.
    string: names,
    collect: names,
    negatable: SETTINGS.filter(({ bare }) => bare !== undefined).map(({ flag }) => flag),
    unknown: (arg) => {
      unknown.push(arg);
      return false;
    },
  });
  if (parsed.help === true) return { command: "help", values: new Map() };
  if (parsed.version === true) return { command: "version", values: new Map() };
  const values = new Map<string, string>();
  for (const { flag, bare, requirement } of SETTINGS) {
    // With --no-<flag> there is a false in place of the list.
    const given = parsed[flag] === false ? ["false"] : parsed[flag] as readonly string[];
    if (given.length > 1) throw new SettingsError(`Cannot use --${flag} more than once`);
    const value = given[0] === "" ? bare : given[0];
    if (value !== undefined) values.set(flag, value);
    else if (given.length > 0) throw new SettingsError(`Cannot use --${flag} without a value: ${requirement}`);
  }
  const [first] = [...unknown, ...parsed._.map(String)];
  if (first !== undefined) throw new SettingsError(`Cannot use ${JSON.stringify(first)}: no such flag, see --help`);
  return { command: undefined, values };
}

/** With a value behind `=`, parseArgs forgets the `no-`: `--no-anonymous=true` would let everybody in. */
function splitNegated(arg: string): readonly string[] {
  const [, flag, value] = /^(--no-[^=]*)=(.*)$/s.exec(arg) ?? [];
  return flag === undefined || value === undefined ? [arg] : [flag, value];
}

/** The settings that make the server ask for tokens, and those that say more about them. */
const KEY_SOURCES = ["jwt-secret", "jwks-url", "jwt-key-file"] as const;
const TOKEN_DETAILS = ["jwt-issuer", "jwt-audience", "jwt-leeway-seconds", "token-cookie"] as const;

function asksForTokens(names: ReadonlyMap<string, string>): boolean {
  return KEY_SOURCES.some((flag) => names.has(flag));
}

/** Checks that everybody is let in only where somebody said so, and that nobody has said two things. */
function checkOpenness({ server, auth }: Draft, names: ReadonlyMap<string, string>): void {
  const [source, second] = KEY_SOURCES.filter((flag) => names.has(flag)).map((flag) => names.get(flag));
  const detail = TOKEN_DETAILS.find((flag) => names.has(flag));
  if (second !== undefined) {
    throw new SettingsError(
      `Cannot use ${source} together with ${second}: only one of them can say which tokens are good`,
    );
  }
  if (source !== undefined && auth.anonymous) {
    throw new SettingsError(
      `Cannot use ${names.get("anonymous")} together with ${source}: either tokens say who comes in, or anybody does`,
    );
  }
  if (source === undefined && detail !== undefined) {
    throw new SettingsError(
      `Cannot use ${names.get(detail)} without JWT_SECRET, JWKS_URL or JWT_KEY_FILE: it would have no effect`,
    );
  }
  if (source === undefined && !auth.anonymous && server.host !== undefined && !isLoopbackHost(server.host)) {
    throw new SettingsError(
      `Cannot use ${JSON.stringify(server.host)} as ${names.get("host")} without authentication: ` +
        "must be a loopback address, or ask for tokens (JWT_SECRET), or let anybody in with --anonymous (ANONYMOUS=true)",
    );
  }
  if (!auth.anonymous && auth.anonymousScopes !== undefined) {
    throw new SettingsError(
      `Cannot use ${names.get("anonymous-scopes")} without --anonymous (ANONYMOUS=true): it would have no effect`,
    );
  }
}
