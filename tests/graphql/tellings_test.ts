import { assertEquals } from "@std/assert";
import { PHASES, Tellings } from "../../src/graphql/tellings.ts";
import { ManualClock } from "../support/manual_clock.ts";

/** Keeps which phases were told, one after the other. */
function open() {
  const clock = new ManualClock();
  const tellings = new Tellings(clock);
  const phases: number[] = [];
  return { clock, tellings, phases, told: { tellMoved: (phase: number) => void phases.push(phase) } };
}

const ALL = Array.from({ length: PHASES }, (_, phase) => phase);

Deno.test("each phase is told once in the second after a move, and then nothing is left to be done", () => {
  const { clock, tellings, phases, told } = open();

  tellings.note(told);
  clock.advance(500);
  assertEquals(phases, ALL.slice(0, PHASES / 2));
  clock.advance(500);
  assertEquals(phases, ALL);
  clock.advance(10_000);

  assertEquals([phases, clock.pending], [ALL, 0]);
});

Deno.test("what moves all the time is told once a second in each phase", () => {
  const { clock, tellings, phases, told } = open();

  for (let moves = 0; moves < 300; moves++) {
    tellings.note(told);
    clock.advance(10);
  }

  for (const phase of ALL) assertEquals(phases.filter((one) => one === phase).length, 3);
});

Deno.test("who moves in the middle is told in the phases that were told before it too", () => {
  const { clock, tellings, phases, told } = open();

  tellings.note(told);
  clock.advance(500);
  tellings.note(told);
  clock.advance(1_000);

  assertEquals(phases, [...ALL, ...ALL.slice(0, PHASES / 2)]);
});

Deno.test("nobody is told after the close", () => {
  const { clock, tellings, phases, told } = open();

  tellings.note(told);
  tellings.close();
  clock.advance(2_000);

  assertEquals([phases, clock.pending], [[], 0]);
});
