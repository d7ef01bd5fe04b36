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

  constructor(deps: GateDeps) {
    this.#deps = deps;
  }

  /** @throws {RealtimeError} `FORBIDDEN` */
  async require(caller: Caller, action: Action): Promise<void> {
    if (await this.allows(caller, action)) return;
    throw new RealtimeError("FORBIDDEN", `Cannot ${describeAction(action)}: not allowed`);
  }

  /** Whether the caller may. Never rejects. */
  async allows(caller: Caller, action: Action): Promise<boolean> {
    try {
      return await this.#deps.authorize(caller.principal, action);
    } catch (error) {
      // An authorizer that fails has not said yes.
      this.#deps.telemetry.record("error", "authorize.failed", { action: action.kind, error: describeError(error) });
      return false;
    }
  }
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
