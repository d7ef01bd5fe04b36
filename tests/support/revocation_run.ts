import { assertEquals } from "@std/assert";
import type { GraphQLError } from "graphql";
import type { Action, Authorize } from "../../src/core/auth.ts";
import type { Caller } from "../../src/core/caller.ts";
import { Documents } from "../../src/graphql/documents.ts";
import { createSchema } from "../../src/graphql/schema.ts";
import type { LiveMember } from "../../src/graphql/live_selection.ts";
import { openSchemaWorld } from "./schema_world.ts";
import { seeded } from "./seeded.ts";
import { DEFAULTS } from "../../src/options.ts";

const SCHEMA = createSchema();
const DOCUMENTS = new Documents(SCHEMA, { limits: DEFAULTS.limits, introspection: true });
const PRIVATE = "vault";

/** What the user whose right comes and goes may ask for, each another road to the room's messages. */
const SUBSCRIPTIONS: readonly string[] = [
  `subscription { messages(room: "${PRIVATE}") { content } }`,
  `subscription { messages(room: "${PRIVATE}") { id content } }`,
  `subscription { messages(room: "${PRIVATE}", last: 5) { content } }`,
  `subscription { messages(room: "${PRIVATE}", join: true) { content } }`,
  `subscription ($after: Cursor) { messages(room: "${PRIVATE}", after: $after) { content } }`,
  `subscription { roomEvents(room: "${PRIVATE}", types: [JOINED, LEFT, SNAPSHOT]) { type userId } }`,
];

/** A question that the authorizer was asked, and what it was going to answer when it was. */
interface Question {
  readonly allowed: boolean;
  readonly answer: () => void;
}

/** What one run has done and seen. */
export interface RevocationTally {
  delivered: number;
  refused: number;
  ended: number;
  revoked: number;
}

/**
 * One user subscribes and joins while its right to a room comes and goes, and others
 * write there; in what order, a seed decides. Answers of the authorizer come late: what
 * they say was true when it was asked.
 *
 * Whatever reaches the user between the end of a revocation and the next grant is a leak.
 */
export async function runRevocations(seed: number, tally: RevocationTally): Promise<void> {
  const random = seeded(seed);
  const answersAtOnce = random() < 0.3;
  const questions: Question[] = [];
  let isAllowed = true;
  /** Whether a revocation is over, and nothing has been granted since. */
  let isOver = false;
  let isSettling = false;

  const authorize: Authorize = ({ userId }, action: Action) => {
    if (userId !== "eve" || !("room" in action) || action.room !== PRIVATE) return true;
    if (answersAtOnce || isSettling) return isAllowed;
    const allowed = isAllowed;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    questions.push({ allowed, answer: () => resolve(allowed) });
    return promise;
  };

  await using world = await openSchemaWorld({ schema: SCHEMA, documents: DOCUMENTS, authorize });
  const [eve, bob] = [world.connect("eve"), world.connect("bob")];
  const leaks: string[] = [];
  const pending = new Set<Promise<unknown>>();
  const members: RevocableMember[] = [];
  const owned = (work: Promise<unknown>): void => {
    const ended = work.finally(() => pending.delete(ended));
    pending.add(ended);
  };
  let published = 0;
  let cursor: string | undefined;

  const subscribe = async (viewer: Caller, query: string): Promise<RevocableMember> => {
    const { operation } = world.operations.prepare({ query, variables: { after: cursor ?? null } });
    const member = new RevocableMember(viewer, (what) => {
      tally.delivered++;
      if (viewer === eve && isOver) leaks.push(`${what} over "${query}"`);
    });
    if (viewer === eve) members.push(member);
    const subscribed = await world.operations.subscribe(operation!, { rooms: world.rooms, viewer }, member);
    if (subscribed.errors !== undefined) member.refused(subscribed.errors);
    else if ("leave" in subscribed) member.begun(subscribed.leave);
    return member;
  };
  const publish = async (): Promise<void> => {
    const content = `marker ${published++}`;
    const { view } = await world.rooms.send(bob, {
      room: PRIVATE,
      content,
      event: null,
      data: null,
      excludeSelf: false,
      idempotencyKey: null,
    });
    if (random() < 0.2) cursor = view.cursor;
  };
  const revoke = (): void => {
    tally.revoked++;
    isAllowed = false;
    const grants = granted;
    const done = world.rooms.reauthorize({ userId: "eve" });
    if (answersAtOnce) isOver = true;
    owned(done.then(() => {
      if (granted === grants) isOver = true;
    }));
  };
  let granted = 0;
  const grant = (): void => {
    granted++;
    isAllowed = true;
    isOver = false;
  };
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)]!;
  const steps: readonly (readonly [weight: number, step: () => void])[] = [
    [5, () => owned(subscribe(eve, pick(SUBSCRIPTIONS)))],
    [6, () => void questions.splice(Math.floor(random() * questions.length), 1)[0]?.answer()],
    [6, () => owned(publish())],
    [2, revoke],
    [2, grant],
    [1, () => members.length > 0 && pick(members).complete()],
    [1, () => owned(world.rooms.join(eve, PRIVATE, null).catch(() => {}))],
    [1, () => owned(world.rooms.leave(eve, PRIVATE))],
  ];
  const weights = steps.reduce((sum, [weight]) => sum + weight, 0);

  const control = await subscribe(bob, `subscription { messages(room: "${PRIVATE}") { content } }`);
  for (let step = 0; step < 30; step++) {
    let at = random() * weights;
    steps.find(([weight]) => (at -= weight) < 0)![1]();
    // From the middle of one call on to where all has been done that waits for nothing.
    const pause = Math.floor(random() * 8);
    if (pause === 7) await new Promise((resolve) => setImmediate(resolve));
    else for (let tick = 0; tick < pause; tick++) await Promise.resolve();
  }
  revoke();
  isSettling = true;
  while (pending.size > 0) {
    for (const question of questions.splice(0)) question.answer();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await publish();
  await new Promise((resolve) => setImmediate(resolve));

  const what = `seed ${seed}`;
  assertEquals(leaks, [], what);
  for (const member of [control, ...members]) member.check(what);
  assertEquals(control.contents, Array.from({ length: published }, (_, at) => `marker ${at}`), what);
  assertEquals(world.live.members, 1, what);
  control.complete();
  // What nobody held was waiting for somebody to come back.
  world.clock.advance(10_000);
  await new Promise((resolve) => setImmediate(resolve));
  assertEquals(
    (await world.rooms.roomsOf(bob)).length +
      (await world.rooms.members(await world.rooms.look(bob, PRIVATE), { limit: 9 })).total,
    0,
    what,
  );
  tally.refused += members.filter(({ outcome }) => outcome === "refused").length;
  tally.ended += members.filter(({ outcome }) => outcome === "failed").length;
}

/** A subscriber that notes whatever reaches it, and what must not: a word after the last. */
class RevocableMember implements LiveMember {
  readonly contents: string[] = [];
  outcome: "beginning" | "live" | "refused" | "failed" | "completed" = "beginning";
  readonly #faults: string[] = [];
  readonly #onEvent: (what: string) => void;
  #leave: ((end: "COMPLETED") => void) | undefined;

  constructor(readonly viewer: Caller, onEvent: (what: string) => void) {
    this.#onEvent = onEvent;
  }

  begin(): void {
    if (!this.#endedEarly && this.outcome !== "beginning") this.#faults.push(`begun after ${this.outcome}`);
  }

  moved(): void {}
  notice(): void {}
  busy(): undefined {}

  next({ text }: { readonly text: string }): void {
    if (this.#endedEarly) return;
    this.#onEvent(text);
    if (this.outcome !== "beginning" && this.outcome !== "live") this.#faults.push(`${text} after ${this.outcome}`);
    const content = JSON.parse(text).data.messages?.content;
    if (content !== undefined) this.contents.push(content);
  }

  fail([error]: readonly GraphQLError[]): void {
    if (this.#endedEarly) return;
    if (this.outcome !== "beginning" && this.outcome !== "live") this.#faults.push(`an error after ${this.outcome}`);
    if (error?.extensions.code !== "FORBIDDEN") this.#faults.push(String(error));
    this.#end("failed");
  }

  /** As for every transport: an outcome that comes late is nobody's. */
  refused([error]: readonly GraphQLError[]): void {
    if (this.outcome !== "beginning") return;
    if (error?.extensions.code !== "FORBIDDEN") this.#faults.push(String(error));
    this.outcome = "refused";
  }

  begun(leave: (end: "COMPLETED") => void): void {
    this.#leave = leave;
    if (this.outcome === "beginning") this.outcome = "live";
    else leave("COMPLETED");
  }

  /** Completed while it was being begun: a transport passes over what still comes. */
  get #endedEarly(): boolean {
    return this.outcome === "completed" && this.#leave === undefined;
  }

  complete(): void {
    if (this.outcome === "beginning" || this.outcome === "live") this.#end("completed");
  }

  check(what: string): void {
    assertEquals(this.#faults, [], what);
  }

  #end(outcome: "failed" | "completed"): void {
    this.outcome = outcome;
    this.#leave?.("COMPLETED");
  }
}
