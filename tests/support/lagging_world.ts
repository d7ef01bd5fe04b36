import { GraphQLObjectType, GraphQLSchema, GraphQLString, parse, validateSubscriptionArgs } from "graphql";
import { formatCursor } from "../../src/core/cursor.ts";
import type { Delivery } from "../../src/core/delivery.ts";
import { encodeEvent } from "../../src/core/event.ts";
import type { Feed } from "../../src/core/feed.ts";
import { parseRoomName } from "../../src/core/room_name.ts";
import { LiveSource } from "../../src/graphql/live_source.ts";
import { eventLoopTurn } from "./event_loop.ts";
import { callerOf, type FieldResolver, openLiveWorld, RecordingMember } from "./live_world.ts";

const LOBBY = parseRoomName("lobby");
const ANN = callerOf("ann");

/** What was said, message by message. */
export const contents = ({ results }: RecordingMember): string[] => results.map(({ data }) => data.messages.content);
/** Who came, was changed or is there, event by event. */
export const texts = ({ results }: RecordingMember): string[] => results.map(({ data }) => data.events);

/** Resolves when all has happened that waits for nothing but its turn. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await eventLoopTurn();
}

/** How a test holds a list of members up. */
interface FollowOptions {
  readonly after?: string;
  /** The list is taken when this resolves. */
  readonly before?: Promise<void>;
  /** The list is given, as it was taken, when this resolves. */
  readonly behind?: Promise<void>;
}

/** A live world whose node gets what goes to a room later than the engine has it, when a test says so. */
export async function openLaggingWorld(fields: Readonly<Record<string, FieldResolver>> = {}) {
  const world = await openLiveWorld(fields);
  const { log, presence } = world.core;
  const held: (() => void)[] = [];
  let lags = false;
  const subscribe = log.subscribe.bind(log);
  // The messages to everyone have been subscribed to already: they are never late.
  log.subscribe = (stream, listener, onClosed) =>
    subscribe(stream, (entry) => lags ? void held.push(() => listener(entry)) : listener(entry), onClosed);
  const args = validateSubscriptionArgs({ schema: createEventsSchema(), document: parse("subscription { events }") });
  if (!("schema" in args)) throw new AggregateError(args);
  return {
    ...world,
    /** From now on nothing arrives by itself. */
    lag(): void {
      lags = true;
    },
    /** Lets so many of those that are late arrive; without a number all, and from then on nothing is late. */
    arrive(count?: number): void {
      if (count === undefined) lags = false;
      for (const deliver of held.splice(0, count ?? held.length)) deliver();
    },
    /** The cursor of one who has everything. */
    top: (feed: Feed) => formatCursor(feed, feed.streams.map((stream) => log.top(stream))),
    /** Makes this user a member. */
    enter(userId: string): void {
      const event = encodeEvent({ kind: "joined", userId, sessionCount: 1, state: null });
      presence.enter(new Set(), { room: LOBBY, userId }, { sessionCount: 1 }, { event, state: null });
    },
    /** Gives this member a state. */
    change(userId: string): void {
      const member = { userId, joinedAtMs: 1, sessionCount: 1, state: "1", leasedUntilMs: null };
      const event = encodeEvent({ kind: "updated", member });
      presence.setState({ room: LOBBY, userId }, { json: "1", setBy: null }, { event });
    },
    /** Follows who comes and whose state changes, with a list of the members. */
    async follow({ after, before, behind }: FollowOptions = {}): Promise<RecordingMember> {
      const kinds = ["JOINED", "UPDATED", "SNAPSHOT"] as const;
      const request = await world.rooms.openEvents(ANN, { room: LOBBY, kinds, after: after ?? null });
      const snapshot = async () => {
        await before;
        const page = await request.snapshot!();
        await behind;
        return page;
      };
      const member = new RecordingMember(ANN);
      await world.live.join(new LiveSource({ ...request, snapshot }), { text: "events", args }, member).live;
      return member;
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

/** Says of each event who has come or changed, or who is there. */
function createEventsSchema(): GraphQLSchema {
  const text = ({ publication: { event } }: Delivery): string | null => {
    if (event.kind === "joined") return `+${event.userId}`;
    if (event.kind === "updated") return `~${event.member.userId}`;
    return event.kind === "snapshot" ? event.members.map(({ userId }) => userId).join(" ") : null;
  };
  return new GraphQLSchema({
    query: new GraphQLObjectType({ name: "Query", fields: { unused: { type: GraphQLString } } }),
    subscription: new GraphQLObjectType({
      name: "Subscription",
      fields: { events: { type: GraphQLString, resolve: text } },
    }),
  });
}
