import { assertEquals, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { SETTINGS } from "../../src/settings.ts";
import { ServerProcess } from "../support/server_process.ts";
import { createIssuer, inAnHour } from "../support/tokens.ts";

const [, , ...START] = config.tasks.start.command.split(" ");
const ROOT = new URL("../../", import.meta.url);
const NOT_KEYS = "Cannot use these public keys: must be one key as PEM (BEGIN PUBLIC KEY), a JWK or a JWK set\n";

Deno.test("JWT_KEY_FILE: tokens are checked with the PEM file's key, and no file can be read any more", async () => {
  const issuer = await createIssuer("ES256");
  const file = await writeKeyFile(await issuer.pem("ES256"));
  try {
    const variables = { JWT_KEY_FILE: file };
    await using server = await ServerProcess.startWith({ variables, preload: "tests/support/read_probe.ts" });
    const token = await issuer.sign("ES256", { sub: "ann", exp: inAnHour() });

    const { body } = await server.post("{ viewer { userId } }", {}, { authorization: `Bearer ${token}` });
    server.kill("SIGUSR1");
    const { fields } = await server.logged("probe.read");

    assertEquals(body.data.viewer.userId, "ann");
    assertEquals(fields.outcome, ["NotCapable", "NotCapable"]);
    // Imported when it is first asked for, and all the same no file is read for it.
    const page = await fetch(server.url, { headers: { accept: "text/html" } });
    assertEquals([page.status, (await page.text()).includes("<title>GraphiQL")], [200, true]);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("JWT_KEY_FILE: a file that holds no key is one line on stderr, and exit code 2", async () => {
  const file = await writeKeyFile("not a key\n");
  try {
    assertEquals(await run(file), { code: 2, stdout: "", stderr: NOT_KEYS });
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("JWT_KEY_FILE: an empty file is one line on stderr, and exit code 2", async () => {
  const file = await writeKeyFile("");
  try {
    const stderr = `Cannot read the key file ${JSON.stringify(file)}: it is empty\n`;
    assertEquals(await run(file), { code: 2, stdout: "", stderr });
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("JWT_KEY_FILE: a file that is missing is one line on stderr, and exit code 2", async () => {
  const { code, stdout, stderr } = await run("/nowhere/key.pem");

  assertEquals([code, stdout], [2, ""]);
  assertMatch(stderr, /^Cannot read the key file "\/nowhere\/key.pem": [^\n]*No such file[^\n]*\n$/);
});

async function writeKeyFile(text: string): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".pem" });
  await Deno.writeTextFile(file, text);
  return file;
}

/** Runs the server to its end. */
async function run(keyFile: string) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...START, "--port", "0"],
    cwd: ROOT,
    env: {
      ...Object.fromEntries(SETTINGS.map(({ variable }) => [variable, ""])),
      JWT_KEY_FILE: keyFile,
      NO_COLOR: "1",
    },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
