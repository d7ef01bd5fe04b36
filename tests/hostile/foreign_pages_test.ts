import { assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { browserTest, openPage } from "../support/browser.ts";
import { type LocalServer, startLocalServer } from "../support/local_server.ts";
import script from "./foreign_page.js" with { type: "text" };

browserTest("a page of another origin in Chromium neither acts on the server nor reads from it", async (browser, t) => {
  await using friends = serveBlank();
  await using strangers = serveBlank();
  // Other ports of the same host are of the same site: the browser sends the cookie along.
  const friend = `http://127.0.0.1:${friends.port}`;
  await using server = await startLocalServer({ auth: { anonymous: true }, server: { allowedOrigins: [friend] } });
  const target = `http://127.0.0.1:${server.port}`;
  const query = `${target}/graphql?query=${encodeURIComponent("{ viewer { userId } }")}`;
  await using opened = await openPage(browser, query);
  const { page } = opened;
  const { data } = JSON.parse(await page.innerText("body"));
  const userId: string = data.viewer.userId;

  const foreign = {
    "of the same site": `http://127.0.0.1:${strangers.port}`,
    "of another site": `http://evil.localhost:${strangers.port}`,
  };
  for (const [which, origin] of Object.entries(foreign)) {
    await t.step(`a page ${which}`, async () => {
      await page.goto(origin);

      const outcomes = await attack(page, target);

      assertEquals(outcomes, NOTHING);
      assertEquals(await framedText(page, "console"), "");
      assertEquals(await framedText(page, "graphiql"), "");
      assertEquals(await doings(server), UNTOUCHED);
    });
  }

  await t.step("a sandboxed page, whose origin is null", async () => {
    await page.goto(`http://127.0.0.1:${strangers.port}/sandboxed`);

    const outcomes = await attack(page, target);

    assertEquals(outcomes, NOTHING);
    assertEquals(await doings(server), UNTOUCHED);
  });

  await t.step("the same page acts and reads with the user's cookie once its origin is allowed", async () => {
    await page.goto(friend);

    const outcomes = await attack(page, target);

    assertEquals(outcomes["fetch GET"], { data: { viewer: { userId } } });
    assertEquals(outcomes["fetch JSON"], { data: { sendMessage: { success: true } } });
    assertEquals(outcomes["EventSource with credentials"], "open");
    assertEquals(outcomes["WebSocket"], "connection_ack");
    assertEquals(outcomes["module"], "function");
    // Simple requests and tags stay refused, and no page is framed.
    for (const name of ["fetch plain text, opaque", "fetch GET, opaque", "image", "script", "form"] as const) {
      assertEquals(outcomes[name], NOTHING[name]);
    }
    assertEquals(await framedText(page, "console"), "");
    assertEquals(await framedText(page, "graphiql"), "");
    const { messages, senders } = await doings(server);
    assertEquals([messages, senders], [["from a page"], [userId]]);
  });
});

/** What a page gets that is not let in. */
const NOTHING = {
  "fetch GET": "TypeError",
  "fetch GET, opaque": "TypeError",
  "fetch a subscription, opaque": "TypeError",
  "fetch plain text": "TypeError",
  "fetch plain text, opaque": "TypeError",
  "fetch JSON": "TypeError",
  "fetch JSON, opaque": "TypeError",
  "form": "unreadable",
  "form with files": "unreadable",
  "form as text": "unreadable",
  "form by GET": "unreadable",
  "frame of a subscription": "loaded",
  "EventSource": "refused",
  "EventSource with credentials": "refused",
  "WebSocket": "closed 1006",
  "image": "error",
  "script": "error",
  "script of the console": "error",
  "module": "TypeError",
  "frame of /": "loaded",
  "frame of /graphql": "loaded",
};

const UNTOUCHED = { messages: [], senders: [], members: [], streams: 0, connections: 0 };

async function attack(page: Page, target: string): Promise<Record<string, unknown>> {
  return await page.evaluate(`const TARGET = ${JSON.stringify(target)};\n${script}`);
}

/** What stands in a frame; the browser's own page about a frame that is refused counts as nothing. */
async function framedText(page: Page, name: string): Promise<string> {
  const element = await page.waitForSelector(`iframe[name="${name}"]`, { state: "attached" });
  const frame = (await element.contentFrame())!;
  // The page knows that its frame has loaded a moment sooner than this process hears of it.
  while (["", "about:blank"].includes(frame.url())) {
    await page.waitForEvent("framenavigated", { predicate: (one) => one === frame });
  }
  return frame.url().startsWith("chrome-error:") ? "" : await frame.content();
}

/** All that anybody has done to the server. */
async function doings(server: LocalServer) {
  const { data } = await server.query(`{
    room(room: "browser") {
      messages(last: 100) { nodes { content senderId } }
      members { nodes { userId } }
    }
  }`);
  const { messages, members } = data.room;
  const count = (event: string) => server.telemetry.events.filter((one) => one === event).length;
  return {
    messages: messages.nodes.map(({ content }: { content: string }) => content),
    senders: messages.nodes.map(({ senderId }: { senderId: string }) => senderId),
    members: members.nodes,
    streams: count("stream.opened"),
    connections: count("connection.opened"),
  };
}

/** A server of pages that have nothing but what a test runs in them. */
function serveBlank() {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, ({ url }) => {
    const headers = new Headers({ "content-type": "text/html" });
    if (new URL(url).pathname === "/sandboxed") {
      headers.set("content-security-policy", "sandbox allow-scripts allow-forms");
    }
    return new Response(`<!doctype html><link rel="icon" href="data:,"><title>page</title>`, { headers });
  });
  return { port: server.addr.port, [Symbol.asyncDispose]: () => server.shutdown() };
}
