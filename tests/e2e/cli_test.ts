import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { SETTINGS } from "../../src/settings.ts";

const ROOT = new URL("../../", import.meta.url);
/** What `deno task start` runs, so that its permissions are tested too. */
const [, , ...START] = config.tasks.start.command.split(" ");
const UNSET = Object.fromEntries(SETTINGS.map(({ variable }) => [variable, ""]));

type Variables = Readonly<Record<string, string>>;

function spawn(args: readonly string[], variables: Variables = {}): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    // Quiet, or a package that is fetched first would be named on stderr.
    args: ["run", "--quiet", ...START, ...args],
    cwd: ROOT,
    env: { ...UNSET, NO_COLOR: "1", ...variables },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs the command line to its end. */
async function run(args: readonly string[], variables?: Variables) {
  const { code, stdout, stderr } = await spawn(args, variables).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** A server process on a free port, and what it has written so far. */
class Server implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #stderr: Promise<string>;
  #text = "";

  constructor(args: readonly string[], variables?: Variables) {
    this.#process = spawn(["--port", "0", ...args], variables);
    this.#reader = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#stderr = new Response(this.#process.stderr).text();
  }

  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** What has been written once it holds the pattern. */
  async written(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#text);
      if (match !== null) return match;
      const { done, value } = await this.#reader.read();
      if (done) throw new Error(`Cannot find ${pattern} in ${JSON.stringify(this.#text + await this.#stderr)}`);
      this.#text += value;
    }
  }

  /** How it ended, once it has. */
  async ended(): Promise<{ readonly code: number; readonly stderr: string }> {
    await this.#reader.cancel();
    return { code: (await this.#process.status).code, stderr: await this.#stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.ended();
  }
}

/** A WebSocket client that says nothing after its upgrade, not even good-bye. */
async function connectSilently(port: number): Promise<Deno.Conn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const request = [
    "GET /graphql HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: graphql-transport-ws",
  ];
  await connection.write(new TextEncoder().encode(`${request.join("\r\n")}\r\n\r\n`));
  await connection.read(new Uint8Array(1_024));
  return connection;
}

Deno.test("--help lists every setting on stdout and exits with 0", async () => {
  const { code, stdout, stderr } = await run(["--help"]);

  for (const { flag, variable } of SETTINGS) {
    assertStringIncludes(stdout, `--${flag}`);
    assertStringIncludes(stdout, variable);
  }
  assertEquals([code, stderr], [0, ""]);
});

Deno.test("--version says the version and exits with 0", async () => {
  assertEquals(await run(["--version"]), { code: 0, stdout: `graphql-rooms ${config.version}\n`, stderr: "" });
});

const REFUSED: readonly (readonly [args: readonly string[], variables: Variables, message: string])[] = [
  [["--port", "70000"], {}, 'Cannot use "70000" as --port: must be an integer from 0 to 65535'],
  [[], { LOG_LEVEL: "loud" }, 'Cannot use "loud" as LOG_LEVEL: must be one of debug, info, warn, error'],
  [["--prot", "1"], {}, 'Cannot use "--prot": no such flag, see --help'],
  [
    ["--host"],
    {},
    "Cannot use --host without a value: must be an IP address or a host name, without brackets or a port",
  ],
  [
    [],
    { HOST: "0.0.0.0" },
    'Cannot use "0.0.0.0" as HOST without authentication: ' +
    "must be a loopback address, or ask for tokens (JWT_SECRET), or let anybody in with --anonymous (ANONYMOUS=true)",
  ],
];

for (const [args, variables, message] of REFUSED) {
  Deno.test(`the server says one line and exits with 2: ${message}`, async () => {
    assertEquals(await run(args, variables), { code: 2, stdout: "", stderr: `${message}\n` });
  });
}

Deno.test("the server says one line and exits with 1 when its port is in use", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;

  const result = await run(["--port", String(port)]);

  const message = `Cannot listen on 127.0.0.1:${port}: the port is in use (choose another with --port)\n`;
  assertEquals(result, { code: 1, stdout: "", stderr: message });
});

Deno.test("the server says one line and exits with 1 when its address is another machine's", async () => {
  const result = await run(["--host", "192.0.2.1", "--anonymous"]);

  const message = "Cannot listen on 192.0.2.1:4000: no such address on this machine (choose another with --host)\n";
  assertEquals(result, { code: 1, stdout: "", stderr: message });
});

Deno.test("the server announces its addresses, aligned, and answers there", async () => {
  await using server = new Server([], { LOG_FORMAT: "pretty" });

  const [banner, port] = await server.written(/ {2}Health +http:\/\/127\.0\.0\.1:(\d+)\/health\n/);
  const [, graphql, webSocket] = await server.written(/ {2}GraphQL +(\S+)\n {2}WebSocket +(\S+)\n/);
  const health = await fetch(`http://127.0.0.1:${port}/health`);
  await health.body?.cancel();

  assertEquals(graphql, `http://127.0.0.1:${port}/graphql`);
  assertEquals(webSocket, `ws://127.0.0.1:${port}/graphql`);
  assertEquals(banner.indexOf("http"), "  WebSocket  ".length);
  assertEquals(health.status, 200);
});

Deno.test("the server announces its address as one JSON line when the log is JSON", async () => {
  await using server = new Server([]);

  const [line] = await server.written(/^.*\n/);

  const { event, fields } = JSON.parse(line);
  assertEquals(event, "server.listening");
  assertMatch(fields.url, /^http:\/\/127\.0\.0\.1:\d+\/graphql$/);
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`the server stops at ${signal} and exits with 0`, async () => {
    await using server = new Server([]);
    await server.written(/server\.listening/);

    server.kill(signal);

    await server.written(/server\.stopping/);
    assertEquals(await server.ended(), { code: 0, stderr: "" });
  });
}

Deno.test("the server stops gracefully at a signal that its parent hands on a second time", async () => {
  await using server = new Server(["--drain-seconds", "1"]);
  await server.written(/server\.listening/);

  server.kill("SIGINT");
  server.kill("SIGINT");

  assertEquals(await server.ended(), { code: 0, stderr: "" });
});

Deno.test("the server exits at once at a second signal, whatever is still open", async () => {
  await using server = new Server(["--drain-seconds", "60"]);
  const [, port] = await server.written(/"url":"http:\/\/127\.0\.0\.1:(\d+)\//);
  using _client = await connectSilently(Number(port));

  server.kill("SIGTERM");
  await server.written(/server\.stopping/);
  server.kill("SIGINT");

  const { code } = await server.ended();
  assert(code === 130, `ended with ${code}`);
});
