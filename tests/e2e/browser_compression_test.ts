import { assertEquals } from "@std/assert";
import { assertClean, browserTest, openPage } from "../support/browser.ts";
import { BROADCAST, MESSAGES } from "../support/documents.ts";
import { ServerProcess } from "../support/server_process.ts";
import { StockClient } from "../support/stock_client.ts";

browserTest(
  "Chromium agrees to compression, and reads large and small messages, its own and others'",
  async (browser) => {
    await using server = await ServerProcess.start("--compression");
    await using bob = StockClient.as("bob", server.webSocketUrl);
    const received = bob.subscribe(MESSAGES, { room: "lobby" });
    await bob.settled();
    await using opened = await openPage(browser, `http://127.0.0.1:${server.port}/`);
    const { page } = opened;
    await page.getByLabel("Your name").fill("ann");
    await page.getByLabel("Room").fill("lobby");
    await page.getByRole("button", { name: "Join room" }).click();
    await page.locator("#members").getByText("ann").waitFor();

    const large = "é 中文 🎉 ".repeat(1_000).trim();
    for (const content of [large, "small"]) {
      await server.post(BROADCAST, { room: "lobby", event: "news", content });
      await page.getByRole("log").getByText(content, { exact: true }).waitFor();
    }
    await page.getByRole("textbox", { name: "Message" }).fill(`mine ${large}`);
    await page.getByRole("textbox", { name: "Message" }).press("Enter");

    const contents = [await received.nextField(), await received.nextField(), await received.nextField()];
    assertEquals(contents.map(({ content }) => content), [large, "small", `mine ${large}`]);
    assertEquals(await page.evaluate(extensionsOf, server.webSocketUrl), "permessage-deflate");
    assertClean(opened, server.port);
  },
);

/** What a browser and the server agree to; runs in the page. */
function extensionsOf(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, "graphql-transport-ws");
    socket.onerror = () => reject(new Error("Cannot connect"));
    socket.onopen = () => {
      resolve(socket.extensions.split(";")[0]!);
      socket.close();
    };
  });
}
