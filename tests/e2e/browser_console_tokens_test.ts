import { assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { assertClean, browserTest, openPage, type WatchedPage } from "../support/browser.ts";
import { startLocalServer } from "../support/local_server.ts";
import { createIssuer, inAnHour } from "../support/tokens.ts";
import { LEEWAY_S, TokenWorld } from "../support/token_world.ts";

browserTest("the console in Chromium where tokens are asked for", async (browser, t) => {
  const allowed = (userId: string) => userId !== "mute";
  await using world = await TokenWorld.start({ auth: { authorize: ({ userId }) => allowed(userId) } });
  const home = new URL("/", world.server.url);
  const { port } = world.server;
  const say = async (content: string) =>
    await world.post(`mutation { sendMessage(room: "lobby", content: "${content}") { success } }`, {
      authorization: await world.token("bob", 86_400),
    });

  await t.step("a token in the address is taken out of it at once, and kept for this tab alone", async () => {
    const token = await world.token("ann");
    await using opened = await openPage(browser, `${home}?token=${token}&theme=x#lobby`);
    const { page } = opened;

    assertEquals(page.url(), `${home}?theme=x#lobby`);
    assertEquals(await page.getByLabel("Your name").isVisible(), false);
    await page.reload();
    await page.getByRole("button", { name: "Join room" }).click();
    await page.locator("#members").getByText("ann").waitFor();

    assertEquals(await page.locator("#own-name").innerText(), "ann");
    const other = await page.context().newPage();
    await other.goto(home.href);
    assertEquals(await tokenField(other).inputValue(), "");
    assertEquals(
      await page.evaluate("JSON.stringify(localStorage)"),
      '{"graphql-rooms":"{\\"name\\":\\"\\",\\"room\\":\\"lobby\\"}"}',
    );
    assertEquals(opened.urls.filter((url) => url.includes(token)), [`${home}?token=${token}&theme=x`]);
    assertClean(opened, port);
  });

  await t.step("a token that is refused, and none at all, are explained where the next one is put", async () => {
    await using opened = await openPage(browser, home.href);
    const { page } = opened;

    for (const [token, text] of [["eyJ.x.y", "Cannot use this token"], ["", "This server asks for a token"]] as const) {
      await join(page, token);
      await page.getByRole("alert").getByText(text).waitFor();
    }
    await join(page, `Bearer ${await world.token("ann")}`);
    await page.locator("#members").getByText("ann").waitFor();

    assertEquals(socketsOf(opened), 3);
    assertClean(opened, port);
  });

  await t.step("a cookie's token lets in who leaves the field empty", async () => {
    await using opened = await openPage(browser, home.href);
    const { page } = opened;
    await page.context().addCookies([{ name: "token", value: await world.token("carla"), url: home.href }]);

    await join(page, "");

    await page.locator("#members").getByText("carla").waitFor();
    assertClean(opened, port);
  });

  await t.step("an expired token is asked for in place, and the room goes on with another", async () => {
    await using opened = await openPage(browser, home.href);
    const { page } = opened;
    await join(page, await world.token("ann"));
    await say("before");
    await page.getByText("before").waitFor();
    await page.getByRole("textbox", { name: "Message" }).fill("a draft");

    world.clock.advance((60 + LEEWAY_S) * 1_000);
    await page.getByRole("status").getByText("Token expired").waitFor();
    await say("meanwhile");
    await page.getByLabel("Your token has expired").fill(await world.token("ann"));
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByText("meanwhile").waitFor();

    assertEquals(await page.locator(".message-text").allInnerTexts(), ["before", "meanwhile"]);
    assertEquals(await page.getByRole("textbox", { name: "Message" }).inputValue(), "a draft");
    await page.getByRole("status").getByText("Live").waitFor();
    // Not one try was made with the old one.
    assertEquals(socketsOf(opened), 2);
    assertClean(opened, port);
  });

  await t.step("who leaves while another token is asked for comes in again with it", async () => {
    await using opened = await openPage(browser, home.href);
    const { page } = opened;
    await join(page, await world.token("ann", -LEEWAY_S));
    await page.getByLabel("Your token has expired").waitFor();

    await page.getByRole("button", { name: "Leave" }).click();
    await join(page, await world.token("ann"));

    await page.locator("#members").getByText("ann").waitFor();
    assertEquals(await page.getByLabel("Your token has expired").isVisible(), false);
    assertEquals(await page.getByRole("textbox", { name: "Message" }).isVisible(), true);
    assertClean(opened, port);
  });

  await t.step("what there is no right to is said where it happens, and not tried again", async () => {
    await using opened = await openPage(browser, home.href);
    const { page } = opened;
    await join(page, await world.token("mute"));
    await page.getByText("You have no right to read this room").waitFor();
    await page.getByText("You have no right to join this room").waitFor();

    await page.getByRole("textbox", { name: "Message" }).fill("let me in");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("not allowed").waitFor();

    assertEquals(await page.locator("#members > li").count(), 0);
    assertEquals(await page.locator(".notice").count(), 2);
    assertEquals(socketsOf(opened), 1);
    assertClean(opened, port);
  });
});

browserTest("the console waits in Chromium, and says so, while the server cannot check tokens", async (browser) => {
  const issuer = await createIssuer("ES256");
  const asked = Promise.withResolvers<void>();
  let isUp = false;
  await using keys = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
    asked.resolve();
    return isUp ? new Response(issuer.keySet) : new Response(null, { status: 503 });
  });
  await using server = await startLocalServer({ auth: { jwt: { jwksUrl: `http://127.0.0.1:${keys.addr.port}/` } } });
  await using opened = await openPage(browser, new URL("/", server.url).href);
  const { page } = opened;

  await join(page, await issuer.sign("ES256", { sub: "ann", exp: inAnHour() }));
  await page.getByRole("alert").getByText("Cannot check tokens for now").waitFor();
  await asked.promise;
  isUp = true;

  await page.locator("#members").getByText("ann").waitFor();
  await page.getByRole("alert").waitFor({ state: "hidden" });
  assertClean(opened, server.port);
});

function tokenField(page: Page) {
  return page.getByRole("textbox", { name: "Token", exact: true });
}

async function join(page: Page, token: string): Promise<void> {
  await tokenField(page).fill(token);
  await page.getByRole("button", { name: "Join room" }).click();
}

/** How often the page has connected. */
function socketsOf({ urls }: WatchedPage): number {
  return urls.filter((url) => url.startsWith("ws:")).length;
}
