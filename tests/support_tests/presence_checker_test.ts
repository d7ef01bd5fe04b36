import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { formatCursor } from "../../src/core/cursor.ts";
import { eventsFeed } from "../../src/core/feed.ts";
import { parseRoomName } from "../../src/core/room_name.ts";
import type { LossNotice } from "../support/history_checker.ts";
import type { KnownMember } from "../support/member_list.ts";
import { type HeardEvent, PresenceChecker } from "../support/presence_checker.ts";
import type { RoomObserverOptions } from "../support/room_observer.ts";

const RECOVERED = { recovered: true };

Deno.test("PresenceChecker finds nothing in a room without a fault", () => {
  const room = new Room().watches("plain", { members: [] }).joins("ann").joins("bob").updates("ann", "away");
  room.watches("snapshots", { snapshot: true }).leaves("bob").joins("bob");
  room.hears("plain", 1, 2, 3, 4, 5);
  room.takesSnapshot("snapshots", 3).hears("snapshots", 4, 5);
  room.tellsTruth();
  assertEquals(room.faults(), []);
  assertEquals(room.checker.verdict().heard, 8);
});

Deno.test("G7 PresenceChecker finds a JOINED of one who is in, and a LEFT of one who is out", () => {
  const room = new Room().watches("plain", { members: [] }).joins("ann").joins("ann").leaves("ann").leaves("ann");
  assertEquals(room.hears("plain", 1, 2, 3, 4).faults(), ["repeat", "repeat"]);
  assertStringIncludes(room.checker.verdict().summary, "plain heard JOINED ann at 2, who was in already");
});

Deno.test("PresenceChecker finds a LEFT that one observer never heard", () => {
  const room = new Room().watches("plain", { members: [] }).joins("ann").leaves("ann").joins("bob");
  assertEquals(room.hears("plain", 1, 3).faults(), ["loss"]);
  assertStringIncludes(room.checker.verdict().summary, "JOINED bob at 3, and nothing since 1");
});

Deno.test("PresenceChecker finds a LEFT that was never told to anybody", () => {
  const room = new Room().watches("plain", { members: [] }).joins("ann").joins("bob").hears("plain", 1, 2);
  room.checker.truth([{ userId: "bob", state: null }]);
  assertEquals(room.faults(), ["list"]);
  assertStringIncludes(room.checker.verdict().summary, "plain has [ann bob], and there are [bob]");
});

Deno.test("PresenceChecker finds the last events that one observer never heard, though its list is the true one", () => {
  const room = new Room().watches("one", { members: [] }).watches("other", { members: [] });
  room.joins("ann").joins("bob").leaves("bob").hears("one", 1, 2, 3).hears("other", 1);
  assertEquals(room.tellsTruth().faults(), ["loss"]);
});

Deno.test("PresenceChecker finds a first snapshot that lacks a member others have heard of", () => {
  const room = new Room().watches("plain", { members: [] }).watches("snapshots", { snapshot: true });
  room.joins("ann").joins("bob").hears("plain", 1, 2);
  assertEquals(room.takesSnapshot("snapshots", 2, { members: [{ userId: "ann" }] }).faults(), ["list"]);
  assertStringIncludes(room.checker.verdict().summary, "snapshots has [ann] where plain has [ann bob]");
});

Deno.test("PresenceChecker finds a snapshot after a resume that differs from what was heard", () => {
  const room = new Room().watches("one", { snapshot: true }).joins("ann").joins("bob").takesSnapshot("one", 2);
  room.resumes("one");
  assertEquals(room.takesSnapshot("one", 2, { members: [{ userId: "ann" }] }, RECOVERED).faults(), ["list", "list"]);
});

Deno.test("PresenceChecker finds a snapshot that skips what was missed, unless it says so", () => {
  for (const recovered of [true, false]) {
    const room = new Room().watches("one", { snapshot: true }).joins("ann").takesSnapshot("one", 1).joins("bob");
    room.resumes("one");
    room.takesSnapshot("one", 2, { recovered }, { recovered });
    assertEquals(room.faults(), recovered ? ["loss", "list"] : []);
  }
});

Deno.test("PresenceChecker finds a snapshot whose count is not its own", () => {
  const room = new Room().watches("one", { snapshot: true }).joins("ann").takesSnapshot("one", 1, { memberCount: 2 });
  assertEquals(room.faults(), ["snapshot"]);
});

Deno.test("PresenceChecker finds an event before the first snapshot, and one that the snapshot contains behind it", () => {
  const room = new Room().watches("early", { snapshot: true }).watches("late", { snapshot: true }).joins("ann");
  room.hears("early", 1).takesSnapshot("early", 1);
  assertEquals(room.faults(), ["snapshot"]);
  room.takesSnapshot("late", 1).hears("late", 1);
  assertEquals(room.faults(), ["snapshot", "order"]);
});

Deno.test("PresenceChecker finds that no snapshot came: at first, after a resume, after a loss", () => {
  const room = new Room().joins("ann");
  for (const name of ["first", "resumed", "lost"]) room.watches(name, { snapshot: true });
  room.takesSnapshot("resumed", 1).takesSnapshot("lost", 1);
  room.resumes("resumed");
  room.checker.noticed("lost", { gap: true });
  assertEquals(room.tellsTruth().faults(), ["snapshot", "snapshot", "snapshot"]);
});

Deno.test("PresenceChecker finds a state that is not the last one, and one of somebody who is out", () => {
  const room = new Room().watches("plain", { members: [] }).joins("ann").updates("ann", "away").updates("ann", "back");
  room.hears("plain", 1, 2).tellsTruth();
  assertEquals(room.faults(), ["state"]);
  assertStringIncludes(room.checker.verdict().summary, 'plain has ann with the state "away", and it is "back"');
  assertEquals(room.updates("bob", "here").hears("plain", 4).faults(), ["state", "state"]);
});

Deno.test("PresenceChecker finds a state in a snapshot, and one that came with a JOINED, that is not the true one", () => {
  const room = new Room().watches("plain", { members: [] }).watches("one", { snapshot: true }).joins("ann", "wrong");
  room.hears("plain", 1).takesSnapshot("one", 1);
  room.checker.truth([{ userId: "ann", state: null }]);
  assertEquals(room.faults(), ["state", "state"]);
});

Deno.test("PresenceChecker expects no states that were changed while an observer without snapshots was away", () => {
  const room = new Room().watches("plain", { members: [] }).joins("ann").hears("plain", 1).updates("ann", "away");
  room.resumes("plain");
  assertEquals(room.tellsTruth().faults(), []);
});

Deno.test("PresenceChecker finds different orders at two observers", () => {
  const room = new Room().watches("one", { members: [] }).watches("other", { members: [] }).joins("ann").joins("bob");
  room.hears("one", 1, 2);
  room.hearsAs("other", 2, 1).hearsAs("other", 1, 2);
  assertEquals(room.faults(), ["order", "list", "order"]);
  assertStringIncludes(room.checker.verdict().summary, "other heard JOINED bob at 1, and one JOINED ann at 1");
});

Deno.test("PresenceChecker finds one LEFT told with two reasons", () => {
  const room = new Room().watches("one").watches("other").leaves("ann", "LEFT").leaves("ann", "TIMEOUT");
  assertEquals(room.hears("one", 1).hearsAs("other", 2, 1).faults(), ["order"]);
});

Deno.test("PresenceChecker finds an event out of its turn, and an UPDATED at another place than it has come to", () => {
  const room = new Room().watches("one").joins("ann").updates("ann", 1).joins("bob").hears("one", 1, 3, 2);
  assertEquals(room.faults(), ["order"]);
  assertEquals(room.hears("one", 1).faults(), ["order", "order"]);
});

Deno.test("G3 PresenceChecker forgives repeats across a reconnect, but to exactly-once clients", () => {
  const room = new Room().watches("stock", { snapshot: true }).watches("exact", { snapshot: true, exactlyOnce: true });
  room.takesSnapshot("stock", 0).takesSnapshot("exact", 0).joins("ann").leaves("ann").joins("bob");
  for (const name of ["stock", "exact"]) {
    room.hears(name, 1, 2);
    room.resumes(name);
    room.hears(name, 2, 3).takesSnapshot(name, 3);
  }
  assertEquals(room.tellsTruth().faults(), ["order"]);
  assertStringIncludes(room.checker.verdict().summary, "exact was at 2");
});

Deno.test("PresenceChecker finds a repeat across a reconnect that does not go on where it began", () => {
  const room = new Room().watches("stock", { members: [] }).joins("ann").leaves("ann").joins("bob");
  room.hears("stock", 1, 2, 3);
  room.resumes("stock");
  assertEquals(room.hears("stock", 1, 3).faults(), ["loss"]);
});

Deno.test("PresenceChecker takes a loss that was said, by a frame or a Ping, and what comes behind it", () => {
  for (const notice of [{ gap: true }, { recovered: false }]) {
    const room = new Room().watches("frame", { members: [] }).watches("ping", { members: [] }).joins("ann");
    room.joins("bob").leaves("ann").joins("cleo").hears("frame", 1).hears("ping", 1);
    room.hearsWith("frame", 3, notice).hears("frame", 4);
    room.checker.noticed("ping", notice);
    assertEquals(room.hears("ping", 4).tellsTruth().faults(), []);
    assertEquals(room.checker.verdict().lost, ["frame", "ping"]);
    assertEquals(room.joins("ann").joins("dave").hears("frame", 6).faults(), ["loss"]);
  }
});

Deno.test("PresenceChecker takes a reconnect of which nothing is said for a new subscription", () => {
  const room = new Room().watches("plain", { members: [] }).watches("one", { snapshot: true }).joins("ann");
  room.hears("plain", 1).takesSnapshot("one", 1).joins("bob").joins("cleo");
  for (const name of ["plain", "one"]) room.resumes(name);
  room.takesSnapshot("one", 3, {}, {});
  assertEquals(room.tellsTruth().faults(), []);
  assertEquals(room.checker.verdict().anew, ["one", "plain"]);
  room.resumes("one");
  assertEquals(room.joins("dave").hearsWith("one", 4, {}).faults(), ["snapshot"]);
});

Deno.test("PresenceChecker expects nothing of an observer that has ended, and refuses a test's own mistakes", () => {
  const room = new Room().watches("one", { snapshot: true }).joins("ann");
  room.checker.ended("one");
  assertEquals(room.tellsTruth().faults(), []);
  assertThrows(() => room.hears("one", 1), RangeError, 'Cannot find the observer "one"');
});

/** A room whose events are told without a fault, but for what a test makes it tell. */
class Room {
  readonly checker = new PresenceChecker("lobby");
  readonly #events: { readonly event: HeardEvent; readonly members: readonly KnownMember[] }[] = [];
  readonly #members = new Map<string, unknown>();
  readonly #back = new Set<string>();
  /** JOINED and LEFT so far. */
  #offset = 0;

  watches(name: string, options: RoomObserverOptions = {}): this {
    this.checker.observes(name, options);
    return this;
  }

  resumes(name: string): this {
    this.#back.add(name);
    this.checker.resumed(name);
    return this;
  }

  joins(userId: string, state: unknown = null): this {
    this.#members.set(userId, state);
    this.#offset++;
    return this.#store({ type: "JOINED", userId, member: { state } });
  }

  leaves(userId: string, reason = "LEFT"): this {
    this.#members.delete(userId);
    this.#offset++;
    return this.#store({ type: "LEFT", userId, reason });
  }

  updates(userId: string, state: unknown): this {
    if (this.#members.has(userId)) this.#members.set(userId, state);
    return this.#store({ type: "UPDATED", userId, member: { state } });
  }

  /** Tells an observer these events, counted from 1; the first after a resume says that it is one. */
  hears(name: string, ...events: number[]): this {
    for (const event of events) this.hearsWith(name, event, this.#back.has(name) ? RECOVERED : {});
    return this;
  }

  hearsWith(name: string, event: number, notice: LossNotice): this {
    this.#back.delete(name);
    this.checker.heard(name, this.#events[event - 1]!.event, notice);
    return this;
  }

  /** Tells an event as if it stood at another's place. */
  hearsAs(name: string, event: number, place: number): this {
    this.checker.heard(name, { ...this.#events[event - 1]!.event, cursor: this.#events[place - 1]!.event.cursor });
    return this;
  }

  /** The members as they were after so many events. */
  takesSnapshot(name: string, events: number, change: Partial<HeardEvent> = {}, notice?: LossNotice): this {
    const said = notice ?? (this.#back.has(name) ? RECOVERED : {});
    this.#back.delete(name);
    const members = change.members ?? this.#events[events - 1]?.members ?? [];
    const cursor = this.#events[events - 1]?.event.cursor ?? cursorAt(0);
    const whole = { members, memberCount: members.length, recovered: true, ...change };
    this.checker.heard(name, { type: "SNAPSHOT", userId: null, cursor, ...whole }, said);
    return this;
  }

  tellsTruth(): this {
    this.checker.truth(this.#list());
    return this;
  }

  faults(): string[] {
    return this.checker.verdict().faults.map(({ kind }) => kind);
  }

  #store(event: Omit<HeardEvent, "cursor">): this {
    this.#events.push({ event: { ...event, cursor: cursorAt(this.#offset) }, members: this.#list() });
    return this;
  }

  #list(): KnownMember[] {
    return [...this.#members].map(([userId, state]) => ({ userId, state }));
  }
}

function cursorAt(offset: number): string {
  return formatCursor(eventsFeed(parseRoomName("lobby")), [{ epoch: "e1", offset, timeUs: offset * 1_000 }]);
}
