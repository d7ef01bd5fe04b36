import type { Action, Authorize } from "./auth.ts";
import type { Caller } from "./caller.ts";
import { RealtimeError } from "./errors.ts";
import { describeError, type Telemetry } from "./telemetry.ts";

/** What the gate needs. */
export interface GateDeps {
  readonly authorize: Authorize;
  readonly telemetry: Telemetry;
}

/** Asks whether a caller may do something: nothing is done before its answer (G10). */
export class Gate {
  readonly #deps: GateDeps;
  #generation = 0;

  constructor(deps: GateDeps) {
    this.#deps = deps;
  }

  /** Grows whenever answers may have changed: one that was asked for before may be out of date. */
  get generation(): number {
    return this.#generation;
  }

  /** Says that answers may have changed. */
  renew(): void {
    this.#generation++;
  }

  /**
   * Undefined when the caller may, else a promise of the answer.
   *
   * @throws {RealtimeError} `FORBIDDEN`
   */
  require(caller: Caller, action: Action): Promise<void> | undefined {
    const allowed = this.allows(caller, action);
    return allowed === true ? undefined : this.#refuseUnless(allowed, action);
  }

  /** Whether the caller may: at once where the authorizer says it at once. Never throws or rejects. */
  allows({ principal }: Pick<Caller, "principal">, action: Action): boolean | Promise<boolean> {
    try {
      const allowed = this.#deps.authorize(principal, action);
      if (typeof allowed === "boolean") return allowed;
      // Typed or not, only true is a yes.
      return Promise.resolve(allowed).then((answer) => answer === true)
        .catch((error: unknown) => this.#failed(action, error));
    } catch (error) {
      return this.#failed(action, error);
    }
  }

  async #refuseUnless(allowed: boolean | Promise<boolean>, action: Action): Promise<void> {
    if (!await allowed) throw notAllowed(action);
  }

  /** An authorizer that fails has not said yes. */
  #failed(action: Action, error: unknown): false {
    this.#deps.telemetry.record("error", "authorize.failed", { action: action.kind, error: describeError(error) });
    return false;
  }
}

/** The one answer to what is not allowed, whether or not there is anything behind it. */
export function notAllowed(action: Action): RealtimeError {
  return new RealtimeError("FORBIDDEN", `Cannot ${describeAction(action)}: not allowed`);
}

function describeAction(action: Action): string {
  switch (action.kind) {
    case "read":
      return `read room "${action.room}"`;
    case "send":
      return `send to room "${action.room}"`;
    case "join":
      return `join room "${action.room}"`;
    case "readEveryone":
      return "read the messages to everyone";
    case "broadcast":
      return `broadcast without the scope "broadcast"`;
    case "moderate":
      return `moderate without the scope "moderate"`;
    case "admin":
      return `see this without the scope "admin"`;
  }
}
