import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { formatPosition } from "../../src/core/position.ts";
import {
  type FollowedSubscription,
  HistoryChecker,
  type LossNotice,
  type SentMessage,
} from "../support/history_checker.ts";

Deno.test("HistoryChecker finds nothing in a history without a fault", () => {
  const history = new History().follows("ann").follows("bob").sends("1", "2", "3");
  history.gets("ann", "1", "2", "3").gets("bob", "1", "2", "3");
  assertEquals(history.faults(), []);
  const { sent, acknowledged, delivered, ok } = history.checker.verdict();
  assertEquals({ sent, acknowledged, delivered, ok }, { sent: 3, acknowledged: 3, delivered: 6, ok: true });
});

Deno.test("G1 HistoryChecker finds two messages swapped for one of two readers", () => {
  const history = new History().follows("ann").follows("bob").sends("1", "2");
  history.gets("ann", "1", "2").gets("bob", "2", "1");
  assertEquals(history.faults(), ["order"]);
  assertStringIncludes(history.checker.verdict().faults[0]!.text, 'bob got "1" (to lobby');
});

Deno.test("G1 HistoryChecker does not order a room against everyone", () => {
  const history = new History().follows("ann").follows("bob").sends("1").sendsTo(null, "all");
  history.gets("ann", "1", "all").gets("bob", "all", "1");
  assertEquals(history.faults(), []);
});

Deno.test("G1 HistoryChecker orders a log's lives by their time", () => {
  const history = new History().follows("ann").sends("1").inEpoch("e0").sends("2");
  history.gets("ann", "2", "1");
  assertEquals(history.faults(), ["order"]);
});

Deno.test("G2 HistoryChecker finds an acknowledged message missing between two", () => {
  const history = new History().follows("ann").sends("1", "2", "3").gets("ann", "1", "3");
  assertEquals(history.faults(), ["loss"]);
  const { faults: [fault], summary } = history.checker.verdict();
  assertEquals(fault!.step, 9);
  assertStringIncludes(fault!.text, 'ann never got "2" (to lobby, sent at step 4, acknowledged at 5), but "1"');
  assertStringIncludes(summary, `step 9: loss: ${fault!.text}`);
});

Deno.test("G2 HistoryChecker finds an acknowledged message missing at the start and at the end", () => {
  const history = new History().follows("ann").sends("1", "2", "3").gets("ann", "2");
  assertEquals(history.faults(), ["loss", "undelivered"]);
});

Deno.test("G2 HistoryChecker finds a message that never reached a subscription that got nothing", () => {
  assertEquals(new History().follows("ann").sends("1").faults(), ["undelivered"]);
});

Deno.test("G2 HistoryChecker expects nothing sent before a subscription was live, nor after its end", () => {
  const history = new History().sends("1").follows("ann").sends("2").gets("ann", "2");
  history.checker.ended("ann");
  assertEquals(history.sends("3").faults(), []);
});

Deno.test("G2 HistoryChecker expects all that follows what a subscription got, live or not", () => {
  const history = new History();
  history.checker.subscribed("ann", { room: "lobby", client: "stock" });
  history.sends("1", "2", "3").gets("ann", "1", "3");
  assertEquals(history.faults(), ["loss"]);
});

for (const notice of [{ gap: true }, { recovered: false }]) {
  Deno.test(`G2 HistoryChecker takes ${JSON.stringify(notice)} on a frame as announcing a loss before it`, () => {
    const history = new History().follows("ann").sends("1", "2", "3", "4", "5").gets("ann", "1");
    history.getsWith("ann", "3", notice);
    assertEquals(history.gets("ann", "5").faults(), ["loss"]);
    const { announcedLosses, faults: [fault] } = history.checker.verdict();
    assertEquals(announcedLosses, 1);
    assertStringIncludes(fault!.text, 'never got "4"');
  });
}

Deno.test("G2 HistoryChecker takes a notice on another stream's frame as announcing a loss", () => {
  const history = new History().follows("ann").sends("1", "2", "3").sendsTo(null, "all").gets("ann", "1");
  assertEquals(history.getsWith("ann", "all", { gap: true }).gets("ann", "3").faults(), []);
});

Deno.test("G2 HistoryChecker takes a Ping's notice, but not for what is sent after it", () => {
  const history = new History().follows("ann").sends("1", "2").gets("ann", "1");
  history.checker.noticed("ann", { gap: true });
  assertEquals(history.sends("3").faults(), ["undelivered"]);
  assertStringIncludes(history.checker.verdict().faults[0]!.text, 'never got "3"');
});

Deno.test("G2 HistoryChecker finds a loss across a resume that said nothing, or said all was recovered", () => {
  for (const notice of [{}, { recovered: true }]) {
    const history = new History().follows("ann").sends("1", "2", "3").gets("ann", "1");
    history.checker.resumed("ann");
    history.getsWith("ann", "3", notice);
    assertEquals(history.faults(), ["loss"]);
    assertStringIncludes(history.checker.verdict().summary, "it resumed at step 9");
  }
});

Deno.test("G2 HistoryChecker takes a resume's own notice", () => {
  const history = new History().follows("ann").sends("1", "2", "3").gets("ann", "1");
  history.checker.resumed("ann", { recovered: false });
  assertEquals(history.gets("ann", "3").faults(), []);
});

Deno.test("G2 HistoryChecker does not miss a send without an answer, and is content when it comes", () => {
  assertEquals(new History().follows("ann").tries("1").sends("2").gets("ann", "2").faults(), []);
  assertEquals(new History().follows("ann").tries("1").sends("2").gets("ann", "1", "2").faults(), []);
});

Deno.test("G2 HistoryChecker misses a send without an answer that another reader got", () => {
  const history = new History().follows("ann").follows("bob").tries("1").sends("2");
  history.gets("ann", "2").gets("bob", "1", "2");
  assertEquals(history.faults(), ["loss"]);
  assertStringIncludes(history.checker.verdict().faults[0]!.text, "seen by bob");
});

Deno.test("HistoryChecker expects neither what a filter holds back nor what excludes the session", () => {
  const wants = ({ content }: SentMessage) => content !== "2";
  const history = new History().follows("ann", { wants, session: "s" }).follows("bob", { session: "t" });
  history.sends("1", "2").sends({ content: "3", room: "lobby", excludedSession: "s" }).sends("4");
  history.gets("ann", "1", "4").gets("bob", "1", "2", "3", "4");
  assertEquals(history.faults(), []);
  assertEquals(history.gets("ann", "2", "3").faults(), ["leak", "leak"]);
});

Deno.test("HistoryChecker finds another room's message, and one that came as another room's", () => {
  const history = new History().follows("ann").follows("all", { room: null }).sendsTo("attic", "1").sends("2");
  history.gets("ann", "1", "2").gets("all", "2");
  history.checker.delivered("ann", { ...history.stored("1"), room: "lobby" });
  assertEquals(history.faults(), ["leak", "leak", "leak"]);
  assertStringIncludes(history.checker.verdict().faults[0]!.text, "but follows lobby");
});

Deno.test("G3 HistoryChecker finds a repeat within one connection, whoever the client is", () => {
  const history = new History().follows("ann").sends("1", "2").gets("ann", "1", "2", "1");
  assertEquals(history.faults(), ["repeat"]);
  assertEquals(history.checker.verdict().repeats, { stock: 0 });
});

Deno.test("G3 HistoryChecker counts repeats across reconnects, and forgives them to at-least-once clients", () => {
  const history = new History().follows("ann").follows("bob", { client: "resumable", exactlyOnce: true });
  history.sends("1", "2", "3").gets("ann", "1", "2").gets("bob", "1", "2");
  for (const name of ["ann", "bob"]) history.checker.resumed(name);
  history.gets("ann", "1", "2", "3").gets("bob", "2", "3");
  assertEquals(history.faults(), ["repeat"]);
  assertEquals(history.checker.verdict().repeats, { stock: 2, resumable: 1 });
  assertEquals(history.gets("ann", "3").faults(), ["repeat", "repeat"]);
});

Deno.test("G1 HistoryChecker finds repeats that come in another order", () => {
  const history = new History().follows("ann").sends("1", "2").gets("ann", "1", "2");
  history.checker.resumed("ann");
  assertEquals(history.gets("ann", "2", "1").faults(), ["order"]);
});

Deno.test("G6 HistoryChecker finds a message under two ids, two under one, and one that nobody sent", () => {
  const history = new History().follows("ann").sends("1", "2").gets("ann", "1", "2");
  history.checker.acknowledged("1", idAt(9));
  history.checker.delivered("ann", { ...history.stored("2"), id: history.stored("1").id });
  history.checker.delivered("ann", { id: idAt(10), room: "lobby", content: "3" });
  assertEquals(history.faults(), ["identity", "identity", "identity"]);
});

Deno.test("HistoryChecker refuses a test's own mistakes", () => {
  const history = new History().sends("1");
  assertThrows(() => history.sends("1"), RangeError, 'Cannot send "1" twice');
  assertThrows(() => history.gets("ann", "1"), RangeError, 'Cannot find "ann"');
  assertThrows(() => history.checker.acknowledged("2", idAt(1)), RangeError, 'Cannot find "2"');
});

/** A history as a server without faults would write it, but for what a test makes it deliver. */
class History {
  readonly checker = new HistoryChecker();
  readonly #stored = new Map<string, { id: string; room: string | null; content: string }>();
  #epoch = "e1";

  follows(name: string, options: Partial<FollowedSubscription> = {}): this {
    this.checker.subscribed(name, { room: "lobby", client: "stock", ...options });
    this.checker.live(name);
    return this;
  }

  sends(...messages: (string | SentMessage)[]): this {
    for (const message of messages) {
      const { content } = this.#store(typeof message === "string" ? { content: message, room: "lobby" } : message);
      this.checker.acknowledged(content, this.stored(content).id);
    }
    return this;
  }

  sendsTo(room: string | null, content: string): this {
    return this.sends({ content, room });
  }

  /** Sends, and is not answered. */
  tries(content: string): this {
    this.#store({ content, room: "lobby" });
    return this;
  }

  inEpoch(epoch: string): this {
    this.#epoch = epoch;
    return this;
  }

  gets(name: string, ...contents: string[]): this {
    for (const content of contents) this.getsWith(name, content, {});
    return this;
  }

  getsWith(name: string, content: string, notice: LossNotice): this {
    this.checker.delivered(name, this.stored(content), notice);
    return this;
  }

  stored(content: string) {
    return this.#stored.get(content)!;
  }

  faults(): string[] {
    const { faults, ok } = this.checker.verdict();
    assert(ok === (faults.length === 0));
    return faults.map(({ kind }) => kind);
  }

  #store(message: SentMessage): SentMessage {
    this.checker.sent(message);
    const { content, room } = message;
    this.#stored.set(content, { content, room, id: idAt(this.#stored.size + 1, this.#epoch) });
    return message;
  }
}

function idAt(offset: number, epoch = "e1"): string {
  return formatPosition({ epoch, offset, timeUs: offset * 1_000 });
}
