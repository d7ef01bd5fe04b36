import type { Context } from "../graphql/context.ts";
import type { Operation, Operations } from "../graphql/operations.ts";
import type { RunningOperation } from "./running_operation.ts";
import { sendAnswer } from "./socket_answer.ts";
import type { SocketConnection } from "./socket_connection.ts";

/** A query or mutation that a connection runs. */
export interface SocketExecution {
  readonly connection: SocketConnection;
  readonly running: RunningOperation;
  readonly operation: Operation;
  readonly context: Context;
  readonly operations: Operations;
  /** The ids that makeServer takes for taken. */
  readonly subscriptions: Record<string, unknown>;
}

/** Runs a query or mutation past makeServer, and sends its answer once its reader has room for it. */
export async function runSocketExecution(
  { connection, running, operation, context, operations, subscriptions }: SocketExecution,
): Promise<void> {
  const { executions, outbox } = connection;
  // Nothing is awaited that is there already: this is the way of every message.
  const entered = executions.enter();
  if (entered !== undefined) await entered;
  try {
    // Whose it is may be about to change.
    if (connection.continuing !== undefined) await connection.continuing;
    // Completed, or gone with its connection, while it waited: nobody wants it any more.
    if (running.ended) return;
    const json = await operations.answer(operation, context);
    // Answers wait for a reader that lags: only live events may cost it its connection.
    for (let wait = outbox.busy(); wait !== undefined; wait = outbox.busy()) await wait;
    // Sent here, where it was just seen that there is room; unless its id is another's by now.
    if (running.ended) return;
    running.end("COMPLETED");
    // makeServer forgets the id when the client completes it: then nobody waits for the answer.
    if (!(running.id in subscriptions)) return;
    delete subscriptions[running.id];
    sendAnswer(outbox, running.id, json);
  } finally {
    executions.leave();
  }
}
