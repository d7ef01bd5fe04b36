import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import type { RoomsOptions } from "../../src/options.ts";
import { MESSAGES, SEND } from "../support/documents.ts";
import { FrameSocket } from "../support/frame_socket.ts";
import { type LocalServer, startLocalServer } from "../support/local_server.ts";
import { awaited } from "../support/patience.ts";
import { isDeflated, textOf } from "../support/server_frames.ts";
import { StockClient } from "../support/stock_client.ts";

const COMPRESSING: RoomsOptions = { server: { compression: true, pingMs: 3_600_000 } };
const LARGE = "a room and its messages — ".repeat(100);
const HISTORY = `{ room(room: "lobby") { messages { nodes { content } } } }`;

/** What a client offers, and what the server agrees to; undefined: it goes on without an extension. */
const OFFERS: readonly (readonly [offer: string, agreed: RegExp | undefined])[] = [
  ["permessage-deflate", /^permessage-deflate; (?=.*server_no_context_takeover).*client_no_context_takeover$/],
  // What Chromium, Firefox and npm ws offer.
  ["permessage-deflate; client_max_window_bits", /no_context_takeover; .*no_context_takeover$/],
  ["permessage-deflate; client_no_context_takeover", /client_no_context_takeover/],
  ["permessage-deflate; server_no_context_takeover", /server_no_context_takeover/],
  ["permessage-deflate; server_max_window_bits=15", /server_max_window_bits=15/],
  ['permessage-deflate; server_max_window_bits="15"', /server_max_window_bits=15/],
  ["permessage-deflate; client_max_window_bits=10", /client_max_window_bits=10/],
  ["permessage-deflate; server_max_window_bits=10", undefined],
  ['permessage-deflate; client_max_window_bits; server_max_window_bits="9"', undefined],
  ["permessage-deflate; server_max_window_bits=10, permessage-deflate", /^permessage-deflate; ((?!window).)*$/],
  ["x-webkit-deflate-frame", undefined],
];

for (const [offer, agreed] of OFFERS) {
  Deno.test(`a client that offers "${offer}" ${agreed === undefined ? "goes on without" : "gets it"}`, async () => {
    await using server = await startLocalServer(COMPRESSING);
    await using client = await FrameSocket.ready(server.port, offer);
    await follow(client);

    await send(server, LARGE);
    const frame = await client.next();

    assertEquals([isDeflated(frame), contentOf(textOf(frame))], [agreed !== undefined, LARGE]);
    const extensions = extensionsOf(await client.answer);
    if (agreed === undefined) assertEquals(extensions, undefined);
    else assertMatch(extensions!, agreed);
  });
}

for (const offer of ["permessage-deflate; nonsense=1", "permessage-deflate; server_max_window_bits=150", "a b c"]) {
  Deno.test(`an offer that is none, "${offer}", is answered 400`, async () => {
    await using server = await startLocalServer(COMPRESSING);
    await using client = FrameSocket.open(server.port, offer);

    assertMatch(await client.answer, /^HTTP\/1\.1 400 /);
    await awaited(client.ended, () => "the end of the connection");
  });
}

Deno.test("without the option nobody is offered compression, and an offer does no harm", async () => {
  await using server = await startLocalServer();
  await using client = await FrameSocket.ready(server.port, "permessage-deflate");
  await follow(client);

  await send(server, LARGE);

  assertEquals(extensionsOf(await client.answer), undefined);
  assertEquals(isDeflated(await client.next()), false);
});

Deno.test("in one room those who compress, those who do not and those on HTTP get the same", async () => {
  await using server = await startLocalServer(COMPRESSING);
  await using compressing = await FrameSocket.ready(server.port, "permessage-deflate");
  await using other = await FrameSocket.ready(server.port, "permessage-deflate");
  await using plain = await FrameSocket.ready(server.port);
  const clients = [[compressing, "1"], [plain, "2"], [other, "3, and longer"]] as const;
  for (const [client, id] of clients) await follow(client, id);

  for (const content of [LARGE, "small", `${LARGE}again`]) {
    await send(server, content);
    for (const [client, id] of clients) {
      const frame = await client.next();
      const text = textOf(frame);
      assertEquals([JSON.parse(text).id, contentOf(text)], [id, content]);
      assertEquals(isDeflated(frame), client !== plain && content !== "small");
    }
  }
});

Deno.test("what was missed, and answers, are compressed too", async () => {
  await using server = await startLocalServer(COMPRESSING);
  const { data } = await send(server, "first");
  for (let sent = 0; sent < 3; sent++) await send(server, `${sent}${LARGE}`);
  await using client = await FrameSocket.ready(server.port, "permessage-deflate");

  client.subscribe("1", `subscription ($after: Cursor) { messages(room: "lobby", after: $after) { content } }`, {
    after: data.sendMessage.message.cursor,
  });
  const missed = [await client.next(), await client.next(), await client.next()];
  client.subscribe("2", HISTORY);
  const answer = await client.next();

  assertEquals(missed.map(textOf).map(contentOf), ["0", "1", "2"].map((sent) => `${sent}${LARGE}`));
  assertEquals([...missed, answer].map(isDeflated), [true, true, true, true]);
  const { id, payload } = JSON.parse(textOf(answer));
  assertEquals([id, payload.data.room.messages.nodes.length], ["2", 4]);
  assertLess(answer.payload.length, 1_000);
});

Deno.test("graphql-ws on npm ws with compression gets 1,000 messages of all sizes exactly, and sends some", async () => {
  await using server = await startLocalServer(COMPRESSING);
  await using client = StockClient.as("ann", server.webSocketUrl);
  const received = client.subscribe(MESSAGES, { room: "lobby" });
  await client.settled();
  const contents = Array.from({ length: 1_000 }, (_, index) => contentOfSize((index * 7_919) % 20_011, index));

  for (let at = 0; at < contents.length; at += 20) {
    await Promise.all(
      contents.slice(at, at + 20).map((content, index) =>
        // Every other one over the socket itself: ws compresses those.
        index % 2 === 0 ? send(server, content) : client.run(SEND, { room: "lobby", content })
      ),
    );
  }

  const got: string[] = [];
  while (got.length < contents.length) got.push((await received.nextField()).content);
  assertEquals(got.toSorted(), contents.toSorted());
  assertEquals(received.results.filter(({ extensions }) => extensions?.gap !== undefined), []);
});

Deno.test("G4 a reader that lags behind in compressed frames is ended, and the others lose nothing", async () => {
  await using server = await startLocalServer({ ...COMPRESSING, limits: { outboxBytes: 20_000 } });
  await using slow = await FrameSocket.ready(server.port, "permessage-deflate");
  await using healthy = await FrameSocket.ready(server.port, "permessage-deflate");
  for (const client of [slow, healthy]) await follow(client);
  slow.stall();

  let sent = 0;
  while (!server.telemetry.records.some(({ fields }) => fields.reason === "slow reader")) {
    const content = contentOfSize(40_000, sent++);
    await send(server, content);
    assertEquals(contentOf(textOf(await healthy.next())), content);
    assert(sent < 4_000, "The slow reader was never ended");
  }
});

/** Follows the lobby, and waits until that is live. */
async function follow(client: FrameSocket, id = "1"): Promise<void> {
  client.subscribe(id, MESSAGES, { room: "lobby" });
  client.subscribe("viewer", "{ viewer { userId } }");
  assertEquals([(await client.nextMessage()).type, (await client.nextMessage()).type], ["next", "complete"]);
}

// deno-lint-ignore no-explicit-any -- tests look into whatever came back
function send(server: LocalServer, content: string): Promise<any> {
  return server.query(SEND, { room: "lobby", content });
}

function contentOf(text: string): string {
  return JSON.parse(text).payload.data.messages.content;
}

function extensionsOf(answer: string): string | undefined {
  return /^sec-websocket-extensions: (.*)$/im.exec(answer)?.[1]?.trim();
}

/** Text that compresses as text does, another one for each seed. */
function contentOfSize(length: number, seed: number): string {
  const words = ["room", "é", "message", "中文", "🎉", "\n", '"', "subscription"];
  let text = `${seed} `;
  for (let state = seed + 1; text.length < length;) {
    state = (state * 48_271) % 2_147_483_647;
    text += `${words[state % words.length]} ${state % 997} `;
  }
  return text;
}
