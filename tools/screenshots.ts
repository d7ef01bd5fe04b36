/** Writes docs/images: both pages with a received message, on a desktop and a phone, light and dark. */
import type { Page } from "playwright-core";
import { BROADCAST, JOIN, SEND } from "../tests/support/documents.ts";
import { findChromium, launchChromium, openPage } from "../tests/support/browser.ts";
import { runGraphiqlTab } from "../tests/support/graphiql_page.ts";
import { ServerProcess } from "../tests/support/server_process.ts";
import { StockClient } from "../tests/support/stock_client.ts";
import { untilSubscribed } from "../tests/support/until_subscribed.ts";

const IMAGES = new URL("../docs/images/", import.meta.url);
const VIEWPORTS = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } } as const;

const path = findChromium();
if (path === undefined) {
  console.error("Cannot take screenshots: there is no chromium on PATH");
  Deno.exit(1);
}
await Deno.mkdir(IMAGES, { recursive: true });
const browser = await launchChromium(path);
for (const device of ["desktop", "phone"] as const) {
  for (const colorScheme of ["light", "dark"] as const) {
    const options = {
      viewport: VIEWPORTS[device],
      colorScheme,
      // The times in the pictures are those of whoever takes them; at least in one format.
      locale: "en-GB",
    };
    for (const [name, show] of [["console", showConsole], ["graphiql", showGraphiql]] as const) {
      await using server = await ServerProcess.start();
      const url = name === "console" ? new URL("/", server.url).href : server.url;
      await using opened = await openPage(browser, url, options);
      await show(opened.page, server);
      const file = `${name}-${device}-${colorScheme}.png`;
      await Deno.writeFile(new URL(file, IMAGES), await opened.page.screenshot({ animations: "disabled" }));
      console.log(`docs/images/${file}`);
    }
  }
}
await browser.close();

async function showConsole(page: Page, server: ServerProcess): Promise<void> {
  await page.getByLabel("Your name").fill("ann");
  await page.getByRole("button", { name: "Join room" }).click();
  await page.locator("#members").getByText("ann").waitFor();
  await using bob = StockClient.as("bob", server.webSocketUrl);
  await using carla = StockClient.as("carla", server.webSocketUrl);
  for (const client of [bob, carla]) await client.run(JOIN, { room: "lobby" });
  await page.locator("#members").getByText("carla").waitFor();
  await bob.run(SEND, { room: "lobby", content: "Morning! The new build is on staging." });
  await bob.run(SEND, { room: "lobby", content: "Could somebody try the checkout?" });
  const field = page.getByRole("textbox", { name: "Message" });
  await field.fill("On it. Give me five minutes.");
  await field.press("Enter");
  await page.getByText("On it.").waitFor();
  await server.post(
    BROADCAST,
    { room: "lobby", event: "deployed", content: "Release 7 is live", data: { version: "7.0.1", region: "eu" } },
    { "x-user-id": "deploy-bot" },
  );
  await carla.run(SEND, {
    room: "lobby",
    content: "Checkout works here, in Firefox and on the phone. The receipt mail came after two seconds.",
  });
  await server.post(BROADCAST, { content: "Maintenance tonight at 22:00 UTC" }, { "x-user-id": "operator" });
  await page.getByText("Maintenance").waitFor();
}

async function showGraphiql(page: Page, server: ServerProcess): Promise<void> {
  await runGraphiqlTab(page, "Messages");
  await untilSubscribed(server, 1);
  await server.post(SEND, { room: "lobby", content: "Hello from elsewhere" }, { "x-user-id": "bob" });
  await page.locator(".result-window").getByText("Hello from elsewhere").waitFor();
}
