import { assert, assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };

const ROOT = new URL("../../", import.meta.url);

/** Builds once more, elsewhere, and compares: what is committed must be what this task makes of its source. */
export async function assertIsFresh(built: string, task: "build:client" | "build:console"): Promise<void> {
  const output = await Deno.makeTempFile({ suffix: ".js" });
  try {
    const [program, ...args] = config.tasks[task].command.replace(built, output).split(" ");
    const { success, stderr } = await new Deno.Command(program === "deno" ? Deno.execPath() : program!, {
      args,
      cwd: ROOT,
      env: { NO_COLOR: "1" },
    }).output();
    assert(success, new TextDecoder().decode(stderr));

    const [fresh, committed] = await Promise.all([Deno.readTextFile(output), Deno.readTextFile(new URL(built, ROOT))]);

    assertEquals(fresh === committed, true, `${built} is stale: run deno task ${task}`);
  } finally {
    await Deno.remove(output);
  }
}
