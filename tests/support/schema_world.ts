import type { ExecutionResult, GraphQLSchema } from "graphql";
import { authorizeByScope } from "../../src/auth/policy.ts";
import { type Authorize, type Scope, SCOPES } from "../../src/core/auth.ts";
import type { Caller } from "../../src/core/caller.ts";
import { Hub } from "../../src/core/hub.ts";
import { Rooms } from "../../src/core/rooms.ts";
import { createErrorMask } from "../../src/graphql/errors.ts";
import { LiveSelections } from "../../src/graphql/live_selections.ts";
import { createSchema } from "../../src/graphql/schema.ts";
import { RecordingMember } from "./live_world.ts";
import { createMembershipParts } from "./membership_parts.ts";
import { openOperations } from "./open_operations.ts";
import { openMemoryWorld } from "./memory_world.ts";
import { RecordingTelemetry } from "./recording_telemetry.ts";
import { NO_TOKENS } from "./no_tokens.ts";
import type { Documents } from "../../src/graphql/documents.ts";

/** What a test can choose. */
export interface SchemaWorldOptions {
  readonly schema?: GraphQLSchema;
  readonly authorize?: Authorize;
  /** Of the same schema: what one world has validated the next need not. */
  readonly documents?: Documents;
}

/** An answer whose data a test may look into as it likes. */
export interface Answer extends Omit<ExecutionResult, "data"> {
  // deno-lint-ignore no-explicit-any -- tests look into whatever came back
  readonly data?: any;
  /** The codes of the errors, in order. */
  readonly codes: readonly unknown[];
}

/** The real schema over real rooms and a memory engine, without a transport. */
export async function openSchemaWorld({ schema = createSchema(), authorize, documents }: SchemaWorldOptions = {}) {
  const telemetry = new RecordingTelemetry();
  const { nodes: [engine], clock, core, close } = await openMemoryWorld();
  const hub = new Hub({ log: engine.log, clock, telemetry });
  await hub.open();
  const parts = createMembershipParts({
    presence: engine.presence,
    clock,
    telemetry,
    leaveGraceMs: 10_000,
    maxRoomsPerSession: 10,
  });
  const rooms = new Rooms({
    authenticator: NO_TOKENS,
    engine,
    hub,
    ...parts,
    telemetry,
    authorize: authorize ?? authorizeByScope,
    maxMessageBytes: 1_000,
    nodeStatus: () => ({
      nodeId: "one",
      version: "0.0.0",
      engineName: engine.name,
      startedAtMs: 1_700_000_000_123,
      connections: 1,
      subscriptions: 2,
      rooms: 3,
    }),
  });
  const mask = createErrorMask(telemetry);
  const live = new LiveSelections({ hub, rooms, mask, clock });
  const operations = openOperations({ schema, live, mask, ...(documents === undefined ? {} : { documents }) });

  return {
    telemetry,
    rooms,
    live,
    operations,
    clock,
    core,
    /** A user with an open session. */
    connect(userId: string, scopes: readonly Scope[] = SCOPES): Caller {
      const principal = { userId, scopes: new Set(scopes), expiresAtMs: null };
      const peer = { principal, disconnect() {}, refresh() {} };
      const { session } = parts.sessions.connect({ userId, sessionId: `session-of-${userId}` }, peer);
      return { principal, sessionId: session.id, namesSession: true, session };
    },
    /** Runs a query or mutation as this caller. */
    async run(query: string, viewer: Caller, variables?: Readonly<Record<string, unknown>>): Promise<Answer> {
      const { operation, errors } = operations.prepare({ query, variables });
      const result = errors === undefined ? await operations.execute(operation, { rooms, viewer }) : { errors };
      return { ...result, codes: codesOf(result.errors) };
    },
    /** Runs whatever it is as this caller, a subscription only until it has begun. The codes of what went wrong. */
    async ask(query: string, viewer: Caller, variables?: Readonly<Record<string, unknown>>) {
      const { operation, errors } = operations.prepare({ query, variables });
      if (errors !== undefined) return codesOf(errors);
      const context = { rooms, viewer };
      if (operation.kind !== "subscription") {
        return codesOf((JSON.parse(await operations.answer(operation, context)) as ExecutionResult).errors);
      }
      const subscribed = await operations.subscribe(operation, context, new RecordingMember(viewer));
      if ("leave" in subscribed) subscribed.leave("COMPLETED");
      return codesOf(subscribed.errors);
    },
    /** Subscribes as this caller; a refusal is in `codes`. */
    async subscribe(query: string, viewer: Caller, variables?: Readonly<Record<string, unknown>>) {
      const member = new RecordingMember(viewer);
      const { operation, errors } = operations.prepare({ query, variables });
      const subscribed = errors === undefined
        ? await operations.subscribe(operation, { rooms, viewer }, member)
        : { errors };
      return { member, errors: subscribed.errors, codes: codesOf(subscribed.errors), selections: live.size };
    },
    async [Symbol.asyncDispose]() {
      live.close();
      hub.close();
      parts.close();
      await close();
    },
  };
}

function codesOf(errors: ExecutionResult["errors"]): readonly unknown[] {
  return (errors ?? []).map(({ extensions }) => extensions["code"]);
}
