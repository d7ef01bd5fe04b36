import { parsePosition, type Position } from "../../src/core/position.ts";

/** A message as a test sends it. */
export interface SentMessage {
  /** Different from every other's: what the checker knows the message by. */
  readonly content: string;
  /** Null: to everyone. */
  readonly room: string | null;
  /** The session that must not get it. */
  readonly excludedSession?: string;
}

/** A subscription as a test follows it. */
export interface FollowedSubscription {
  /** Null: only messages to everyone. */
  readonly room: string | null;
  /** The kind of client: what its repeats are counted under. */
  readonly client: string;
  /** Whether a repeat across a reconnect is a fault too. */
  readonly exactlyOnce?: boolean;
  readonly session?: string;
  /** What its filter lets through; everything, when left out. */
  readonly wants?: (message: SentMessage) => boolean;
}

/** A message as it was delivered. */
export type DeliveredMessage = { readonly id: string; readonly room: string | null; readonly content: string };

/** What a frame's extensions, or a Ping, said of what came before. */
export type LossNotice = { readonly recovered?: boolean; readonly gap?: boolean };

/**
 * `order` breaks G1; `loss`, and `undelivered` at the end, G2; `repeat` G3; `leak` is a
 * message not meant for the subscription, `identity` one that nobody sent or that has two ids.
 */
export type FaultKind = "order" | "loss" | "undelivered" | "repeat" | "leak" | "identity";

/** One broken promise: what showed at which step, in words. */
export type Fault = { readonly kind: FaultKind; readonly step: number; readonly text: string };

/** What a history comes to. */
export type HistoryVerdict = ReturnType<HistoryChecker["verdict"]>;

/**
 * Follows every send, acknowledgement and delivery, and judges the whole.
 *
 * Each call is a step, and steps are all the time there is: call `sent` before sending,
 * `delivered` in the sink itself, `resumed` in the client's `connected`. Message ids are
 * positions; each stream, a room or everyone, is judged alone: none orders another.
 */
export class HistoryChecker {
  readonly #messages = new Map<string, Message>();
  readonly #messagesById = new Map<string, Message>();
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #faults: Fault[] = [];
  readonly #repeats: Record<string, number> = {};
  #step = 0;
  #delivered = 0;

  /** A message is about to be sent. */
  sent(message: SentMessage): void {
    if (this.#messages.has(message.content)) throw new RangeError(`Cannot send "${message.content}" twice`);
    this.#messages.set(message.content, { ...message, sentAt: ++this.#step });
  }

  /** The server answered a send with this message id; a send without an answer may or may not be delivered. */
  acknowledged(content: string, id: string): void {
    const message = known(this.#messages, content);
    message.acknowledgedAt ??= ++this.#step;
    this.#identify(message, id);
  }

  /** A subscription begins; what is sent from now on need not reach it before `live`. */
  subscribed(name: string, options: FollowedSubscription): void {
    this.#repeats[options.client] ??= 0;
    this.#subscriptions.set(name, new Subscription(name, options));
  }

  /** From now on everything sent must reach it: it is established, or starts at a cursor taken by now. */
  live(name: string): void {
    known(this.#subscriptions, name).liveAt = ++this.#step;
  }

  /** The subscription goes on over a new connection; what comes from now on came over that. */
  resumed(name: string, notice: LossNotice = {}): void {
    this.noticed(name, notice);
    const subscription = known(this.#subscriptions, name);
    subscription.resumedAt.push(this.#step);
    subscription.latest.clear();
  }

  /** A loss was announced without a frame, as by a Ping. */
  noticed(name: string, notice: LossNotice): void {
    this.#step++;
    const { notices } = known(this.#subscriptions, name);
    if (notice.recovered === false || notice.gap === true) notices.push(this.#step);
  }

  /** The subscription is over: what it has not got yet need not reach it. */
  ended(name: string): void {
    known(this.#subscriptions, name).hasEnded = true;
  }

  /** A frame came; `notice` is its extensions. */
  delivered(name: string, delivered: DeliveredMessage, notice: LossNotice = {}): void {
    this.noticed(name, notice);
    this.#delivered++;
    const subscription = known(this.#subscriptions, name);
    const message = this.#messages.get(delivered.content);
    if (message === undefined) return this.#fault("identity", `${name} got "${delivered.content}", which nobody sent`);
    const reason = reasonNotToGet(subscription, message, delivered.room);
    if (reason !== undefined) return this.#fault("leak", `${name} got ${told(message)}, ${reason}`);
    if (!this.#identify(message, delivered.id)) return;
    message.seen ??= `seen by ${name} at step ${this.#step}`;
    const { arrivals, newest, latest, resumedAt: { length: connection } } = subscription;
    const first = arrivals.get(message);
    if (first !== undefined) this.#repeated(subscription, message, first);
    const floor = (first === undefined ? newest : latest).get(message.room);
    if (floor !== undefined && first?.connection !== connection && isBefore(message, floor)) {
      this.#fault("order", `${name} got ${told(message)} after ${told(floor)}, which stands later in the stream`);
    }
    arrivals.set(message, { step: first?.step ?? this.#step, connection });
    latest.set(message.room, message);
    if (first === undefined && (floor === undefined || isBefore(floor, message))) newest.set(message.room, message);
  }

  /** Judges what has happened so far, as if it were all. */
  verdict() {
    const subscriptions = [...this.#subscriptions.values()];
    const messages = [...this.#messages.values()];
    const misses = subscriptions.flatMap((one) => messages.map((message) => findMiss(one, message)));
    const faults: Fault[] = [...this.#faults];
    for (const miss of misses) if (typeof miss === "object") faults.push({ step: this.#step, ...miss });
    faults.sort((a, b) => a.step - b.step);
    const counts: Partial<Record<FaultKind, number>> = {};
    for (const { kind } of faults) counts[kind] = (counts[kind] ?? 0) + 1;
    const numbers = {
      sent: messages.length,
      acknowledged: messages.filter((message) => message.acknowledgedAt !== undefined).length,
      delivered: this.#delivered,
      resumes: subscriptions.reduce((sum, { resumedAt }) => sum + resumedAt.length, 0),
      /** Messages missed that a notice stood for. */
      announcedLosses: misses.filter((miss) => miss === "announced").length,
      /** Repeats across reconnects, by kind of client. */
      repeats: { ...this.#repeats },
      counts,
    };
    const shown = faults.slice(0, 10).map(({ kind, step, text }) => `step ${step}: ${kind}: ${text}`);
    /** The numbers and the first faults, to be shown by a failing assertion. */
    const summary = [JSON.stringify(numbers), ...shown].join("\n");
    return { ok: faults.length === 0, faults, ...numbers, summary };
  }

  /** Whether this id is the message's, and only the message's. */
  #identify(message: Message, id: string): boolean {
    message.position ??= parsePosition(id);
    const owner = this.#messagesById.get(id) ?? message;
    this.#messagesById.set(id, owner);
    if (message.position !== undefined && owner === message && (message.id ??= id) === id) return true;
    const why = message.id === undefined ? "which is no position" : `though its id is ${message.id}`;
    this.#fault("identity", `${told(message)} came as ${id}, ${owner === message ? why : `the id of ${told(owner)}`}`);
    return false;
  }

  #repeated(subscription: Subscription, message: Message, first: Arrival): void {
    const { name, followed: { client, exactlyOnce } } = subscription;
    const within = first.connection === subscription.resumedAt.length;
    if (!within) this.#repeats[client]!++;
    if (!within && exactlyOnce !== true) return;
    const where = within ? "over one connection" : "across a reconnect, as an exactly-once client";
    this.#fault("repeat", `${name} got ${told(message)} again ${where}; first at step ${first.step}`);
  }

  #fault(kind: FaultKind, text: string): void {
    this.#faults.push({ kind, step: this.#step, text });
  }
}

interface Message extends SentMessage {
  readonly sentAt: number;
  acknowledgedAt?: number;
  id?: string;
  position?: Position | undefined;
  /** By whom first, and when. */
  seen?: string;
}

/** When a message first came, and the last connection it came over. */
type Arrival = { readonly step: number; readonly connection: number };

class Subscription {
  readonly arrivals = new Map<Message, Arrival>();
  /** By room: the furthest message there was, and the last over this connection. */
  readonly newest = new Map<string | null, Message>();
  readonly latest = new Map<string | null, Message>();
  /** The steps at which losses were announced, and at which connections were replaced. */
  readonly notices: number[] = [];
  readonly resumedAt: number[] = [];
  liveAt = Infinity;
  hasEnded = false;

  constructor(readonly name: string, readonly followed: FollowedSubscription) {}
}

/** What is wrong, when the subscription should have got the message and has not. */
function findMiss(subscription: Subscription, message: Message) {
  const { name, arrivals, liveAt, hasEnded, notices, resumedAt } = subscription;
  if (message.position === undefined || arrivals.has(message)) return undefined;
  if (reasonNotToGet(subscription, message) !== undefined) return undefined;
  const all = [...arrivals];
  const before = all.findLast(([other]) => isBefore(other, message));
  const after = all.find(([other]) => isBefore(message, other));
  if (before === undefined && message.sentAt < liveAt) return undefined;
  if (after === undefined && (message.acknowledgedAt === undefined || hasEnded)) return undefined;
  const [from, to] = [before?.[1].step ?? 0, after?.[1].step ?? Infinity];
  if (notices.some((step) => step > from && step <= to && step > message.sentAt)) return "announced";
  const resumes = resumedAt.filter((step) => step > from && step < to);
  const text = `${name} never got ${told(message)}` +
    (before === undefined ? `, though live since step ${liveAt}` : `, but ${told(before[0])} at step ${from}`) +
    (after === undefined ? "" : ` and ${told(after[0])} at step ${to}`) +
    (resumes.length === 0 ? "" : `; it resumed at step ${resumes.join(", ")}`) + "; no loss was announced";
  return after === undefined ? { kind: "undelivered" as const, text } : { kind: "loss" as const, text, step: to };
}

/** Why the subscription must not get the message, or not in this form; undefined when it must. */
function reasonNotToGet({ followed }: Subscription, message: Message, room = message.room): string | undefined {
  if (room !== message.room) return `as one to ${room ?? "everyone"}`;
  if (room !== null && room !== followed.room) return `but follows ${followed.room ?? "only everyone"}`;
  const { excludedSession: excluded } = message;
  if (excluded !== undefined && excluded === followed.session) return "which excludes its session";
  return followed.wants?.(message) === false ? "which its filter does not let through" : undefined;
}

/** Whether one stands before the other in their stream; neither does when that cannot be told. */
function isBefore({ room, position: a }: Message, { room: other, position: b }: Message): boolean {
  if (room !== other || a === undefined || b === undefined) return false;
  return a.epoch === b.epoch ? a.offset < b.offset : a.timeUs < b.timeUs;
}

function told({ content, room, sentAt, acknowledgedAt, seen = "seen by nobody" }: Message): string {
  const acknowledged = acknowledgedAt === undefined ? seen : `acknowledged at ${acknowledgedAt}`;
  return `"${content}" (to ${room ?? "everyone"}, sent at step ${sentAt}, ${acknowledged})`;
}

function known<T>(things: ReadonlyMap<string, T>, name: string): T {
  const thing = things.get(name);
  if (thing === undefined) throw new RangeError(`Cannot find "${name}" in the history: it was never announced`);
  return thing;
}
