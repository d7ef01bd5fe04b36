import { RealtimeError } from "./errors.ts";

/** What a caller may do, coarsely. `admin` implies all others. */
export const SCOPES = ["read", "send", "join", "broadcast", "moderate", "admin"] as const;

/** A scope of {@linkcode SCOPES}. */
export type Scope = typeof SCOPES[number];

/** What a principal may be allowed in some rooms and not in others. */
export type RoomRight = Extract<Scope, "read" | "send" | "join">;

/** In which rooms a principal may read, send and join. */
export interface RoomRights {
  /** Whether the right is given for the room. Its name is as `parseRoomName` makes it. */
  allows(room: string, right: RoomRight): boolean;
}

/** Who somebody is and what they may do: the result of authentication. */
export interface Principal {
  readonly userId: string;
  readonly scopes: ReadonlySet<Scope>;
  /** Narrows the scopes read, send and join to some rooms; absent: they hold anywhere. */
  readonly rooms?: RoomRights;
  /** Tells the token it was made of from others; absent without tokens. */
  readonly tokenId?: string;
  /** When the proof of identity ends, in milliseconds since the Unix epoch; null: never. */
  readonly expiresAtMs: number | null;
}

/** What a transport found out about a caller, before anybody judges it. */
export interface Credentials {
  /** From connection_init, header, cookie or query, in that order. */
  readonly token: string | null;
  /** The user the caller says it is; counts only in open mode. */
  readonly claimedUserId: string | null;
  /** The secret of the guest cookie, old or just made; null where guests have no cookie. */
  readonly guestSecret: string | null;
}

/**
 * Tells who a caller is.
 *
 * Called once for each connection (when its connection_init is read) and once for
 * each HTTP request, before anything else is done for it; and for each token that is
 * brought later.
 */
export interface Authenticator {
  /** Whether guests are known by a cookie, so that transports hand one out. */
  readonly usesGuestCookie: boolean;
  /** Whether nobody can do anything without a token. */
  readonly needsToken: boolean;
  /** How long a principal is still good after its `expiresAtMs`, in milliseconds. */
  readonly leewayMs: number;
  /**
   * Gets ready. Called once, before the first `authenticate`.
   *
   * @throws {TypeError} when it was made of what cannot be used
   */
  open(): Promise<void>;
  /** Whether the token was found good before. It need not be so still: only `authenticate` tells. */
  wasGood(token: string): boolean;
  /**
   * @throws {RealtimeError} `UNAUTHENTICATED` when the credentials are refused,
   * {@linkcode TokenExpired} when nothing is wrong with the token but its age,
   * `ENGINE_UNAVAILABLE` while it cannot be told. The message is shown to the caller.
   */
  authenticate(credentials: Credentials): Promise<Principal>;
}

/** The refusal of a token that was good once. Its client is to come back with a new one. */
export class TokenExpired extends RealtimeError {
  constructor() {
    super("UNAUTHENTICATED", "token expired");
  }
}

/** What somebody wants to do. */
export type Action =
  | { readonly kind: RoomRight; readonly room: string }
  | { readonly kind: "readEveryone" | "admin" }
  /** A null room is all of them: for `broadcast` everyone is sent to. */
  | { readonly kind: "broadcast" | "moderate"; readonly room: string | null };

/**
 * Whether a principal may do something: only `true`, or a promise of it, is a yes.
 *
 * Asked before every action, and nothing of the action happens before its answer. A
 * subscription asks `read` (of no room `readEveryone`), and with `join: true` also
 * `join`, each time it begins: when it resumes too, whoever remembers where it was. A
 * session that is continued asks `join` for each room it had joined. What has begun is
 * asked anew only by `reauthorize`. An action is asked once for each room it is about;
 * the program itself asks as the user `server`. A throw or a rejection is logged, and
 * counts as no.
 */
export type Authorize = (principal: Principal, action: Action) => boolean | Promise<boolean>;

/** Whether the principal holds the scope, itself or through `admin`. */
export function hasScope(principal: Principal, scope: Scope): boolean {
  return principal.scopes.has(scope) || principal.scopes.has("admin");
}
