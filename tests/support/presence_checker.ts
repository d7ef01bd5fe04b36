import { parseCursor } from "../../src/core/cursor.ts";
import { eventsFeed, type Feed } from "../../src/core/feed.ts";
import { formatPosition, type Position } from "../../src/core/position.ts";
import { parseRoomName } from "../../src/core/room_name.ts";
import type { LossNotice } from "./history_checker.ts";
import { type KnownMember, listOf, type MemberList, textOf, unknownStates, usersOf } from "./member_list.ts";
import { RoomObserver, type RoomObserverOptions } from "./room_observer.ts";

/** An event of `roomEvents`, with the fields its type has. */
export interface HeardEvent {
  readonly type: "JOINED" | "LEFT" | "UPDATED" | "SNAPSHOT";
  readonly userId: string | null;
  readonly cursor: string;
  readonly reason?: string;
  readonly member?: { readonly state?: unknown };
  readonly members?: readonly KnownMember[];
  readonly memberCount?: number;
  readonly recovered?: boolean;
}

/**
 * `repeat` breaks G7: a JOINED of one who is in, a LEFT of one who is out. `order` is an event that
 * is not in its turn, or another than others heard there; `loss` one that never came, unannounced;
 * `snapshot` one that never came or came late. `list` and `state` are what an observer makes of it
 * all that differs from the truth, from a snapshot, or from what another one has at the same place.
 */
export type PresenceFaultKind = "repeat" | "order" | "loss" | "snapshot" | "list" | "state";

/** One broken promise: what showed at which step, in words. */
export type PresenceFault = { readonly kind: PresenceFaultKind; readonly step: number; readonly text: string };

/**
 * Follows what observers of a room hear, and the list of members each of them makes of it.
 *
 * Each call is a step. All observers must have the same list at the same place of the room's
 * events, and the true one whenever a test tells it.
 */
export class PresenceChecker {
  readonly #feed: Feed;
  readonly #observers = new Map<string, RoomObserver>();
  readonly #places = new Map<string, Place>();
  readonly #faults: PresenceFault[] = [];
  readonly #lost: string[] = [];
  readonly #anew: string[] = [];
  #step = 0;
  #heard = 0;

  constructor(room: string) {
    this.#feed = eventsFeed(parseRoomName(room));
  }

  /** A subscription begins. */
  observes(name: string, options: RoomObserverOptions = {}): void {
    this.#observers.set(name, new RoomObserver(name, options));
  }

  /** The subscription goes on over a new connection; what comes from now on came over that. */
  resumed(name: string): void {
    this.#step++;
    const observer = this.#find(name);
    observer.isBack = "unsaid";
    if (observer.options.snapshot) observer.owes = "next";
    observer.knowsStates = false;
    if (observer.list !== undefined) observer.list = unknownStates(observer.list.keys());
  }

  /** A frame, or a Ping, said of what came before that all or not all of it was recovered. */
  noticed(name: string, { recovered, gap }: LossNotice): void {
    this.#step++;
    const observer = this.#find(name);
    if (recovered !== undefined && observer.isBack === "unsaid") observer.isBack = "said";
    if (recovered === false || gap === true) this.#lose(observer);
  }

  /** A frame came; `notice` is its extensions. */
  heard(name: string, event: HeardEvent, notice: LossNotice = {}): void {
    this.noticed(name, notice);
    this.#heard++;
    const observer = this.#find(name);
    if (observer.isBack === "unsaid") this.#beginAnew(observer);
    const position = parseCursor(this.#feed, event.cursor)[0]!;
    if (event.type === "SNAPSHOT") return this.#takeSnapshot(observer, event, position);
    if (observer.owes === "first") this.#fault("snapshot", `${name} heard ${told(event)} before a snapshot`);
    if (event.type === "UPDATED") this.#update(observer, event, position);
    else this.#change(observer, event, position);
  }

  /** The subscription is over: it need not know what comes. */
  ended(name: string): void {
    this.#observers.delete(name);
  }

  /** The members there are, at a moment when every observer has heard all there is to hear. */
  truth(members: readonly KnownMember[]): void {
    this.#step++;
    const truth = listOf(members);
    const first = [...this.#observers.values()].find(({ position, isBack }) =>
      position !== undefined && isBack !== "unsaid"
    );
    for (const observer of this.#observers.values()) {
      if (observer.isBack === "unsaid") this.#beginAnew(observer);
      const { name, owes, position, list } = observer;
      if (owes !== undefined) this.#fault("snapshot", `${name} never got the snapshot it asked for`);
      if (position !== undefined && position.offset !== first?.position?.offset) {
        this.#fault("loss", `${name} has come to ${position.offset}, and ${first?.name} to ${first?.position?.offset}`);
      }
      if (list !== undefined) this.#compare(name, list, truth);
      observer.list = new Map(truth);
      observer.knowsStates = true;
    }
  }

  /** Judges what has happened so far. */
  verdict() {
    const faults: readonly PresenceFault[] = this.#faults;
    const shown = faults.slice(0, 10).map(({ kind, step, text }) => `step ${step}: ${kind}: ${text}`);
    /** The first faults, to be shown by a failing assertion. */
    const summary = [`${this.#heard} events, ${faults.length} faults`, ...shown].join("\n");
    /** Who came back and was not told that all or not all was recovered, once for each time. */
    const anew: readonly string[] = this.#anew;
    /** Who was told of a loss, once for each time that was said. */
    const lost: readonly string[] = this.#lost;
    return { ok: faults.length === 0, heard: this.#heard, anew, lost, faults, summary };
  }

  #lose(observer: RoomObserver): void {
    this.#lost.push(observer.name);
    observer.lose("next");
  }

  /** Nobody knew any more where it was: it is another subscription than before. */
  #beginAnew(observer: RoomObserver): void {
    this.#anew.push(observer.name);
    observer.lose("first");
  }

  /** A JOINED or a LEFT: kept, so it has a place of its own, right behind the one before. */
  #change(observer: RoomObserver, event: HeardEvent, position: Position): void {
    const { name, position: last, isBack, knowsStates, options: { exactlyOnce = false } } = observer;
    const what = `${told(event)} at ${position.offset}`;
    const place = this.#place(position);
    if (last !== undefined && position.offset !== last.offset + 1) {
      const repeats = position.offset <= last.offset;
      if (!repeats) this.#fault("loss", `${name} heard ${what}, and nothing since ${last.offset}`);
      else if (isBack === undefined || exactlyOnce) this.#fault("order", `${name} was at ${last.offset}: ${what}`);
      observer.list = repeats && place.before !== undefined ? unknownStates(place.before) : undefined;
    }
    observer.isBack = undefined;
    observer.position = position;
    const first = place.event ??= { what, by: name };
    if (first.what !== what) this.#fault("order", `${name} heard ${what}, and ${first.by} ${first.what}`);
    const { list } = observer;
    const userId = event.userId!;
    if (list === undefined) return;
    place.before ??= [...list.keys()];
    if (list.has(userId) === (event.type === "JOINED")) {
      this.#fault("repeat", `${name} heard ${what}, who was ${list.has(userId) ? "in" : "out"} already`);
    }
    if (event.type === "JOINED") list.set(userId, knowsStates ? textOf(event.member?.state) : undefined);
    else list.delete(userId);
    this.#agree(name, list, place);
  }

  /** An UPDATED: not kept, so it stands where the last JOINED or LEFT stood. */
  #update({ name, list, position: last }: RoomObserver, event: HeardEvent, { offset }: Position): void {
    if (last !== undefined && offset !== last.offset) {
      this.#fault("order", `${name} was at ${last.offset}: ${told(event)} at ${offset}`);
    }
    if (list?.has(event.userId!)) list.set(event.userId!, textOf(event.member?.state));
    else if (list !== undefined) this.#fault("state", `${name} heard ${told(event)} at ${offset}, who was out`);
  }

  /** Nothing may be missing before a snapshot, nor in it, unless a loss was said. */
  #takeSnapshot(observer: RoomObserver, { members, memberCount, recovered }: HeardEvent, position: Position): void {
    if (recovered === false) this.#lose(observer);
    const { name, position: last, list } = observer;
    if (last !== undefined && list !== undefined && position.offset !== last.offset) {
      this.#fault("loss", `${name} got a snapshot at ${position.offset}, and nothing since ${last.offset}`);
    }
    const taken = observer.list = listOf(members!);
    observer.position = position;
    observer.owes = undefined;
    observer.isBack = undefined;
    observer.knowsStates = true;
    if (list !== undefined) this.#compare(name, unknownStates(list.keys()), taken);
    if (memberCount !== taken.size) {
      this.#fault("snapshot", `${name} got a snapshot of ${taken.size} that counts ${memberCount}`);
    }
    this.#agree(name, taken, this.#place(position));
  }

  /** Whoever comes to a place has the same list there. */
  #agree(name: string, list: MemberList, place: Place): void {
    const first = place.behind ??= { users: usersOf(list), by: name };
    if (first.users !== usersOf(list)) {
      this.#fault("list", `${name} has [${usersOf(list)}] where ${first.by} has [${first.users}]`);
    }
  }

  #compare(name: string, list: MemberList, truth: MemberList): void {
    if (usersOf(list) !== usersOf(truth)) {
      this.#fault("list", `${name} has [${usersOf(list)}], and there are [${usersOf(truth)}]`);
    }
    for (const [userId, state] of truth) {
      const known = list.get(userId);
      if (known === undefined || known === state) continue;
      this.#fault("state", `${name} has ${userId} with the state ${known}, and it is ${state}`);
    }
  }

  #place(position: Position): Place {
    const key = formatPosition(position);
    const place = this.#places.get(key) ?? {};
    this.#places.set(key, place);
    return place;
  }

  #find(name: string): RoomObserver {
    const observer = this.#observers.get(name);
    if (observer === undefined) throw new RangeError(`Cannot find the observer "${name}": it was never announced`);
    return observer;
  }

  #fault(kind: PresenceFaultKind, text: string): void {
    this.#faults.push({ kind, step: this.#step, text });
  }
}

/** What stands at one place of the room's events, who was in before and is behind it, and by whom we know. */
interface Place {
  event?: { readonly what: string; readonly by: string };
  before?: readonly string[];
  behind?: { readonly users: string; readonly by: string };
}

function told({ type, userId, reason }: HeardEvent): string {
  return `${type} ${userId}${reason === undefined ? "" : ` ${reason}`}`;
}
