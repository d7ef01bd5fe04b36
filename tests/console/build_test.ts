import { assert, assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };

const ROOT = new URL("../../", import.meta.url);
const BUILT = "src/console/dist/console.js";

Deno.test("the console's script is what deno task build:console makes of its source", async () => {
  const output = await Deno.makeTempFile({ suffix: ".js" });
  try {
    const [program, ...args] = config.tasks["build:console"].command.replace(BUILT, output).split(" ");
    const { success, stderr } = await new Deno.Command(program === "deno" ? Deno.execPath() : program!, {
      args,
      cwd: ROOT,
      env: { NO_COLOR: "1" },
    }).output();
    assert(success, new TextDecoder().decode(stderr));

    const [built, committed] = await Promise.all([Deno.readTextFile(output), Deno.readTextFile(new URL(BUILT, ROOT))]);

    assertEquals(built === committed, true, `${BUILT} is stale: run deno task build:console`);
  } finally {
    await Deno.remove(output);
  }
});
