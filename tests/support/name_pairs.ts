import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { LISTED_NAMES, referenceName } from "./hostile_names.ts";
import type { LocalServer } from "./local_server.ts";
import { RawClient } from "./raw_client.ts";

/** How many pairs, and what they follow from. */
export interface NamePairsOptions {
  readonly pairs: number;
  readonly seed: number;
}

type Pair = readonly [first: string, second: string];

/** Pairs that one user sends in one go. */
const AT_ONCE = 50;
/** Ways to change a text: some give another spelling of one name, some another name. */
const TWISTS: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => text.normalize("NFC"),
  (text) => text.normalize("NFD"),
  (text) => text.normalize("NFKC"),
  (text) => text.normalize("NFKD"),
  (text) => text.toUpperCase(),
  (text) => text.toLowerCase(),
  (text) => text.trim(),
  (text) => `${text} `,
  (text) => `${text}\u200b`,
  (text) => `${text}\0`,
  (text) => `${text}:`,
  (text) => text.slice(1),
  (text) => text.replaceAll(" ", "\u00a0"),
  (text) => text.split("").reverse().join(""),
];

/**
 * Sends to one text of each generated pair and reads with the other, through the API.
 *
 * Fails unless the message is there exactly when both name the same room. Resolves with
 * how many pairs were tried.
 */
export async function checkNamePairs(server: LocalServer, { pairs, seed }: NamePairsOptions): Promise<number> {
  let tried = 0;
  const run = fc.asyncProperty(
    fc.array(pair(), { minLength: AT_ONCE, maxLength: AT_ONCE, size: "max" }),
    async (some) => {
      tried += some.length;
      await checkPairs(server, some, `user-${tried}`);
    },
  );
  await fc.assert(run, { numRuns: pairs / AT_ONCE, seed, endOnFailure: true });
  return tried;
}

function pair(): fc.Arbitrary<Pair> {
  const listed = fc.constantFrom(...LISTED_NAMES.map(({ text }) => text).filter(({ length }) => length < 300));
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 10 }),
    fc.string({ unit: "grapheme-composite", maxLength: 10 }),
    fc.string({ unit: "grapheme-ascii", maxLength: 130, size: "max" }),
    fc.string({ unit: fc.constantFrom("a", "e", "\u0301", "\u00e9", "\u0323", " "), maxLength: 4 }),
    listed,
  );
  const twisted = fc.tuple(text, fc.constantFrom(...TWISTS)).map(([one, twist]): Pair => [one, twist(one)]);
  return fc.oneof({ weight: 4, arbitrary: twisted }, { weight: 1, arbitrary: fc.tuple(text, text) });
}

async function checkPairs(server: LocalServer, pairs: readonly Pair[], userId: string): Promise<void> {
  await using client = await RawClient.ready(server.webSocketUrl, { userId });
  const sent = await runAll(client, SEND, pairs.map(([room], at) => ({ room, at: `${at}` })));
  const read = await runAll(client, READ, pairs.map(([, room]) => ({ room })));
  for (const [at, [first, second]] of pairs.entries()) {
    const [one, other] = [referenceName(first), referenceName(second)];
    assertEquals(
      outcomeOf(sent[at], ({ sendMessage }) => sendMessage.room),
      one ?? "BAD_USER_INPUT",
      JSON.stringify(first),
    );
    assertEquals(outcomeOf(read[at], ({ room }) => room.id), other ?? "BAD_USER_INPUT", JSON.stringify(second));
    const nodes: readonly { content: string; senderId: string }[] = read[at].data?.room?.messages.nodes ?? [];
    const arrived = nodes.some(({ content, senderId }) => content === `${at}` && senderId === userId);
    assertEquals(arrived, one !== undefined && one === other, JSON.stringify([first, second]));
  }
}

const SEND = `mutation ($room: ID!, $at: String!) { sendMessage(room: $room, content: $at) { room } }`;
const READ = `query ($room: ID!) { room(room: $room) { id messages(last: 100) { nodes { content senderId } } } }`;

// deno-lint-ignore no-explicit-any -- tests look into whatever came back
type Answer = any;

/** Runs them all at once; resolves with their answers, in the order of the variables. */
async function runAll(client: RawClient, query: string, all: readonly Record<string, unknown>[]): Promise<Answer[]> {
  for (const [id, variables] of all.entries()) client.subscribe(`${id}`, query, variables);
  const answers: Answer[] = [];
  for (let left = all.length; left > 0;) {
    const { id, type, payload } = await client.next();
    if (type === "next") answers[id] = payload;
    else if (type === "error") answers[id] = { errors: payload };
    if (type === "complete" || type === "error") left--;
  }
  return answers;
}

function outcomeOf({ data, errors }: Answer, name: (data: Answer) => string): string {
  return errors === undefined ? name(data) : errors[0].extensions.code;
}
