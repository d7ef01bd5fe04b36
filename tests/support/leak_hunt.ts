import type { Authorize } from "../../src/core/auth.ts";
import { type MatrixOperation, OPERATIONS } from "./authorization_matrix.ts";
import { ACCEPT, type MatrixRoad, MatrixWorld, ROADS } from "./matrix_world.ts";
import { seeded } from "./seeded.ts";
import { TappedRequest, TappedSocket } from "./tapped_connections.ts";

/** Who there is in each round: the one who may, the one who may until it is revoked, the one who never may. */
const HUNTERS = ["keeper", "loser", "stranger"] as const;
type Hunter = typeof HUNTERS[number];

/** Messages that are being sent at any time. */
const SENDERS = 4;
/** Rights to other things than one room's are nobody's here. */
const ROOM_KINDS: ReadonlySet<string> = new Set(["read", "send", "join"]);

/** What was found. */
export interface LeakHunt {
  /** What was answered otherwise than it should, or has leaked. */
  readonly wrong: string[];
  /** Operations whose outcome was looked at. */
  combinations: number;
  /** Secret messages that were sent. */
  published: number;
}

/** A subscription that was begun, and how it is seen to have ended. */
interface Opened {
  readonly what: string;
  /** The code it was refused or ended with; undefined while it runs. */
  end(): string | undefined;
  close(): Promise<void>;
}

/**
 * Rights flip while everything is asked by everybody and messages are sent all the time.
 *
 * In each round one user loses its right to the round's room, and never gets it back:
 * what is sent from then on is secret to it for good.
 */
export async function huntLeaks(rounds: number, seed: number, road: MatrixRoad): Promise<LeakHunt> {
  const random = seeded(seed);
  const allowed = new Set<string>();
  const authorize: Authorize = ({ userId }, action) => {
    if (!(HUNTERS as readonly string[]).includes(userId)) return true;
    return ROOM_KINDS.has(action.kind) && "room" in action && allowed.has(`${userId} ${action.room}`);
  };
  const hunt: LeakHunt = { wrong: [], combinations: 0, published: 0 };
  const world = await MatrixWorld.start(road, { ...road.auth, authorize });
  await using _world = world;
  const shuffled = <T>(all: readonly T[]): T[] =>
    all.map((one) => [random(), one] as const).sort(([a], [b]) => a - b).map(([, one]) => one);

  for (let round = 0; round < rounds; round++) {
    const room = `vault-${round}`;
    for (const user of ["keeper", "loser"]) allowed.add(`${user} ${room}`);
    let phase = "early";
    let isOver = false;
    const send = async (sender: number): Promise<void> => {
      const socket = await world.socket(`operator-${sender}`);
      const query = `mutation ($text: String!) { sendMessage(room: "${room}", content: $text) { success } }`;
      while (!isOver) {
        hunt.published++;
        await socket.run(query, { text: `${phase}-secret-${round}-` });
      }
    };
    const sending = Array.from({ length: SENDERS }, (_, sender) => send(sender));
    const sockets = new Map<Hunter, TappedSocket>();
    for (const user of HUNTERS) sockets.set(user, await TappedSocket.open(world.as(user)));
    const opened: { readonly user: Hunter; readonly begun: string; readonly one: Opened }[] = [];

    /** Asks everything as this user. */
    const askAll = async (user: Hunter, mayBe: (operation: MatrixOperation) => readonly string[]): Promise<void> => {
      for (const operation of shuffled(OPERATIONS)) {
        for (const way of ROADS[operation.kind]) {
          const what = `${operation.name} of ${room} by ${user} over ${way}, ${phase}`;
          const variables = { room, cursor: null };
          hunt.combinations++;
          if (operation.kind === "subscription") {
            const accept = way === "WebSocket" ? undefined : ACCEPT[way as "SSE"];
            const one = accept === undefined ? openOver(sockets.get(user)!, operation, variables, what) : openStream(
              await TappedRequest.send(world.as(user), { query: operation.query, variables, headers: { accept } }),
              what,
            );
            opened.push({ user, begun: phase, one });
            continue;
          }
          const { code } = await world.run(user, way, operation.query, variables);
          if (!mayBe(operation).includes(code)) hunt.wrong.push(`${what}: ${code}, not ${mayBe(operation)}`);
        }
      }
    };
    const whenAllowed = ({ name, needs }: MatrixOperation): readonly string[] => {
      if (!needs.every((kind) => ROOM_KINDS.has(kind))) return ["FORBIDDEN"];
      // Whether it is a member already, another road decides.
      return name.startsWith("setPresence") ? ["ok", "NOT_FOUND"] : ["ok"];
    };
    const whenNot = ({ needs }: MatrixOperation): readonly string[] => needs.length === 0 ? ["ok"] : ["FORBIDDEN"];
    const either = (operation: MatrixOperation) => [...whenAllowed(operation), ...whenNot(operation)];

    await Promise.all([askAll("keeper", whenAllowed), askAll("loser", whenAllowed), askAll("stranger", whenNot)]);
    phase = "flipping";
    const flipping = Promise.all([askAll("loser", either), askAll("stranger", whenNot)]);
    for (let turns = Math.floor(random() * 20); turns > 0; turns--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    // In one go: what is sent from here on is not for the loser.
    allowed.delete(`loser ${room}`);
    phase = "late";
    await world.server.reauthorize(random() < 0.5 ? "loser" : undefined);
    await flipping;
    await askAll("loser", whenNot);
    isOver = true;
    await Promise.all(sending);
    // Behind all that was sent to it.
    for (const socket of sockets.values()) await socket.run("{ __typename }");

    for (const { user, begun, one } of opened) {
      // Who may still is not ended; everybody else has been, or was refused.
      const end = user === "keeper" ? one.end() : await endOf(one);
      if (end !== (user === "keeper" ? undefined : "FORBIDDEN")) {
        hunt.wrong.push(`${one.what}, begun ${begun}: ended ${end}`);
      }
      await one.close();
    }
    for (const socket of sockets.values()) await socket[Symbol.asyncDispose]();
  }

  for (const user of HUNTERS) {
    const bytes = world.taps.of(user).join("\n");
    const has = ["early-secret", "late-secret"].map((mark) => bytes.includes(mark));
    const may = { keeper: [true, true], loser: [true, false], stranger: [false, false] }[user];
    if (String(has) !== String(may)) hunt.wrong.push(`${user} has early and late secrets: ${has}, not ${may}`);
  }
  hunt.wrong.push(...world.log.filter((line) => line.includes("-secret-") || line.includes(`"error"`)));
  return hunt;
}

function openOver(socket: TappedSocket, { query }: MatrixOperation, variables: unknown, what: string): Opened {
  const id = socket.begin(query, variables, crypto.randomUUID());
  let code: string | undefined;
  return {
    what,
    end() {
      const last = socket.rest(id).at(-1);
      return code ??= last?.type === "error" ? last.payload[0].extensions.code : undefined;
    },
    close: async () => {},
  };
}

function openStream(request: TappedRequest, what: string): Opened & { readonly request: TappedRequest } {
  return {
    what,
    request,
    end: () => request.text.includes(`"errors":[`) ? /"code":"(\w+)"/.exec(request.text)?.[1] : undefined,
    close: () => request[Symbol.asyncDispose](),
  };
}

/** How it has ended; a stream's end may still be on its way. */
async function endOf(one: Opened & { readonly request?: TappedRequest }): Promise<string | undefined> {
  if (one.request !== undefined) await one.request.answer();
  return one.end();
}
