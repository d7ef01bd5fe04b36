import { assert, assertEquals } from "@std/assert";
import { type MatrixOperation, OPERATIONS, USERS } from "../support/authorization_matrix.ts";
import { EMPTY, openVault, runMatrix, SECRET, VAULT } from "../support/matrix_run.ts";
import { BY_NAME, MatrixWorld, type Road, ROADS } from "../support/matrix_world.ts";

/** Names that are not the vault's, or none at all, for those who try them. */
const VARIANTS: readonly (readonly [room: string, code: string])[] = [
  ["vAULT-1", "FORBIDDEN"],
  ["ｖａｕｌｔ-1", "FORBIDDEN"],
  ["vault\u002d1\u200b", "FORBIDDEN"],
  ["v\u00e1ult-1", "FORBIDDEN"],
  ["vault-1 ", "BAD_USER_INPUT"],
  [" vault-1", "BAD_USER_INPUT"],
  ["vault-1\u0000", "BAD_USER_INPUT"],
  ["vault-1\n", "BAD_USER_INPUT"],
  ["\u202evault-1", "BAD_USER_INPUT"],
  ["", "BAD_USER_INPUT"],
  ["messages:vault-1", "FORBIDDEN"],
  ["*", "FORBIDDEN"],
  ["vault-*", "FORBIDDEN"],
  ["__proto__", "FORBIDDEN"],
  ["constructor", "FORBIDDEN"],
];

Deno.test("every user is answered exactly what its rights say, for every operation and transport, and gets no byte of a secret", async () => {
  // The rest is in the long form: "locked" may as little as "outsider", and other rooms go the same roads.
  const users = Object.keys(USERS).filter((user) => user !== "locked");
  const roadsOf = (room: string, kind: MatrixOperation["kind"]): readonly Road[] =>
    room === VAULT ? ROADS[kind] : room === EMPTY || kind !== "subscription" ? ["WebSocket"] : [];

  const { wrong, combinations } = await runMatrix({ road: BY_NAME, users, roadsOf });

  assertEquals(wrong, []);
  assert(combinations >= 700, String(combinations));
});

Deno.test("no other spelling of a room's name leads to it", async () => {
  const { world, cursors } = await openVault(BY_NAME);
  await using _world = world;
  const answers: string[] = [];

  for (const [room] of VARIANTS) {
    const codes = new Set<string>();
    for (const operation of OPERATIONS.filter(({ needs }) => needs.includes("read") || needs.includes("join"))) {
      const asked = { room, cursor: cursors[VAULT] };
      const { code } = operation.kind === "subscription"
        // The vault's cursor would be another room's: an error of its own.
        ? await world.begin("locked", "WebSocket", operation, { variables: { room }, expected: "FORBIDDEN" })
        : await world.run("locked", "WebSocket", operation.query, asked);
      codes.add(code);
    }
    answers.push(...codes);
  }

  assertEquals(answers, VARIANTS.map(([, code]) => code));
  assertEquals(world.taps.of("locked").filter((bytes) => bytes.includes(SECRET)), []);
});

Deno.test("the names of one room in other Unicode forms are that room, for its rights as well", async () => {
  const world = await MatrixWorld.start(BY_NAME, {
    authorize: ({ userId }, action) => userId !== "locked" || !("room" in action) || action.room !== "caf\u00e9",
  });
  await using _world = world;
  await world.provoke("caf\u00e9", "message", `${SECRET}-content`);
  const [, , , , messages] = OPERATIONS;

  const codes: string[] = [];
  for (const room of ["caf\u00e9", "cafe\u0301"]) {
    for (const road of ROADS.query) codes.push((await world.run("locked", road, messages!.query, { room })).code);
  }

  assertEquals(codes, ["FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN"]);
  assertEquals(world.taps.of("locked").filter((bytes) => bytes.includes(SECRET)), []);
});
