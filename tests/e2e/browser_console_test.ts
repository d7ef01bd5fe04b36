import { assert, assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import type { Locator, Page } from "playwright-core";
import { assertClean, browserTest, openPage, type PageOptions } from "../support/browser.ts";
import { BROADCAST, JOIN, MESSAGES, SEND } from "../support/documents.ts";
import { HOSTILE_TEXTS } from "../support/hostile_texts.ts";
import { ServerProcess } from "../support/server_process.ts";
import { StockClient } from "../support/stock_client.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";

const VIEWPORTS = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } };

browserTest("the console in Chromium", async (browser, t) => {
  await using server = await ServerProcess.start("--leave-grace-seconds", "0.05");
  const visit = async (room: string, { port = server.port, ...options }: PageOptions & { port?: number } = {}) => {
    const opened = await openPage(browser, `http://127.0.0.1:${port}/`, options);
    await join(opened.page, "ann", room);
    return opened;
  };

  await t.step("a message sent from elsewhere appears, with who and what, as it is and not as markup", async () => {
    await using opened = await visit("lobby");
    const log = opened.page.getByRole("log");

    await server.post(
      BROADCAST,
      { room: "lobby", event: "deployed", content: "<img src=x onerror=alert(1)>", data: { version: "</pre>" } },
      { "x-user-id": "deploy-bot" },
    );

    await log.getByText("<img src=x onerror=alert(1)>", { exact: true }).waitFor();
    for (const text of ["deploy-bot", "deployed", '"version": "</pre>"']) await log.getByText(text).waitFor();
    assertEquals(await opened.page.locator("img").count(), 0);
    assertClean(opened, server.port);
  });

  await t.step("hostile texts are texts: as content, event, data and name", async () => {
    await using opened = await visit("hostile");
    const { page } = opened;
    const dialogs: string[] = [];
    page.on("dialog", (dialog) => (dialogs.push(dialog.message()), dialog.dismiss()));
    const before = await elements(page);

    for (const [at, text] of HOSTILE_TEXTS.entries()) {
      const message = { room: "hostile", event: text.slice(0, 128), content: `${at} ${text}`, data: { [text]: text } };
      await server.post(BROADCAST, message);
    }
    const room = "</h1><script>alert(1)</script>";
    await using other = await visit(room);
    await server.post(SEND, { room, content: "the end" });
    await server.post(SEND, { room: "hostile", content: "the end" });
    for (const { page } of [opened, other]) await page.getByText("the end").waitFor();

    const shown = await page.getByRole("log").evaluate((log) => log.textContent ?? "");
    for (const [at, text] of HOSTILE_TEXTS.entries()) {
      // Half a surrogate pair does not come out of the browser as it went in.
      if (text.isWellFormed()) assert(shown.includes(`${at} ${text}`), text);
    }
    assertEquals([await elements(page), await elements(other.page), dialogs], [before, before, []]);
    for (const page of [opened, other]) assertClean(page, server.port);
  });

  await t.step("members appear when they join and disappear when they leave", async () => {
    await using opened = await visit("members");
    const members = opened.page.getByRole("complementary", { name: "Members" });
    {
      await using bob = StockClient.as("bob", server.webSocketUrl);
      await bob.run(JOIN, { room: "members" });
      await members.getByText("bob").waitFor();
      assertEquals(await opened.page.locator("#member-count").innerText(), "2");
    }

    await members.getByText("bob").waitFor({ state: "detached" });

    await opened.page.getByText("bob left").waitFor();
    assertEquals(await opened.page.locator("#member-count").innerText(), "1");
    assertClean(opened, server.port);
  });

  await t.step("what is sent reaches the room, and what is broadcast every room", async () => {
    await using opened = await visit("kitchen");
    await using bob = StockClient.as("bob", server.webSocketUrl);
    const [kitchen, attic] = ["kitchen", "attic"].map((room) => bob.subscribe(MESSAGES, { room }));
    await bob.settled();
    const field = opened.page.getByRole("textbox", { name: "Message" });

    await field.fill("one\ntwo");
    await field.press("Enter");
    await opened.page.getByRole("log").getByText("one\ntwo").waitFor();
    await field.fill("for all");
    await opened.page.getByRole("button", { name: "Broadcast to everyone" }).click();
    await opened.page.getByText("to everyone", { exact: true }).waitFor();

    const sent = await kitchen!.nextField();
    assertEquals([sent.senderId, sent.room, sent.content], ["ann", "kitchen", "one\ntwo"]);
    const broadcast = await attic!.nextField();
    assertEquals([broadcast.senderId, broadcast.room, broadcast.content], ["ann", null, "for all"]);
    assertEquals(await field.inputValue(), "");
    assertClean(opened, server.port);
  });

  await t.step("what was said before is there, and what was said during a lost connection comes after it", async () => {
    await using proxy = await TcpProxy.start(server.port);
    await server.post(SEND, { room: "hall", content: "before" });
    await using opened = await visit("hall", { port: proxy.port });
    const { page } = opened;
    await page.getByRole("log").getByText("before").waitFor();

    proxy.refuse();
    proxy.cut();
    await page.getByRole("status").getByText("Reconnecting").waitFor();
    await server.post(SEND, { room: "hall", content: "meanwhile" });
    await proxy.accept();
    await page.getByRole("status").getByText("Live").waitFor();
    await page.getByRole("log").getByText("meanwhile").waitFor();

    assertEquals(await page.locator(".message-text").allInnerTexts(), ["before", "meanwhile"]);
    await page.locator("#members").getByText("ann").waitFor();
    assertEquals(await page.getByText("Messages were missed here").count(), 0);
  });

  await t.step("name and room are remembered, a refused name is explained, and leaving leaves", async () => {
    await using server = await ServerProcess.start();
    await using opened = await openPage(browser, new URL("/", server.url).href);
    const { page } = opened;

    await join(page, "server-1", "attic", { waits: false });
    await page.getByRole("alert").getByText('Cannot be "server-1"').waitFor();
    await join(page, "", "attic");
    assertMatch(await page.locator("#own-name").innerText(), /^guest-/);
    await page.getByRole("button", { name: "Leave" }).click();
    await page.getByLabel("Your name").fill("ann");
    await page.getByRole("button", { name: "Join room" }).click();
    await page.locator("#members").getByText("ann").waitFor();
    await page.reload();

    assertEquals(await page.getByLabel("Your name").inputValue(), "ann");
    assertEquals(await page.getByLabel("Room").inputValue(), "attic");
    const { body } = await server.post(`{ room(room: "attic") { members { nodes { userId sessionCount } } } }`);
    // The page that was reloaded is waited for; the guest who left is not.
    assertEquals(body.data.room.members.nodes, [{ userId: "ann", sessionCount: 0 }]);
    assertClean(opened, server.port);
  });

  await t.step("what the server refuses is said in words, and what was written is not lost", async () => {
    await using opened = await visit("cellar");
    const field = opened.page.getByRole("textbox", { name: "Message" });

    await field.fill("é".repeat(40_000));
    await opened.page.getByRole("button", { name: "Send", exact: true }).click();

    await opened.page.getByRole("alert").getByText("65536").waitFor();
    assertEquals((await field.inputValue()).length, 40_000);
    await field.fill("short");
    await field.press("Enter");
    await opened.page.getByRole("alert").waitFor({ state: "hidden" });
  });

  await t.step("the list of messages is bounded, and stays where its reader has scrolled to", async () => {
    await using opened = await visit("stairs", { viewport: { width: 800, height: 400 } });
    await using bob = StockClient.as("bob", server.webSocketUrl);
    const lines = opened.page.locator("#messages > li");
    const scroller = opened.page.locator("#scroller");
    const say = (from: number, to: number) =>
      Promise.all(
        Array.from({ length: to - from }, (_, index) =>
          bob.run(SEND, { room: "stairs", content: `line ${from + index}.` })),
      );

    await say(0, 40);
    await opened.page.getByText("line 39.").waitFor();
    assertLess(await fromEnd(scroller), 1);
    await scroller.hover();
    await opened.page.mouse.wheel(0, -300);
    while (await fromEnd(scroller) < 300);
    await say(40, 60);
    await opened.page.getByRole("button", { name: "New messages" }).waitFor();
    assertGreater(await fromEnd(scroller), 600);
    await opened.page.getByRole("button", { name: "New messages" }).click();
    await say(60, 520);
    await opened.page.getByText("line 519.").waitFor();

    assertEquals(await lines.count(), 500);
    assertLess(await fromEnd(scroller), 1);
    assertClean(opened, server.port);
  });

  for (const [device, viewport] of Object.entries(VIEWPORTS)) {
    await t.step(`long words make no ${device}'s page scroll sideways, light or dark`, async () => {
      const word = "x".repeat(120);
      await using opened = await openPage(browser, new URL("/", server.url).href, { viewport, colorScheme: "light" });
      const { page } = opened;
      assertEquals(await overflow(page), 0);

      await join(page, word, word);
      const message = { room: word, event: word, content: word.repeat(5), data: [word.repeat(5)] };
      await server.post(BROADCAST, message, { "x-user-id": word });
      await page.getByText(word.repeat(5)).first().waitFor();

      assertEquals([await overflow(page), await isDark(page)], [0, false]);
      for (const name of ["Send", "Broadcast to everyone", "Leave"]) {
        const box = await page.getByRole("button", { name, exact: true }).boundingBox();
        assertLess(box!.x + box!.width, viewport.width);
      }
      await page.emulateMedia({ colorScheme: "dark" });
      assertEquals([await overflow(page), await isDark(page)], [0, true]);
      assertClean(opened, server.port);
    });
  }
});

async function join(page: Page, name: string, room: string, { waits = true } = {}): Promise<void> {
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("Room").fill(room);
  await page.getByRole("button", { name: "Join room" }).click();
  if (waits) await page.locator("#members").getByText(name === "" ? "guest-" : name).waitFor();
}

/** How far the newest line is below what is in view, in pixels. */
function fromEnd(scroller: Locator): Promise<number> {
  return scroller.evaluate(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight);
}

/** How far the page could be scrolled sideways, in pixels. */
async function overflow(page: Page): Promise<number> {
  return await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

async function isDark(page: Page): Promise<boolean> {
  const color = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  return Number(/\d+/.exec(color)) < 128;
}

/** Elements that do something, of those a page may hold and those it must not. */
function elements(page: Page): Promise<number> {
  return page.locator("script, img, iframe, svg, object, embed, link, style, base").count();
}
