import type { ServerProcess } from "./server_process.ts";

/** How long a test waits for what must come, in milliseconds, before it fails. */
const PATIENCE_MS = 10_000;

/** Resolves once the server has so many live subscriptions. */
export async function untilSubscribed(server: ServerProcess, count: number): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while ((await server.post("{ server { subscriptions } }")).body.data.server.subscriptions < count) {
    if (performance.now() > endMs) throw new Error(`Cannot find ${count} subscriptions: nobody subscribes`);
  }
}
