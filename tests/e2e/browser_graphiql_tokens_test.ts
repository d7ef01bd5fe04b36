import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Page } from "playwright-core";
import { assertClean, browserTest, openPage } from "../support/browser.ts";
import { runGraphiqlTab } from "../support/graphiql_page.ts";
import { LEEWAY_S, TokenWorld } from "../support/token_world.ts";

/** What the browser says of each answer with 401. */
const UNAUTHORIZED = "Failed to load resource: the server responded with a status of 401 (Unauthorized)";
const PLACEHOLDER = "PUT-YOUR-TOKEN-HERE";

browserTest("GraphiQL in Chromium where tokens are asked for", async (browser, t) => {
  await using world = await TokenWorld.start();
  const { url, port } = world.server;
  await using opened = await openPage(browser, url);
  const { page } = opened;
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.postData() ?? ""));
  const ask = async (query: string) => await world.post(query, { authorization: await world.token("bob", 86_400) });

  await t.step(
    "a token that is put into one tab's headers counts over HTTP and WebSocket, until another is",
    async () => {
      // Without one the page says where it belongs, and is refused when it is told to run something.
      assertStringIncludes(await headersText(page), `"authorization": "Bearer ${PLACEHOLDER}"`);
      assertStringIncludes(await queryText(page), "First put a token");
      assertStringIncludes(await queryText(page), "--introspection");
      assertEquals(await schemaButtons(page).count(), 0);
      assertEquals(await page.getByRole("dialog").count(), 0);
      assertClean(opened, port);
      await execute(page);
      await result(page).getByText("Cannot use this token").waitFor();

      await putToken(page, await world.token("ann"));
      await runGraphiqlTab(page, "Join");
      await result(page).getByText("joinedAt").waitFor();
      // Its own WebSocket holds the session, and with it the membership, as long as the page is open.
      const { data } = await ask(`{ room(room: "lobby") { members { nodes { userId sessionCount } } } }`);
      assertEquals(data.room.members.nodes, [{ userId: "ann", sessionCount: 1 }]);
      await follow(page, "first");
      world.clock.advance((60 + LEEWAY_S) * 1_000);
      await runGraphiqlTab(page, "Send");
      await result(page).getByText("token expired").waitFor();
      await putToken(page, await world.token("ann"));
      await execute(page);
      await result(page).getByText('"success": true').waitFor();
      await follow(page, "second");

      assertEquals(await page.evaluate(`JSON.stringify(localStorage).includes("eyJ")`), false);
    },
  );

  await t.step(
    "a token in the address is taken into the headers and stays for the tab",
    async () => {
      const token = await world.token("carla");
      await page.goto(`${url}?token=${token}`);
      assertEquals(page.url(), url);
      assertStringIncludes(await headersText(page), `"authorization": "Bearer ${token}"`);
      await page.reload();

      await runGraphiqlTab(page, "Send");
      await result(page).getByText('"carla"').waitFor();
      await follow(page, "from the address");

      assertEquals(await page.getByRole("dialog").count(), 0);
      assertEquals(await page.evaluate(`JSON.stringify(localStorage).includes("eyJ")`), false);
    },
  );

  await t.step("no schema has been asked for, and nothing went wrong but what was refused", () => {
    assertEquals(asked.filter((body) => body.includes("mutation")).length, 5);
    assertEquals(asked.filter((body) => body.includes("__schema")), []);
    const [placeholder, expired, ...problems] = opened.problems;
    assertEquals([placeholder, expired], [UNAUTHORIZED, UNAUTHORIZED]);
    assertClean({ ...opened, problems }, port);
  });

  await t.step("a cookie's token is left to count, for the schema too where the server tells it", async () => {
    await using telling = await TokenWorld.start({ server: { introspection: true } });
    const { url, port } = telling.server;
    await using opened = await openPage(browser, "about:blank");
    const { page } = opened;
    await page.context().addCookies([{ name: "token", value: await telling.token("dora"), url }]);
    await page.goto(url);

    assertEquals((await headersText(page)).includes("authorization"), false);
    assertEquals((await queryText(page)).includes("--introspection"), false);
    assertEquals(await schemaButtons(page).count(), 3);
    await schemaButtons(page).first().click();
    await page.getByText("Root Types").waitFor();
    await runGraphiqlTab(page, "Send");

    await result(page).getByText('"dora"').waitFor();
    assertClean(opened, port);
  });

  /** Runs the tab Messages until it has shown one. */
  async function follow(page: Page, content: string): Promise<void> {
    await runGraphiqlTab(page, "Messages");
    await world.subscribed(1);
    await ask(`mutation { sendMessage(room: "lobby", content: "${content}") { success } }`);
    await result(page).getByText(`"${content}"`).waitFor();
  }
});

/** Runs what is in the tab that is open. */
async function execute(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Execute query" }).click();
}

/** What shows the schema, or asks for it again. */
function schemaButtons(page: Page) {
  return page.getByRole("button", { name: /Documentation Explorer|GraphiQL Explorer|Re-fetch/ });
}

function result(page: Page) {
  return page.locator(".result-window");
}

/** Puts a token into the headers of the tab that is open. */
async function putToken(page: Page, token: string): Promise<void> {
  const headers = { ...JSON.parse(await headersText(page)), authorization: `Bearer ${token}` };
  await headersEditor(page).click();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(JSON.stringify(headers));
  // The editor has closed by itself what was open for a moment.
  await page.keyboard.press("Control+Shift+End");
  await page.keyboard.press("Delete");
}

async function headersText(page: Page): Promise<string> {
  return plain(await headersEditor(page).filter({ hasText: "x-session-id" }).innerText());
}

async function queryText(page: Page): Promise<string> {
  return plain(await page.locator(".graphiql-query-editor .view-lines").innerText());
}

function headersEditor(page: Page) {
  return page.locator(".graphiql-editor-tool .view-lines").filter({ hasText: /x-session-id|authorization/ });
}

/** The editor writes spaces as no-break spaces. */
function plain(text: string): string {
  return text.replaceAll("\u00a0", " ");
}
