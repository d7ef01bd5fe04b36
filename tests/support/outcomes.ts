import { assertEquals } from "@std/assert";
import type { LocalServer } from "./local_server.ts";
import { WireClient, type WireClientOptions } from "./wire_client.ts";

/** What a client sends, and what must come of it. */
export interface WireCase {
  readonly name: string;
  /** Written one after the other. */
  readonly chunks: readonly Uint8Array[];
  /** Whether it is sent before the connection_init. @default false */
  readonly early?: boolean;
  /** As {@linkcode WireClient.outcome} tells it. */
  readonly outcome: readonly string[];
}

const AT_ONCE = 25;

/** Runs each case on a connection of its own; fails with those that came out otherwise, and with anything in the log. */
export async function assertOutcomes(
  server: LocalServer,
  cases: readonly WireCase[],
  options: WireClientOptions = {},
): Promise<void> {
  const failed: Record<string, unknown> = {};
  const waiting = [...cases];
  const work = async (): Promise<void> => {
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
      const outcome = await run(server.port, one, options);
      if (JSON.stringify(outcome) !== JSON.stringify(one.outcome)) {
        failed[one.name] = { outcome, expected: one.outcome };
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));

  assertEquals(failed, {});
  assertEquals(troubles(server), []);
}

/** What the server has logged that is more than the coming and going of connections. */
export function troubles({ telemetry }: LocalServer): readonly unknown[] {
  return telemetry.records.filter(({ level }) => level === "warn" || level === "error");
}

async function run(port: number, { chunks, early }: WireCase, options: WireClientOptions): Promise<readonly string[]> {
  await using client = await (early ? WireClient.open : WireClient.ready)(port, options);
  await client.write(...chunks);
  return [...await client.outcome(!early)];
}
