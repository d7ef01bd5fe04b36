import { assertEquals, assertThrows } from "@std/assert";
import { RealtimeError } from "../../src/core/errors.ts";
import { PublishTurns } from "../../src/core/publish_turns.ts";
import { messagesOf } from "../../src/core/stream.ts";
import { parseRoomName } from "../../src/core/room_name.ts";

const room = (name: string) => messagesOf(parseRoomName(name));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Publishes, and notes when it comes in. */
function open() {
  const turns = new PublishTurns();
  const entered: string[] = [];
  return {
    turns,
    entered,
    publish(name: string, count = 1): void {
      for (let sent = 1; sent <= count; sent++) {
        const wait = turns.enter(room(name), 1);
        const label = `${name} ${sent}`;
        if (wait === undefined) entered.push(label);
        else void wait.then(() => entered.push(label));
      }
    },
  };
}

Deno.test("64 messages are published in one turn of the event loop, and 64 in each one after it", async () => {
  const { entered, publish } = open();

  publish("a", 150);

  const counts = [entered.length];
  for (let turns = 0; turns < 3; turns++) {
    await turn();
    counts.push(entered.length);
  }
  assertEquals(counts, [64, 128, 150, 150]);
  assertEquals(entered, Array.from({ length: 150 }, (_, index) => `a ${index + 1}`));
});

Deno.test("a burst in one room delays another room's message by one turn, whatever its length", async () => {
  const { entered, publish } = open();

  publish("busy", 10_000);
  publish("calm");
  await turn();

  assertEquals(entered.slice(64, 67), ["busy 65", "calm 1", "busy 66"]);
});

Deno.test("who comes while others wait does not overtake those of its own room", async () => {
  const { entered, publish } = open();

  publish("a", 100);
  await turn();
  publish("a", 1);
  publish("b", 100);
  await turn();
  await turn();

  const ofA = entered.filter((label) => label.startsWith("a"));
  assertEquals(ofA, [...Array.from({ length: 100 }, (_, index) => `a ${index + 1}`), "a 1"]);
  assertEquals(entered.length, 201);
});

Deno.test("so many may wait and no more, and a room that has not many waiting is let in all the same", async () => {
  const turns = new PublishTurns();
  for (let entered = 0; entered < 64; entered++) turns.enter(room("a"), 1);
  const waiting = Array.from({ length: 200_000 }, () => turns.enter(room("a"), 1));

  const error = assertThrows(() => turns.enter(room("a"), 1), RealtimeError);
  let calmEntered = false;
  const calm = turns.enter(room("calm"), 1)!.then(() => calmEntered = true);
  await turn();

  assertEquals([error.code, error.retryAfterMs, calmEntered], ["ENGINE_UNAVAILABLE", 1_000, true]);
  // Nobody who waits is forgotten, and there is room again.
  await Promise.all([calm, waiting.at(-1)]);
  await turn();
  assertEquals(turns.enter(room("a"), 1), undefined);
});

Deno.test("a message that costs more leaves less of the turn to others", async () => {
  const turns = new PublishTurns();
  const entered: string[] = [];
  for (const name of ["a", "b", "c"]) {
    const wait = turns.enter(room(name), 1_000);
    if (wait === undefined) entered.push(name);
    else void wait.then(() => entered.push(name));
  }

  const perTurn = [entered.length];
  for (let turns = 0; turns < 2; turns++) {
    await turn();
    perTurn.push(entered.length);
  }
  assertEquals(perTurn, [1, 2, 3]);
});

Deno.test("when the node closes, whoever waits is let in at once, and so is who still comes", async () => {
  const { entered, publish, turns } = open();
  publish("a", 1_000);

  await turns.drain();

  assertEquals(entered.length, 1_000);
  publish("b", 1_000);
  assertEquals(entered.length, 2_000);
});
