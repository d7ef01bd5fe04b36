import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { deadline } from "@std/async/deadline";
import config from "../../deno.json" with { type: "json" };
import { DEFAULTS } from "../../src/options.ts";
import { SETTINGS } from "../../src/settings.ts";
import { CELLS, KINDS } from "../e2e/nothing_lost/cells.ts";
import { ServerProcess } from "../support/server_process.ts";

const ROOT = new URL("../../", import.meta.url);
const README = read("README.md");
const SETTINGS_PAGE = read("docs/settings.md");
/** What the quick start says is printed: when the listener is ready, and when the message has come. */
const [, READY, PRINTED] = /prints "([^"]+)", then "([^"]+)"/.exec(README) ?? [];
const README_ORIGIN = "127.0.0.1:4000";
/** Longer than it takes to check the types of all of it for the first time, on a slow machine. */
const PATIENCE_MS = 60_000;

/** A program whose lines are read one by one; `await using` ends it. */
class Program implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
    this.#reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Runs `deno run` with these arguments and this standard input. */
  static async run(args: readonly string[], input = ""): Promise<Program> {
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", ...args],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const writer = process.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
    return new Program(process);
  }

  /** The next line; undefined when there is none any more. */
  line(): Promise<string | undefined> {
    return deadline(this.#line(), PATIENCE_MS);
  }

  async #line(): Promise<string | undefined> {
    for (;;) {
      const [line, ...rest] = this.#text.split("\n");
      if (rest.length > 0) {
        this.#text = rest.join("\n");
        return line;
      }
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#text += value;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#reader.cancel();
    await this.#process.status;
  }
}

/** Sends README's message with the curl of this machine. */
async function sendByCurl(port: number): Promise<unknown> {
  const command = /^curl [^]*?'$/m.exec(README)?.[0].replace(README_ORIGIN, `127.0.0.1:${port}`);
  assert(command !== undefined, "README has no curl command");
  const { code, stdout, stderr } = await new Deno.Command("sh", { args: ["-c", command] }).output();
  if (code === 127) throw new Error("Cannot try README's curl command: curl must be installed");
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

/** The first code block of this language. */
function block(language: string): string {
  const code = new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "m").exec(README)?.[1];
  assert(code !== undefined, `README has no ${language} block`);
  return code;
}

Deno.test("README shows the way of a message between two terminals in its first ten lines", () => {
  const start = README.split("\n").slice(0, 10).join("\n");

  for (const text of ["task start ", "task listen lobby ", "curl http://", PRINTED!]) assertStringIncludes(start, text);
});

Deno.test("README's quick start: what curl sends is what the listener prints", async () => {
  await using server = await ServerProcess.start();
  const [, , ...listen] = config.tasks.listen.command.split(" ");
  await using listener = await Program.run([...listen, "lobby", "--url", server.url]);
  assertEquals(await listener.line(), READY);

  const answer = await sendByCurl(server.port);

  assertEquals(answer, { data: { sendMessage: { success: true } } });
  assertEquals(await listener.line(), PRINTED);
});

Deno.test("README's client gets what curl sends", async () => {
  await using server = await ServerProcess.start();
  // Answered on the same socket, so once it is here the client's subscription is live.
  const fence = `client.subscribe({ query: "{ viewer { userId } }" }, {
    next: ({ data }) => console.log(data.viewer.userId),
    error: console.error,
    complete() {},
  });`;
  const code = block("js").replace(README_ORIGIN, `127.0.0.1:${server.port}`) + fence;
  await using client = await Program.run(["--no-prompt", "--allow-net", "-"], code);
  assertEquals(await client.line(), "bob");

  await sendByCurl(server.port);

  assertEquals(await client.line(), "ann hello");
});

Deno.test("README's program runs to its end", async () => {
  const [, flags = ""] = /`deno run ([^`]*) embed\.ts`/.exec(README) ?? [];
  await using program = await Program.run(
    ["--no-prompt", "--check", ...flags.split(" "), "--ext", "ts", "-"],
    block("ts"),
  );

  assertMatch(await program.line() ?? "", /^listened at http:\/\/127\.0\.0\.1:\d+\/graphql$/);
  assertEquals(await program.line(), undefined);
});

Deno.test("the example of mod.ts runs", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "--quiet", "--doc", "--allow-net", "--ignore-env", "src/mod.ts"],
    cwd: ROOT,
  }).output();

  assertEquals(code, 0, new TextDecoder().decode(stderr));
});

Deno.test("the listener says in one line why it cannot listen, and exits with 1", async () => {
  await using server = await ServerProcess.start();
  const [, , ...listen] = config.tasks.listen.command.split(" ");
  const refused = [
    [["lobby", "--url", "nowhere"], `Cannot listen: "nowhere" is not a URL of http or ws`],
    [["lobby", "--ulr=x"], "Cannot listen: there is no flag --ulr=x"],
    [
      [" a", "--url", server.url],
      `Cannot listen: Cannot use " a" as a room name: must not begin or end with white space`,
    ],
  ] as const;

  for (const [args, message] of refused) {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", ...listen, ...args],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
    }).output();
    const [said, complained] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals([code, said, complained], [1, "", `${message}\n`]);
  }
});

Deno.test("docs/settings.md has a row for every setting, and no other", () => {
  const rows = [...SETTINGS_PAGE.matchAll(/^\| `--.*$/gm)].map(([row]) => row.replace(/ +/g, " "));

  assertEquals(
    rows,
    SETTINGS.map(({ flag, variable, defaultText, help }) =>
      `| \`--${flag}\` | \`${variable}\` | ${defaultText} | ${help} |`
    ),
  );
});

Deno.test("docs/settings.md names every limit with its default", () => {
  const text = SETTINGS_PAGE.replace(/\s+/g, " ");

  for (const [name, value] of Object.entries(DEFAULTS.limits)) {
    assertStringIncludes(text, `\`${name}\` ${value.toLocaleString("en")}`);
  }
  assertStringIncludes(text, `history also has at most ${DEFAULTS.history.bytes.toLocaleString("en")} bytes`);
});

Deno.test("README's table of what breaks has the cells that are tested, and every row has its tests", () => {
  const [head, , ...rows] = (/^## When the connection breaks$[^]*?((?:^\|.*\n)+)/m.exec(README)?.[1] ?? "")
    .trim().split("\n").map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim()));

  assertEquals(head?.map((cell) => cell.replaceAll("`", "")), ["", ...KINDS]);
  assertEquals(rows, Object.entries(CELLS).map(([row, cells]) => [row, ...KINDS.map((kind) => cells[kind])]));
  for (const row of Object.keys(CELLS)) {
    // Which registers a test for each kind.
    const tests = read(`tests/e2e/nothing_lost/${row.replaceAll(" ", "_")}_test.ts`);
    assertMatch(tests, new RegExp(`^cellTests\\("${row}", `, "m"));
  }
});

for (const page of ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"]) {
  Deno.test(`${page} links only to files that are there`, () => {
    for (const [, target] of read(page).matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      assert(Deno.statSync(new URL(target!, ROOT)).isFile, target);
    }
  });

  Deno.test(`${page} names only tasks that are there`, () => {
    for (const [, task] of read(page).matchAll(/\bdeno(?:@[\d.]+)? task ([a-z:]+)/g)) {
      assert(Object.hasOwn(config.tasks, task!), task);
    }
  });
}

Deno.test("ARCHITECTURE.md names only files that are there", () => {
  const files = ["src", "tests", "tools", "types", "examples"].flatMap((folder) => [...walk(folder)]);

  for (const [, name] of read("ARCHITECTURE.md").matchAll(/`([\w/]+\.ts)`/g)) {
    assert(files.some((file) => file === name || file.endsWith(`/${name}`)), name);
  }
});

function* walk(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
    if (isDirectory) yield* walk(`${folder}/${name}`);
    else yield `${folder}/${name}`;
  }
}
