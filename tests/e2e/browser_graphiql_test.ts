import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { assertClean, browserTest, openPage } from "../support/browser.ts";
import { MESSAGES, SEND } from "../support/documents.ts";
import { runGraphiqlTab } from "../support/graphiql_page.ts";
import { ServerProcess } from "../support/server_process.ts";
import { StockClient } from "../support/stock_client.ts";
import { untilSubscribed } from "../support/until_subscribed.ts";

const TABS = ["Join", "Messages", "Send", "Broadcast"];

browserTest("GraphiQL in Chromium", async (browser, t) => {
  await using server = await ServerProcess.start();
  await using opened = await openPage(browser, server.url);
  const { page } = opened;
  const result = page.locator(".result-window");

  await t.step("the subscription's tab shows a message that is sent from elsewhere", async () => {
    await runGraphiqlTab(page, "Messages");
    await untilSubscribed(server, 1);

    await server.post(SEND, { room: "lobby", content: "from elsewhere" }, { "x-user-id": "bob" });

    await result.getByText('"from elsewhere"').waitFor();
    await result.getByText('"bob"').waitFor();
  });

  await t.step("the tabs Send and Broadcast reach a subscriber, from one user", async () => {
    await using bob = StockClient.as("bob", server.webSocketUrl);
    const received = bob.subscribe(MESSAGES, { room: "lobby" });
    await bob.settled();

    await runGraphiqlTab(page, "Send");
    const sent = await received.nextField();
    await runGraphiqlTab(page, "Broadcast");
    const broadcast = await received.nextField();

    assertEquals([sent.content, broadcast.event, broadcast.data], ["Hello from GraphiQL", "deployed", { version: 7 }]);
    assertMatch(sent.senderId, /^guest-/);
    assertEquals(broadcast.senderId, sent.senderId);
  });

  await t.step("the tab Join makes a member of the page's session, which stays when the tab is changed", async () => {
    await runGraphiqlTab(page, "Join");
    await result.getByText("joinedAt").waitFor();
    await runGraphiqlTab(page, "Send");
    await result.getByText("sendMessage").waitFor();

    const { body } = await server.post(`{ room(room: "lobby") { members { nodes { userId sessionCount } } } }`);

    assertEquals(body.data.room.members.nodes.map((node: { sessionCount: number }) => node.sessionCount), [1]);
  });

  await t.step("a reload keeps the tabs, and begins a new session", async () => {
    const before = await sessionId(page);

    await page.reload();
    const after = await sessionId(page);

    assertMatch(before, /^[0-9a-z]+(-[0-9a-z]+){3}$/);
    assertNotEquals(after, before);
    assertEquals(await page.locator(".graphiql-tab-button").allInnerTexts(), TABS);
    assertEquals(page.url(), server.url);
  });

  await t.step("no request has left the machine, and nothing went wrong in the page", () => {
    assertClean(opened, server.port);
  });
});

browserTest("GraphiQL on a phone", async (browser) => {
  await using server = await ServerProcess.start();
  await using opened = await openPage(browser, server.url, { viewport: { width: 390, height: 844 } });
  const { page } = opened;

  await runGraphiqlTab(page, "Send");
  await page.locator(".result-window").getByText("sendMessage").waitFor();

  const overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
  assertEquals(overflow, 0);
  assertClean(opened, server.port);
});

async function sessionId(page: Page): Promise<string> {
  const editor = page.locator(".graphiql-editor-tool .view-lines", { hasText: "x-session-id" });
  const text = await editor.innerText();
  // The editor writes spaces as no-break spaces.
  return /: "(.*)"/.exec(text.replaceAll("\u00a0", " "))?.[1] ?? text;
}
