import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { startLocalServer } from "./local_server.ts";
import { troubles } from "./outcomes.ts";
import { runSequence, sequences } from "./protocol_run.ts";

/** How much is tried. */
export interface ProtocolSoakOptions {
  readonly count: number;
  /** Repeats a run; random when there is none. */
  readonly seed?: number;
  readonly compression?: boolean;
}

/** Sequences that run at once. */
const AT_ONCE = 25;

/** Runs so many sequences against a server, each beside others, and fails with the smallest that comes out otherwise. */
export async function soakProtocol({ count, seed, compression = false }: ProtocolSoakOptions): Promise<void> {
  await using server = await startLocalServer({ server: { compression } });
  const options = compression ? { extensions: "permessage-deflate" } : {};
  let rooms = 0;
  const property = fc.asyncProperty(
    fc.array(sequences(), { minLength: AT_ONCE, maxLength: AT_ONCE }),
    async (together) => {
      await Promise.all(
        together.map((sequence) => runSequence(server.port, { sequence, room: `room-${rooms++}` }, options)),
      );
    },
  );
  await fc.assert(property, { numRuns: Math.ceil(count / AT_ONCE), ...(seed === undefined ? {} : { seed }) });
  const { data } = await server.query("{ server { connections subscriptions rooms } }");
  assertEquals(data.server, { connections: 0, subscriptions: 0, rooms: 0 });
  assertEquals(troubles(server), []);
}
