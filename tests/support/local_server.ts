import type { GraphQLSchema } from "graphql";
import { createRooms } from "../../src/create_rooms.ts";
import type { Clock } from "../../src/core/clock.ts";
import type { RoomsOptions } from "../../src/options.ts";
import { RecordingTelemetry } from "./recording_telemetry.ts";

/** A server in the test's own process, on a free port. */
export interface LocalServer extends AsyncDisposable {
  readonly url: string;
  readonly webSocketUrl: string;
  readonly port: number;
  readonly telemetry: RecordingTelemetry;
  reauthorize(userId?: string): Promise<void>;
  // deno-lint-ignore no-explicit-any -- tests look into whatever came back
  query(query: string, variables?: Record<string, unknown>): Promise<any>;
  degrade(reason: string): void;
}

/** Starts a server with these options, in the time of this clock, with its own schema or another. */
export async function startLocalServer(
  options: RoomsOptions = {},
  clock?: Clock,
  schema?: GraphQLSchema,
): Promise<LocalServer> {
  const telemetry = new RecordingTelemetry();
  const server = createRooms(
    { telemetry, ...options, server: { port: 0, drainMs: 1_000, ...options.server } },
    clock,
    schema,
  );
  const { url, port } = await server.listen();
  return {
    url,
    webSocketUrl: url.replace("http", "ws"),
    port,
    telemetry,
    reauthorize: (userId) => server.reauthorize(userId),
    async query(query, variables = {}) {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query, variables }),
      });
      return await response.json();
    },
    degrade: (reason) => server.degrade(reason),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
