import { assertEquals, assertRejects } from "@std/assert";
import { type Receipt, RECEIPT_TTL_MS } from "../../src/core/engine.ts";
import { RealtimeError } from "../../src/core/errors.ts";
import { parseRoomName } from "../../src/core/room_name.ts";
import type { EngineWorld, RegisterTest } from "./engine_suite.ts";

const LOBBY = parseRoomName("lobby");
const ATTIC = parseRoomName("attic");

type Node = EngineWorld["nodes"][number];

/** r1 to r10: how far clients have got, for those that come back without saying it. */
export function registerReceiptTests(test: RegisterTest): void {
  test("r1", "a receipt put on one node is there for the other, and none that nobody put", async ({ nodes }) => {
    const [one, two] = nodes;
    await one.receipts.put([receipt("a"), receipt("b", { userId: "guest-b", rooms: [ATTIC, LOBBY] })]);
    for (const node of nodes) {
      assertEquals(await node.receipts.get("a"), receipt("a"));
      assertEquals(await node.receipts.get("b"), receipt("b", { userId: "guest-b", rooms: [ATTIC, LOBBY] }));
    }
    assertEquals(await two.receipts.get("c"), undefined);
  });

  test("r2", "the last write counts, with all it says, whichever node it is made on", async ({ nodes: [one, two] }) => {
    const last = receipt("a", {
      cursor: "three",
      fingerprint: "another",
      userId: "bob",
      sessionId: "other",
      rooms: [LOBBY],
    });
    await one.receipts.put([receipt("a", { cursor: "one" })]);
    await two.receipts.put([receipt("a", { cursor: "two" })]);
    assertEquals(await one.receipts.get("a"), receipt("a", { cursor: "two" }));
    await one.receipts.put([last]);
    assertEquals(await two.receipts.get("a"), last);
  });

  test("r3", "a receipt is kept for its time from the last write, and not longer", async ({ nodes, passTime }) => {
    await nodes[0].receipts.put([receipt("a"), receipt("b")]);
    await passTime(RECEIPT_TTL_MS - 1_000);
    assertEquals(await present(nodes[1], ["a", "b"]), ["a", "b"]);
    await passTime(1_001);
    for (const node of nodes) assertEquals(await present(node, ["a", "b"]), []);
  });

  test("r4", "a receipt that is written again lives on, for a whole time more", async ({ nodes, passTime }) => {
    const [one, two] = nodes;
    await one.receipts.put([receipt("a"), receipt("b")]);
    for (let rewritten = 0; rewritten < 3; rewritten++) {
      await passTime(RECEIPT_TTL_MS / 2);
      await two.receipts.put([receipt("a")]);
    }
    assertEquals(await present(one, ["a", "b"]), ["a"]);
    await passTime(RECEIPT_TTL_MS - 1_000);
    assertEquals(await present(one, ["a"]), ["a"]);
    await passTime(1_001);
    assertEquals(await present(one, ["a"]), []);
  });

  test("r5", "a removed receipt is gone on all nodes, and can be written again", async ({ nodes: [one, two] }) => {
    await one.receipts.put([receipt("a"), receipt("b")]);
    await two.receipts.remove(["a"]);
    assertEquals([await present(one, ["a", "b"]), await present(two, ["a", "b"])], [["b"], ["b"]]);
    await one.receipts.put([receipt("a", { cursor: "again" })]);
    assertEquals(await two.receipts.get("a"), receipt("a", { cursor: "again" }));
  });

  test("r6", "removing what is not there is nothing, and harms none of the others", async ({ nodes: [one, two] }) => {
    await one.receipts.put([receipt("a"), receipt("b")]);
    await two.receipts.remove(["never"]);
    await two.receipts.remove([]);
    await one.receipts.remove(["never", "a", "a"]);
    await two.receipts.remove(["a"]);
    assertEquals(await present(one, ["never", "a", "b"]), ["b"]);
  });

  test("r7", "many are written and removed at once, and none at all too", async ({ nodes: [one, two] }) => {
    const ids = Array.from({ length: 1_000 }, (_, at) => `operation-${at}`);
    await one.receipts.put([]);
    await one.receipts.put(ids.map((id) => receipt(id, { cursor: `at ${id}` })));
    for (const id of ids) assertEquals(await two.receipts.get(id), receipt(id, { cursor: `at ${id}` }));
    await two.receipts.remove(ids.filter((_, at) => at % 2 === 0));
    assertEquals(await present(one, ids), ids.filter((_, at) => at % 2 === 1));
  });

  test("r8", "what a receipt says is kept exactly, whatever it is", async ({ nodes: [one, two] }) => {
    // A cursor that could not be read is kept as the client sent it, a user is named by the application.
    const texts = ["", " ", "null", "a b\tc\r\nd\0e", '{"a":"\\"}', "é 漢 🦕", "|~:,;\u2028", "x".repeat(256)];
    const receipts = texts.flatMap((text, at) => [
      receipt(`cursor-${at}`, { cursor: text }),
      receipt(`fingerprint-${at}`, { fingerprint: text }),
      receipt(`user-${at}`, { userId: text }),
    ]);
    await one.receipts.put(receipts);
    for (const written of receipts) assertEquals(await two.receipts.get(written.operationId), written);
  });

  test("r9", "of receipts written on both nodes at once one stays, and it is whole", async ({ nodes }) => {
    const written = Array.from({ length: 50 }, (_, at) => {
      return receipt("a", { cursor: `cursor ${at}`, fingerprint: `fingerprint ${at}`, userId: `user ${at}` });
    });
    await Promise.all(written.map((one, at) => nodes[at % 2]!.receipts.put([one])));
    const [first, second] = [await nodes[0].receipts.get("a"), await nodes[1].receipts.get("a")];
    assertEquals(first, second);
    assertEquals(written.filter(({ cursor }) => cursor === first?.cursor), [first!]);
  });

  test("r10", "a closed node refuses, the other still has its receipts, and in the end nothing runs", async (world) => {
    const [one, two] = world.nodes;
    await one.receipts.put([receipt("a"), receipt("b")]);
    await two.receipts.put([receipt("c")]);
    await one.close();
    const calls = [
      () => one.receipts.put([receipt("d")]),
      () => one.receipts.get("a"),
      () => one.receipts.remove(["a"]),
    ];
    for (const call of calls) {
      const error = await assertRejects(call, RealtimeError);
      assertEquals(error.code, "ENGINE_UNAVAILABLE");
    }
    assertEquals(await present(two, ["a", "b", "c", "d"]), ["a", "b", "c"]);
    await two.receipts.remove(["a"]);
    assertEquals(await present(two, ["a", "b"]), ["b"]);
    await world.close();
    for (const [what, count] of Object.entries(await world.leftovers())) assertEquals(count, 0, what);
  });
}

function receipt(operationId: string, changed: Partial<Receipt> = {}): Receipt {
  return {
    operationId,
    cursor: "1abc~x.1-1",
    fingerprint: "f",
    userId: "ann",
    sessionId: "s",
    rooms: [],
    answered: true,
    ...changed,
  };
}

/** Those of the operations that this node has a receipt of. */
async function present(node: Node, operationIds: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const id of operationIds) if (await node.receipts.get(id) !== undefined) found.push(id);
  return found;
}
