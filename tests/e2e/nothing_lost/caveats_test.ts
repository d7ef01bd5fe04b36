import { assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { createClient } from "graphql-ws";
import type { Page } from "playwright-core";
import { WebSocket as WebSocketOfWs } from "ws";
import { browserTest, openPage } from "../../support/browser.ts";
import { SEND } from "../../support/documents.ts";
import { startLocalServer } from "../../support/local_server.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { type Kind, KINDS } from "./cells.ts";
import { FollowedRoom, LOBBY } from "./followed_room.ts";

/** How long it is kept what a client over WebSocket has confirmed, in milliseconds. */
const RECEIPT_MS = 120_000;
/** How long a test waits for what must come, in milliseconds, before it fails. */
const PATIENCE_MS = 10_000;
/** Those over WebSocket: do they come back when it reports an error before its end, as Deno's own does? */
const COMES_BACK_FROM_ERRORS = { "stock": false, "one option": true, "resumable()": true } as const;

/** Drops the socket; `away` happens before anybody may come back. */
async function drop(room: FollowedRoom, away: () => Promise<void> | void = () => {}): Promise<void> {
  room.gate.close();
  room.proxy.cut();
  await room.untilLeft();
  await room.send(["missed"]);
  await away();
  room.gate.open();
  await room.follower.comeBack();
}

for (const kind of KINDS) {
  Deno.test(`${kind}, dropped socket before any message: all, once`, async () => {
    await using room = await FollowedRoom.start(kind);

    await drop(room);
    await room.follower.until(({ came }) => came.length > 0);
    await room.deliver("live");

    assertEquals(room.outcome().came, ["missed (recovered: true)", "live"]);
  });
}

for (const kind of Object.keys(COMES_BACK_FROM_ERRORS) as Kind[]) {
  const goesOn = kind === "resumable()" ? "all, once" : "from now on, not told";
  Deno.test(`${kind}, dropped socket, back in two minutes: all; later: ${goesOn}`, async () => {
    for (const awayMs of [RECEIPT_MS - 1, RECEIPT_MS]) {
      await using room = await FollowedRoom.start(kind);
      await room.confirm("a");

      await drop(room, () => room.clock.advance(awayMs));
      await room.untilLive();
      await room.send(["live"]);
      await room.follower.until(({ came }) => came.includes("live"));

      const missed = awayMs < RECEIPT_MS || kind === "resumable()" ? ["missed (recovered: true)"] : [];
      assertEquals(room.outcome().came, ["a", ...missed, "live"]);
    }
  });
}

for (const [kind, comesBack] of Object.entries(COMES_BACK_FROM_ERRORS) as [Kind, boolean][]) {
  Deno.test(`${kind}, dropped socket of a WebSocket that errs first: ${comesBack ? "all" : "gives up"}`, async () => {
    await using room = await FollowedRoom.start(kind, { client: { webSocketImpl: WebSocket } });
    await room.confirm("a");

    await drop(room);
    await room.follower.until(({ came, failure }) => came.length === 2 || failure !== undefined);

    const { came, failure } = room.follower;
    assertEquals(came, comesBack ? ["a", "missed (recovered: true)"] : ["a"]);
    assertEquals(failure instanceof ErrorEvent, !comesBack);
  });
}

Deno.test("one option, the fifth refusal is the last, by its own waits after 32 to 46 s", async () => {
  const { setTimeout } = globalThis;
  const waitsMs: number[] = [];
  globalThis.setTimeout = ((call: () => void, ms: number) => {
    waitsMs.push(ms);
    return setTimeout(call, 0);
  }) as typeof setTimeout;
  let failure: unknown;
  try {
    // Nobody listens at port 1.
    const client = createClient({ url: "ws://127.0.0.1:1", webSocketImpl: WebSocketOfWs, shouldRetry: () => true });
    failure = await new Promise((error) => client.subscribe({ query: LOBBY }, { next() {}, complete() {}, error }));
  } finally {
    globalThis.setTimeout = setTimeout;
  }

  assertEquals((failure as { error: { code: string } }).error.code, "ECONNREFUSED");
  const parts = waitsMs.map((ms, attempts) => ms - 1_000 * 2 ** attempts);
  assertEquals(parts.map((ms) => ms >= 300 && ms < 3_000), [true, true, true, true, true]);
});

browserTest("the browser's own EventSource, cut before any message, then refused: all, once", async (browser) => {
  await using server = await startLocalServer();
  await using proxy = await TcpProxy.start(server.port);
  await using opened = await openPage(browser, `http://127.0.0.1:${proxy.port}/health`);
  const reports = await listen(opened.page);
  await opened.page.evaluate(openEventSource, LOBBY);
  await reports.until(1);

  proxy.refuse();
  proxy.cut();
  await reports.until(3);
  await server.query(SEND, { room: "lobby", content: "missed" });
  await proxy.accept();
  await reports.until(5);
  await server.query(SEND, { room: "lobby", content: "live" });
  await reports.until(6);

  assertEquals(reports.came, ["open", "error", "error", "open", "missed true", "live undefined"]);
});

browserTest("the browser's own WebSocket reports no error when its connection breaks", async (browser) => {
  await using server = await startLocalServer();
  await using proxy = await TcpProxy.start(server.port);
  await using opened = await openPage(browser, `http://127.0.0.1:${proxy.port}/health`);
  const reports = await listen(opened.page);

  for (const how of ["rst", "fin"] as const) {
    await opened.page.evaluate(openWebSocket);
    await reports.until(2);
    proxy.cut(how);
    await reports.until(3);

    assertEquals(reports.came.splice(0), ["open", "connection_ack", "close"]);
  }
});

/** What a page reports. */
async function listen(page: Page) {
  const came: string[] = [];
  let look = (): void => {};
  await page.exposeFunction("report", (what: string) => (came.push(what), look()));
  return {
    came,
    until: (count: number) =>
      deadline(new Promise<void>((resolve) => (look = () => came.length >= count && resolve())()), PATIENCE_MS),
  };
}

/** Runs in the page, like the next. */
function openEventSource(query: string): void {
  const { report } = globalThis as unknown as { report: (what: string) => void };
  const source = new EventSource(`/graphql?${new URLSearchParams({ query })}`);
  for (const name of ["open", "error"]) source.addEventListener(name, () => report(name));
  source.addEventListener("next", (event) => {
    const { data, extensions } = JSON.parse((event as MessageEvent).data);
    report(`${data.messages.content} ${extensions.recovered}`);
  });
}

function openWebSocket(): void {
  const { report } = globalThis as unknown as { report: (what: string) => void };
  const socket = new WebSocket(new URL("/graphql", location.href.replace("http", "ws")), "graphql-transport-ws");
  for (const name of ["open", "error", "close"]) socket.addEventListener(name, () => report(name));
  socket.addEventListener("open", () => socket.send('{"type":"connection_init"}'));
  socket.addEventListener("message", ({ data }) => report(JSON.parse(data).type));
}
