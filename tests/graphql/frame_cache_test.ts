import { assertEquals } from "@std/assert";
import { FrameCache } from "../../src/graphql/frame_cache.ts";
import { LiveFrame } from "../../src/graphql/live_frame.ts";
import { callerOf, openLiveWorld } from "../support/live_world.ts";
import { ManualClock } from "../support/manual_clock.ts";

const frame = (characters: number) => new LiveFrame("x".repeat(characters), "cursor");

Deno.test("G12 what several missed alike is executed once for all of them", async () => {
  let executions = 0;
  await using world = await openLiveWorld({ counted: () => String(++executions) });
  const query = `subscription ($after: String) { messages(room: "lobby", after: $after) { counted } }`;
  const { member: before } = await world.subscribe(query);
  for (let sent = 0; sent < 10; sent++) await world.send(String(sent));
  const after = before.results[0].extensions.cursor;
  executions = 0;

  for (let resumes = 0; resumes < 5; resumes++) {
    const { member } = await world.subscribe(query, undefined, { after });
    await member.has(9);
  }

  assertEquals(executions, 9);
});

Deno.test("what depends on the viewer is never kept for another", async () => {
  await using world = await openLiveWorld({ own: (_event, _args, { viewer }) => viewer.principal.userId });
  const query = `subscription ($last: Int) { messages(room: "lobby", last: $last) { own } }`;
  await world.send("a");

  for (const user of ["ann", "bob", "ann"]) {
    const { member } = await world.subscribe(query, callerOf(user), { last: 1 });
    await member.has(1);
    assertEquals(member.results[0].data.messages.own, user);
  }
});

Deno.test("a frame cache is bounded in characters, and the frame longest unused goes first", () => {
  const cache = new FrameCache(new ManualClock());
  for (let count = 0; count < 16; count++) cache.put(String(count), frame(131_072));
  cache.get("0");

  cache.put("one more", frame(131_072));

  assertEquals([cache.size, cache.get("0") !== undefined, cache.get("1")], [16, true, undefined]);
  cache.close();
});

Deno.test("a frame cache takes no frame that would push out many others", () => {
  const cache = new FrameCache(new ManualClock());

  cache.put("large", frame(131_073));

  assertEquals(cache.size, 0);
});

Deno.test("a frame cache is empty a while after its last use", () => {
  const clock = new ManualClock();
  const cache = new FrameCache(clock);
  cache.put("a", frame(1));

  clock.advance(10_000);
  const used = cache.size;
  cache.get("a");
  clock.advance(10_000);
  const usedAgain = cache.size;
  clock.advance(10_000);

  assertEquals([used, usedAgain, cache.size], [1, 1, 0]);
  // Nothing ticks on for an empty cache.
  assertEquals(clock.pending, 0);
});
