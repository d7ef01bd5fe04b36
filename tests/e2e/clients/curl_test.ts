import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { subscriptionsAre } from "../../contracts/client_suite.ts";
import { SEND } from "../../support/documents.ts";
import { readSnippets } from "../../support/snippets.ts";
import { ServerProcess } from "../../support/server_process.ts";

const SNIPPETS = readSnippets("docs/clients/curl.sh");
const PATIENCE_MS = 10_000;

/** Lines of docs/clients/curl.sh, run by a shell; `await using` ends it. */
class Shell implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(snippet: string, url: string) {
    // The shell becomes curl, or ending the shell would leave curl behind.
    this.#process = new Deno.Command("sh", {
      args: ["-c", `exec ${snippet}`],
      env: { URL: url },
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#reader = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** What has come once the pattern is in it. */
  async read(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#text)) {
      const { done, value } = await deadline(this.#reader.read(), PATIENCE_MS);
      if (done) {
        const { code } = await this.#process.status;
        throw new Error(`Cannot find ${pattern}: curl, which must be installed, ended with ${code}: ${this.#text}`);
      }
      this.#text += value;
    }
    return this.#text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGTERM");
    } catch {
      // It has ended by itself.
    }
    await this.#reader.cancel();
    await this.#process.status;
  }
}

for (const name of ["curl-post", "curl-get"]) {
  Deno.test(`${name} prints what somebody else sends, with its sender, and frees it when it ends`, async () => {
    await using server = await ServerProcess.start();
    {
      await using curl = new Shell(snippet(name), server.url);
      await subscriptionsAre(server, 1);

      await server.post(SEND, { room: "lobby", content: "hello" }, { "x-user-id": "bob" });

      const text = await curl.read(/"hello"[^]*\n\n/);
      assertMatch(text, /^retry: 1000\nid: \S+\n:\n\nevent: next\ndata: \{.*\}\nid: \S+\n\n$/);
      assertStringIncludes(text, `{"data":{"messages":{"senderId":"bob","content":"hello"}}`);
    }
    await subscriptionsAre(server, 0);
  });

  Deno.test(`${name} prints why it is refused`, async () => {
    await using server = await ServerProcess.start();
    await using curl = new Shell(snippet(name).replace("lobby", " "), server.url);

    const { errors } = JSON.parse(await curl.read(/\n/));

    assertEquals(errors[0].extensions.code, "BAD_USER_INPUT");
  });
}

Deno.test("curl-send sends, and is told", async () => {
  await using server = await ServerProcess.start();
  await using listener = new Shell(snippet("curl-post"), server.url);
  await subscriptionsAre(server, 1);

  await using curl = new Shell(snippet("curl-send"), server.url);

  assertEquals(JSON.parse(await curl.read(/\}\}\}$/)), { data: { sendMessage: { success: true } } });
  assertStringIncludes(await listener.read(/hello/), `"senderId":"ann","content":"hello"`);
});

function snippet(name: string): string {
  const found = SNIPPETS.get(name);
  assert(found !== undefined, `docs/clients/curl.sh has no region ${name}`);
  return found.code;
}
