import { assertEquals } from "@std/assert";
import { sendCommand } from "../../src/console/command.ts";
import { startLocalServer } from "../support/local_server.ts";
import { TokenWorld } from "../support/token_world.ts";

/** Stands in for curl: writes what the shell has made of the command, one argument a line. */
const CURL = 'curl() { printf "%s\\n" "$@"; }';

for (const room of ["lobby", `it's "quoted" $HOME \\ \`here\``]) {
  Deno.test(`the command the console shows for ${JSON.stringify(room)} sends to that room`, async () => {
    await using server = await startLocalServer();

    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", `${CURL}; ${sendCommand(server.url, room, { needsToken: false })}`],
    })
      .output();
    const [url = "", , header = "", , body = ""] = new TextDecoder().decode(stdout).split("\n");
    const response = await fetch(url, { method: "POST", headers: [header.split(": ") as [string, string]], body });

    assertEquals(await response.json(), { data: { sendMessage: { success: true } } });
    assertEquals(JSON.parse(body).variables, { room });
  });
}

Deno.test("the command the console shows where tokens are asked for sends as the user of the shell's $TOKEN", async () => {
  await using world = await TokenWorld.start();
  const command = sendCommand(world.server.url, "lobby", { needsToken: true });

  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", `${CURL}; ${command}`],
    env: { TOKEN: await world.token("ann", 60) },
  }).output();
  const [url = "", , ...rest] = new TextDecoder().decode(stdout).split("\n");
  const [authorization = "", , type = "", , body = ""] = rest;
  const headers = [authorization, type].map((line) => line.split(": ") as [string, string]);
  const response = await fetch(url, { method: "POST", headers, body });

  assertEquals(await response.json(), { data: { sendMessage: { success: true } } });
});
