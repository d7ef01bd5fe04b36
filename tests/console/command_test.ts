import { assertEquals } from "@std/assert";
import { sendCommand } from "../../src/console/command.ts";
import { startLocalServer } from "../support/local_server.ts";

/** Stands in for curl: writes what the shell has made of the command, one argument a line. */
const CURL = 'curl() { printf "%s\\n" "$@"; }';

for (const room of ["lobby", `it's "quoted" $HOME \\ \`here\``]) {
  Deno.test(`the command the console shows for ${JSON.stringify(room)} sends to that room`, async () => {
    await using server = await startLocalServer();

    const { stdout } = await new Deno.Command("sh", { args: ["-c", `${CURL}; ${sendCommand(server.url, room)}`] })
      .output();
    const [url = "", , header = "", , body = ""] = new TextDecoder().decode(stdout).split("\n");
    const response = await fetch(url, { method: "POST", headers: [header.split(": ") as [string, string]], body });

    assertEquals(await response.json(), { data: { sendMessage: { success: true } } });
    assertEquals(JSON.parse(body).variables, { room });
  });
}
