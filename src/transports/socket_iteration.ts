import type { ExecutionResult } from "graphql";
import type { ErrorMask } from "../graphql/errors.ts";
import type { RunningOperation } from "./running_operation.ts";
import { sendErrors } from "./socket_answer.ts";
import type { SocketConnection } from "./socket_connection.ts";

/** A subscription to a field of the program's own, which returned an ordinary iterable. */
export interface SocketIteration {
  readonly connection: SocketConnection;
  readonly running: RunningOperation;
  readonly iterable: AsyncIterable<ExecutionResult>;
  /** The ids that makeServer takes for taken. */
  readonly subscriptions: Record<string, unknown>;
  readonly mask: ErrorMask;
}

/**
 * Sends what an ordinary iterable yields, no faster than the reader reads.
 *
 * Past makeServer, whose loop would say `complete` of the id, and free it, when its
 * client has long given it to another operation.
 */
export async function runSocketIteration(
  { connection, running, iterable, subscriptions, mask }: SocketIteration,
): Promise<void> {
  const { outbox } = connection;
  const { id } = running;
  const end = (): void => {
    running.end("COMPLETED");
    delete subscriptions[id];
  };
  try {
    for await (const { errors, ...result } of iterable) {
      for (let wait = outbox.busy(); wait !== undefined; wait = outbox.busy()) await wait;
      if (running.ended) return;
      const shown = errors === undefined ? result : { ...result, errors: errors.map(mask) };
      outbox.sendText(JSON.stringify({ id, type: "next", payload: shown }));
    }
    if (running.ended) return;
    end();
    outbox.sendText(JSON.stringify({ id, type: "complete" }));
  } catch (error) {
    const errors = [mask(error)];
    if (running.ended) return;
    end();
    sendErrors(outbox, id, errors);
  }
}
