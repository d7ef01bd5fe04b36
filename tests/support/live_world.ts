import { GraphQLID, GraphQLInt, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, GraphQLString } from "graphql";
import type { GraphQLFieldResolver } from "graphql";
import { SCOPES } from "../../src/core/auth.ts";
import type { Caller } from "../../src/core/caller.ts";
import { type FeedReader, Hub } from "../../src/core/hub.ts";
import type { Delivery } from "../../src/core/delivery.ts";
import { Rooms } from "../../src/core/rooms.ts";
import type { Context } from "../../src/graphql/context.ts";
import { createErrorMask } from "../../src/graphql/errors.ts";
import type { FrameNotice } from "../../src/graphql/live_frame.ts";
import type { LiveMember } from "../../src/graphql/live_selection.ts";
import { LiveSelections } from "../../src/graphql/live_selections.ts";
import { LiveSource } from "../../src/graphql/live_source.ts";
import type { MemoryCoreOptions } from "../../src/engines/memory.ts";
import { createMembershipParts } from "./membership_parts.ts";
import { openOperations } from "./open_operations.ts";
import { openMemoryWorld } from "./memory_world.ts";
import { RecordingTelemetry } from "./recording_telemetry.ts";
import { NO_TOKENS } from "./no_tokens.ts";

/** A resolver of a field below a live root field, as a program of its own may have one. */
export type FieldResolver = GraphQLFieldResolver<Delivery, Context>;

/** A subscriber that keeps what it got. */
export class RecordingMember implements LiveMember {
  // deno-lint-ignore no-explicit-any -- tests look into whatever came back
  readonly results: any[] = [];
  readonly texts: string[] = [];
  readonly failures: string[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(readonly viewer: Caller) {}

  /** Where the subscription began. */
  start: string | undefined;

  begin(cursor: string): void {
    this.start = cursor;
  }

  /** Where it was told to be last. */
  place: string | undefined;

  moved(cursor: string): void {
    this.place = cursor;
  }

  /** What it was told of losses beside the frames. */
  readonly notices: FrameNotice[] = [];

  notice(notice: FrameNotice): void {
    this.notices.push(notice);
  }

  busy(): Promise<void> | undefined {
    return undefined;
  }

  next({ text }: { readonly text: string }): void {
    this.texts.push(text);
    this.results.push(JSON.parse(text));
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  fail(errors: readonly { readonly message: string }[]): void {
    this.failures.push(...errors.map(({ message }) => message));
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when there are so many results. */
  async has(count: number): Promise<void> {
    while (this.results.length < count && this.failures.length === 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

/** Live selections over a memory engine, on a schema whose event fields the test writes, or on one all of its own. */
export async function openLiveWorld(
  fields: Readonly<Record<string, FieldResolver>> | GraphQLSchema = {},
  engine: Partial<MemoryCoreOptions> = {},
) {
  const telemetry = new RecordingTelemetry();
  const world = await openMemoryWorld(engine);
  const [{ log, presence }] = world.nodes;
  const hub = new Hub({ log, clock: world.clock, telemetry });
  await hub.open();
  const readers: FeedReader[] = [];
  const attach = hub.attach.bind(hub);
  hub.attach = (feed, reader) => {
    readers.push(reader);
    return attach(feed, reader);
  };
  const parts = createMembershipParts({
    presence,
    clock: world.clock,
    telemetry,
    leaveGraceMs: 0,
    maxRoomsPerSession: 10,
  });
  const rooms = new Rooms({
    authenticator: NO_TOKENS,
    engine: world.nodes[0],
    hub,
    ...parts,
    telemetry,
    authorize: ({ userId }) => userId !== "eve",
    maxMessageBytes: 65_536,
    nodeStatus: () => {
      throw new Error("Not asked in these tests");
    },
  });
  const mask = createErrorMask(telemetry);
  const live = new LiveSelections({ hub, rooms, mask, clock: world.clock });
  const schema = fields instanceof GraphQLSchema ? fields : createTestSchema(fields);
  const operations = openOperations({ schema, live, mask });

  return {
    telemetry,
    hub,
    live,
    rooms,
    core: world.core,
    clock: world.clock,
    /** Tells every reader that something was lost, as the hub does when a hole cannot be filled. */
    lose(): void {
      for (const reader of readers) reader.gap();
    },
    /** Sends a message as this user. */
    send: (content: string, caller = callerOf("ann"), excludeSelf = false) =>
      rooms.send(caller, { room: "lobby", content, event: null, data: null, excludeSelf, idempotencyKey: null }),
    /** Sends an event to the room, as the same user. */
    broadcast: (sent: { readonly event: string; readonly content?: string; readonly data?: unknown }) =>
      rooms.broadcast(callerOf("ann"), {
        room: "lobby",
        content: "",
        data: null,
        excludeSelf: false,
        idempotencyKey: null,
        ...sent,
      }),
    /** Sends a message to everyone as the same user. */
    sendToEveryone: (content: string) =>
      rooms.broadcast(callerOf("ann"), {
        room: null,
        content,
        event: null,
        data: null,
        excludeSelf: false,
        idempotencyKey: null,
      }),
    /** Subscribes as this caller. */
    async subscribe(
      query: string,
      caller = callerOf("ann"),
      variables: Record<string, unknown> = {},
      prepare = (_member: RecordingMember): void => {},
    ) {
      const { operation, errors } = operations.prepare({ query, variables });
      if (errors !== undefined) throw new AggregateError(errors);
      const member = new RecordingMember(caller);
      prepare(member);
      const subscribed = await operations.subscribe(operation, { rooms, viewer: caller }, member);
      if (subscribed.errors !== undefined) throw new AggregateError(subscribed.errors, subscribed.errors[0]!.message);
      if (!("leave" in subscribed)) throw new Error("Not a live subscription");
      const { leave } = subscribed;
      return { member, leave: () => leave("COMPLETED") };
    },
    async [Symbol.asyncDispose]() {
      live.close();
      hub.close();
      parts.close();
      await world.close();
    },
  };
}

/** The arguments that `messages` has in these tests. */
export interface MessagesArgs {
  readonly room: string;
  readonly after?: string | null;
  readonly last?: number | null;
}

/** What `messages` of a schema of the test's own subscribes to. */
export async function followMessages(
  _root: unknown,
  { room, after, last }: MessagesArgs,
  { rooms, viewer }: Context,
): Promise<LiveSource> {
  const request = { room, event: null, after: after ?? null, last: last ?? null, join: false };
  return new LiveSource(await rooms.openMessages(viewer, request));
}

/** A caller of this name, in a session of its own. */
export function callerOf(userId: string, sessionId = `session of ${userId}`): Caller {
  const principal = { userId, scopes: new Set(SCOPES), expiresAtMs: null };
  return { principal, sessionId, namesSession: true, session: undefined };
}

function createTestSchema(fields: Readonly<Record<string, FieldResolver>>): GraphQLSchema {
  const resolvers: Record<string, FieldResolver> = {
    content: ({ publication }) => publication.event.kind === "message" ? publication.event.content : null,
    ...fields,
  };
  const event = new GraphQLObjectType<Delivery, Context>({
    name: "Event",
    fields: Object.fromEntries(
      Object.entries(resolvers).map(([name, resolve]) => [name, { type: GraphQLString, resolve }]),
    ),
  });
  return new GraphQLSchema({
    query: new GraphQLObjectType({ name: "Query", fields: { unused: { type: GraphQLString } } }),
    subscription: new GraphQLObjectType<Delivery, Context>({
      name: "Subscription",
      fields: {
        messages: {
          type: event,
          args: {
            room: { type: new GraphQLNonNull(GraphQLID) },
            after: { type: GraphQLString },
            last: { type: GraphQLInt },
          },
          subscribe: followMessages,
          resolve: (delivery) => delivery,
        },
      },
    }),
  });
}
