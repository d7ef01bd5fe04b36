import { assert, assertEquals, assertLess } from "@std/assert";
import { RawSocket, UPGRADE } from "../../support/raw_socket.ts";
import { ServerProcess } from "../../support/server_process.ts";

const OF_EACH = 500;
const POST =
  "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";
const GET = "GET /health HTTP/1.1\r\nHost: localhost\r\n";
/** The four shapes and one more, with how long each may last, in seconds. */
const SHAPES = [
  { name: "silent", begins: "", drip: "", withinSeconds: 11 },
  { name: "headers drip", begins: GET, drip: "X-A: b\r\n", withinSeconds: 11 },
  { name: "upgrade drips", begins: UPGRADE.replace(/\r\n\r\n$/, "\r\n"), drip: "X-A: b\r\n", withinSeconds: 11 },
  { name: "body drips", begins: POST, drip: "a", withinSeconds: 31 },
  { name: "idle kept alive", begins: `${GET}\r\n`, drip: "", withinSeconds: 75 },
] as const;
/** slowhttptest's modes: slow headers, slow bodies, slow reading. */
const MODES = { headers: "-H", bodies: "-B", reading: "-X" } as const;

Deno.test(`slowloris: ${OF_EACH} of each of ${SHAPES.length} shapes are cut in time, on the machine's clock`, async () => {
  await using server = await ServerProcess.start();
  const results = await Promise.all(SHAPES.map(async ({ name, begins, drip, withinSeconds }) => {
    const seconds = await Promise.all(Array.from({ length: OF_EACH }, async () => {
      const peer = await RawSocket.connect(server.port);
      const beganMs = performance.now();
      if (begins !== "") await peer.send(begins);
      const timer = drip === "" ? undefined : setInterval(() => void peer.send(drip), 1_000);
      await peer.closed;
      clearInterval(timer);
      return (performance.now() - beganMs) / 1_000;
    }));
    return { name, withinSeconds, last: Math.max(...seconds), first: Math.min(...seconds) };
  }));

  console.log(results);
  for (const { name, last, withinSeconds } of results) assertLess(last, withinSeconds + 5, name);
  assertEquals((await server.post("{ viewer { userId } }")).status, 200);
});

for (const [what, mode] of Object.entries(MODES)) {
  Deno.test({
    name: `slowloris: the service stays available to others under slowhttptest's slow ${what}`,
    ignore: !await isInstalled("slowhttptest"),
    async fn() {
      await using server = await ServerProcess.start();
      // slowhttptest asks for pages in HTML: this is one.
      const url = `http://localhost:${server.port}/`;
      const args = [mode, "-c", "500", "-r", "200", "-i", "5", "-l", "40", "-p", "3", "-u", url];
      const reading = mode === "-X" ? ["-k", "3", "-n", "5", "-w", "10", "-y", "20", "-z", "32"] : [];

      const { stdout } = await new Deno.Command("slowhttptest", { args: [...args, ...reading] }).output();

      // deno-lint-ignore no-control-regex -- it writes for terminals
      const text = new TextDecoder().decode(stdout).replace(/\u001b\[[\d;]*[A-Za-z]/g, "");
      const available = [...text.matchAll(/service available:\s+(\w+)/g)].map(([, answer]) => answer);
      console.log({ mode, looked: available.length, exit: /Exit status:\s+(.*)/.exec(text)?.[1] });
      assert(available.length > 0, text.slice(-2_000));
      assertEquals(available.filter((answer) => answer !== "YES"), []);
    },
  });
}

async function isInstalled(program: string): Promise<boolean> {
  try {
    await new Deno.Command(program, { args: ["-h"], stdout: "null", stderr: "null" }).output();
    return true;
  } catch {
    return false;
  }
}
