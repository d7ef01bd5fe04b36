import { assert, assertEquals } from "@std/assert";
import config from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);
const BUILT = "src/dist/client.js";

Deno.test("the client's script is what deno task build:client makes of its source", async () => {
  const output = await Deno.makeTempFile({ suffix: ".js" });
  try {
    const [program, ...args] = config.tasks["build:client"].command.replace(BUILT, output).split(" ");
    const { success, stderr } = await new Deno.Command(program === "deno" ? Deno.execPath() : program!, {
      args,
      cwd: ROOT,
      env: { NO_COLOR: "1" },
    }).output();
    assert(success, new TextDecoder().decode(stderr));

    const [built, committed] = await Promise.all([Deno.readTextFile(output), Deno.readTextFile(new URL(BUILT, ROOT))]);

    assertEquals(built === committed, true, `${BUILT} is stale: run deno task build:client`);
  } finally {
    await Deno.remove(output);
  }
});

Deno.test("the client's script loads nothing, and exports resumable() alone", async () => {
  const script = await Deno.readTextFile(new URL(BUILT, ROOT));

  assertEquals(/\bimport\b|\brequire\b/.test(script), false);
  assertEquals(Object.keys(await import(`data:text/javascript,${encodeURIComponent(script)}`)), ["resumable"]);
});
