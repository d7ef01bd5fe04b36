import { expectedCode, type MatrixOperation, OPERATIONS, ROOMLESS } from "./authorization_matrix.ts";
import { type MatrixRoad, MatrixWorld, type Road, ROADS } from "./matrix_world.ts";

/** The room with a secret, one like it that nobody has used, and one for nearly everybody. */
export const VAULT = "vault-1";
export const EMPTY = "vault-2";
export const PUBLIC = "public-1";
/** What nobody but those who may read the vault may ever get a byte of. */
export const SECRET = "s3cr3t";

/** Who of the users may read the vault. */
const MAY_READ: ReadonlySet<string> = new Set(["owner", "insider", "reader"]);

/** What is tried. */
export interface MatrixOptions {
  readonly road: MatrixRoad;
  readonly users: readonly string[];
  /** By which ways each kind of operation on a room is tried. */
  readonly roadsOf: (room: string, kind: MatrixOperation["kind"]) => readonly Road[];
}

/** A vault with a secret in everything that a room has. */
export async function openVault(road: MatrixRoad) {
  const world = await MatrixWorld.start(road);
  await world.join(VAULT, `${SECRET}-member`, { note: `${SECRET}-state` });
  for (const room of [VAULT, PUBLIC]) {
    const mark = room === VAULT ? SECRET : "open";
    await world.ask(
      `mutation ($room: ID!, $text: String!, $data: JSON) {
        sendMessage(room: $room, content: $text, data: $data) { success }
        broadcast(room: $room, event: $text, content: $text, data: $data) { success }
      }`,
      { room, text: `${mark}-content`, data: { [`${mark}-key`]: `${mark}-value` } },
    );
  }
  const data = await world.ask(
    `{ vault: room(room: "${VAULT}") { head } empty: room(room: "${EMPTY}") { head } open: room(room: "${PUBLIC}") { head } }`,
  );
  const cursors: Record<string, string> = {
    [VAULT]: data.vault.head,
    [EMPTY]: data.empty.head,
    [PUBLIC]: data.open.head,
  };
  return { world, cursors };
}

/** Asks everything as everybody: what was answered otherwise than it should, or has leaked. */
export async function runMatrix({ road: matrixRoad, users, roadsOf }: MatrixOptions) {
  const { world, cursors } = await openVault(matrixRoad);
  await using _world = world;
  const wrong: string[] = [];
  let combinations = 0;
  const compare = (what: string, code: string, expected: string): void => {
    combinations++;
    if (code !== expected) wrong.push(`${what}: ${code}, not ${expected}`);
  };

  for (const user of users) {
    const refusals = new Map<string, string>();
    for (const room of [VAULT, EMPTY, PUBLIC]) {
      for (const operation of OPERATIONS) {
        for (const road of roadsOf(room, operation.kind)) {
          const variables = { room, cursor: cursors[room] };
          const expected = expectedCode(user, operation, room);
          const what = `${operation.name} of ${room} by ${user} over ${road}`;
          const answer = operation.kind === "subscription"
            ? await subscribe(world, { user, road, operation, room, variables, expected })
            : await world.run(user, road, operation.query, variables);
          const { code, json } = answer;
          compare(what, code, expected);
          if ("status" in answer && answer.status !== 200) wrong.push(`${what}: status ${answer.status}`);
          if (code === "FORBIDDEN") refusals.set(`${room} ${operation.name} ${road}`, json.replaceAll(room, "ROOM"));
        }
      }
    }
    // One answer for a room that holds something and one that nobody has ever used.
    for (const [asked, json] of refusals) {
      const vaults = refusals.get(asked.replace(EMPTY, VAULT));
      if (json !== vaults) wrong.push(`${asked} by ${user}: ${json} is not ${vaults}`);
    }
    for (const operation of ROOMLESS) {
      for (const road of ROADS[operation.kind]) {
        const { code } = await world.run(user, road, operation.query, {});
        compare(`${operation.name} by ${user} over ${road}`, code, expectedCode(user, operation, null));
      }
    }
  }

  for (const user of users) {
    const hasSecret = world.taps.of(user).some((bytes) => bytes.includes(SECRET));
    if (hasSecret !== MAY_READ.has(user)) wrong.push(`${user} has ${hasSecret ? "a" : "no"} secret`);
  }
  wrong.push(...world.log.filter((line) => line.includes(SECRET)));
  return { wrong, combinations };
}

interface MatrixSubscription {
  readonly user: string;
  readonly road: Road;
  readonly operation: MatrixOperation;
  readonly room: string;
  readonly variables: unknown;
  readonly expected: string;
}

/** Subscribes; where that is allowed, something must come of it. */
async function subscribe(
  world: MatrixWorld,
  { user, road, operation, room, variables, expected }: MatrixSubscription,
): Promise<{ readonly code: string; readonly json: string }> {
  const { running, ...answer } = await world.begin(user, road, operation, { variables, expected });
  if (running === undefined) return answer;
  await using _running = running;
  if (expected !== "ok") return answer;
  const text = `${room === VAULT ? SECRET : "open"}-${world.ghost()}`;
  await world.provoke(room, operation.brings!, text);
  await running.brings(text);
  return answer;
}
