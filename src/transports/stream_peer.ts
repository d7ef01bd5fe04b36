import { type Principal, TokenExpired } from "../core/auth.ts";
import { RealtimeError } from "../core/errors.ts";
import type { Expiries, Expiring } from "../core/expiries.ts";
import type { SessionPeer } from "../core/sessions.ts";

/** What a stream's user is known by. */
export interface StreamViewer {
  principal: Principal;
}

/** A stream, as its session needs it: it ends with its user's token, or when its user may not stay. */
export class StreamPeer implements SessionPeer, Expiring {
  readonly #end: (reason: RealtimeError) => void;
  readonly #expiries: Expiries;
  #viewer: StreamViewer | undefined;

  /** `end` says the reason on the stream and ends it. */
  constructor(end: (reason: RealtimeError) => void, expiries: Expiries) {
    this.#end = end;
    this.#expiries = expiries;
  }

  /** Begins to wait for the end of the viewer's token. */
  begin(viewer: StreamViewer): void {
    this.#viewer = viewer;
    this.#expiries.set(this, viewer.principal.expiresAtMs);
  }

  get principal(): Principal | undefined {
    return this.#viewer?.principal;
  }

  refresh(principal: Principal): void {
    if (this.#viewer === undefined) return;
    this.#viewer.principal = principal;
    this.#expiries.set(this, principal.expiresAtMs);
  }

  disconnect(reason: string): void {
    this.#end(new RealtimeError("UNAUTHENTICATED", reason));
  }

  expire(): void {
    this.#end(new TokenExpired());
  }

  /** The stream has ended. */
  close(): void {
    this.#viewer = undefined;
    this.#expiries.delete(this);
  }
}
