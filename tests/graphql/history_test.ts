import { assertEquals } from "@std/assert";
import { openSchemaWorld } from "../support/schema_world.ts";

const PAGE = `query ($first: Int, $after: Cursor, $last: Int, $before: Cursor) {
  room(room: "lobby") {
    messages(first: $first, after: $after, last: $last, before: $before) {
      nodes { content } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}`;

async function openFilledWorld(messages = 5) {
  const world = await openSchemaWorld();
  const ann = world.connect("ann");
  for (let sent = 0; sent < messages; sent++) {
    await world.run(`mutation { sendMessage(room: "lobby", content: "${sent}") { success } }`, ann);
  }
  return {
    world,
    ann,
    async page(variables: Record<string, unknown> = {}) {
      const { data, codes } = await world.run(PAGE, ann, variables);
      const page = data?.room?.messages;
      return {
        codes,
        contents: page?.nodes.map(({ content }: { content: string }) => content).join(""),
        info: page?.pageInfo,
        hasMore: page && [page.pageInfo.hasPreviousPage, page.pageInfo.hasNextPage],
      };
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

Deno.test("Room.messages shows the newest 50 by default, oldest first", async () => {
  await using filled = await openFilledWorld(60);

  const { contents, hasMore } = await filled.page();

  assertEquals(contents, Array.from({ length: 50 }, (_, index) => index + 10).join(""));
  assertEquals(hasMore, [true, false]);
});

Deno.test("first and after walk forward to the end", async () => {
  await using filled = await openFilledWorld();

  const one = await filled.page({ first: 2 });
  const two = await filled.page({ first: 2, after: one.info.endCursor });
  const three = await filled.page({ first: 2, after: two.info.endCursor });
  const four = await filled.page({ first: 2, after: three.info.endCursor });

  assertEquals([one, two, three, four].map(({ contents }) => contents), ["01", "23", "4", ""]);
  assertEquals([one, two, three].map(({ hasMore }) => hasMore), [[false, true], [true, true], [true, false]]);
});

Deno.test("last and before walk back to the oldest kept", async () => {
  await using filled = await openFilledWorld();

  const one = await filled.page({ last: 2 });
  const two = await filled.page({ last: 2, before: one.info.startCursor });
  const three = await filled.page({ last: 2, before: two.info.startCursor });
  const four = await filled.page({ last: 2, before: three.info.startCursor });

  assertEquals([one, two, three, four].map(({ contents }) => contents), ["34", "12", "0", ""]);
  assertEquals([one, two, three].map(({ hasMore }) => hasMore), [[true, false], [true, true], [false, true]]);
});

Deno.test("an empty room has an empty page, and its head is no place to go back from", async () => {
  await using filled = await openFilledWorld(0);
  const { data } = await filled.world.run(`{ room(room: "lobby") { head } }`, filled.ann);

  const pages = [await filled.page(), await filled.page({ first: 3 }), await filled.page({ before: data.room.head })];

  assertEquals(pages.map(({ contents, codes }) => [contents, codes]), [["", []], ["", []], ["", []]]);
});

Deno.test("joinRoom.cursor and head join history to live without a gap", async () => {
  await using filled = await openFilledWorld();
  const joined = await filled.world.run(`mutation { joinRoom(room: "lobby") { cursor } }`, filled.ann);
  await filled.world.run(`mutation { sendMessage(room: "lobby", content: "since") { success } }`, filled.ann);

  const since = await filled.page({ after: joined.data.joinRoom.cursor, first: 10 });

  assertEquals(since.contents, "since");
});

Deno.test("messages to everyone are not in a room's history", async () => {
  await using filled = await openFilledWorld(1);
  await filled.world.run(`mutation { broadcast(content: "all") { success } }`, filled.ann);

  assertEquals((await filled.page()).contents, "0");
});

Deno.test("a cursor the history no longer reaches is CURSOR_EXPIRED, both ways", async () => {
  await using filled = await openFilledWorld(3);
  const { info } = await filled.page({ first: 1 });
  filled.world.clock.advance(300_001);
  await filled.world.run(`mutation { sendMessage(room: "lobby", content: "new") { success } }`, filled.ann);

  const forward = await filled.page({ first: 1, after: info.endCursor });
  const back = await filled.page({ last: 1, before: info.endCursor });

  assertEquals([forward.codes, back.codes], [["CURSOR_EXPIRED"], ["CURSOR_EXPIRED"]]);
});

for (
  const variables of [{ first: 0 }, { last: 301 }, { first: 1, last: 1 }, { after: "nonsense" }, {
    first: 1,
    before: "x",
  }]
) {
  Deno.test(`a page of ${JSON.stringify(variables)} is BAD_USER_INPUT`, async () => {
    await using filled = await openFilledWorld(1);

    assertEquals((await filled.page(variables)).codes, ["BAD_USER_INPUT"]);
  });
}
