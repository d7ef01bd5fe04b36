import { assert, assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { SEND } from "../../support/documents.ts";
import { ServerProcess } from "../../support/server_process.ts";

const ROOT = new URL("../../../", import.meta.url);
const NAMESPACE = "graphql-rooms-peer";
const [HERE, THERE] = ["10.213.7.1", "10.213.7.2"];
const ROOMS = ["idle", "busy"] as const;
const OF_EACH = 5;
const LIMITS = { socketSeconds: 45, busyStreamSeconds: 60 };
/** How long is waited for those that only the kernel can tell of. */
const PATIENCE_MS = 62_000;

Deno.test({
  name: `half-open TCP: ${OF_EACH} WebSockets and streams behind a cable that is pulled are gone, idle or busy`,
  // Network namespaces are Linux's, and root's.
  ignore: Deno.build.os !== "linux" || Deno.uid() !== 0,
  async fn() {
    await using network = await createNetwork();
    await using server = await ServerProcess.start(
      ...["--host", "0.0.0.0", "--anonymous", "--anonymous-scopes", "admin", "--leave-grace-seconds", "0"],
    );
    const clients = ROOMS.map((room) => network.run(String(server.port), String(OF_EACH), room, HERE));
    for (const { ready } of clients) await ready;
    await network.pull();
    const pulledMs = performance.now();
    const sending = setInterval(() => void server.post(SEND, { room: "busy", content: "x".repeat(1_000) }), 50);

    const gone = { "connection.closed": [] as number[], "stream.closed": [] as number[] };
    const watch = async (event: keyof typeof gone): Promise<void> => {
      for (;;) {
        await server.logged(event);
        gone[event].push(Math.round((performance.now() - pulledMs) / 100) / 10);
      }
    };
    const watching = Object.keys(gone).map((event) => watch(event as keyof typeof gone));
    await deadline(Promise.all(watching), PATIENCE_MS).catch(() => {});
    clearInterval(sending);
    const { body } = await server.post(
      `{ ${ROOMS.map((room) => `${room}: room(room: "${room}") { memberCount }`).join(" ")} }`,
    );

    console.log("seconds from the pull until a connection was gone", gone, "members left", body.data);
    assertEquals(gone["connection.closed"].length, OF_EACH * ROOMS.length);
    assert(gone["connection.closed"].every((seconds) => seconds <= LIMITS.socketSeconds));
    // Of a stream the server sees only what the kernel takes: one with traffic is found when the kernel's
    // buffer is full, one without when the kernel gives up (tcp_retries2).
    assert(gone["stream.closed"].length >= 2 * OF_EACH);
    assert(gone["stream.closed"].every((seconds) => seconds <= LIMITS.busyStreamSeconds));
  },
});

/** A network of its own for clients, on a cable that can be pulled. */
async function createNetwork() {
  const ip = async (...args: string[]): Promise<void> => {
    const { success, stderr } = await new Deno.Command("ip", { args }).output();
    if (!success) throw new Error(`Cannot run ip ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  };
  const children: Deno.ChildProcess[] = [];
  await ip("netns", "add", NAMESPACE);
  await ip("link", "add", "rooms0", "type", "veth", "peer", "name", "rooms1", "netns", NAMESPACE);
  await ip("addr", "add", `${HERE}/24`, "dev", "rooms0");
  await ip("link", "set", "rooms0", "up");
  await ip("-n", NAMESPACE, "addr", "add", `${THERE}/24`, "dev", "rooms1");
  await ip("-n", NAMESPACE, "link", "set", "rooms1", "up");
  await ip("-n", NAMESPACE, "link", "set", "lo", "up");
  return {
    /** Runs clients there; ready when all are live. */
    run(...args: string[]) {
      const child = new Deno.Command("ip", {
        args: ["netns", "exec", NAMESPACE, Deno.execPath(), "run", "-A", "--quiet", "tests/support/doomed_client.ts"]
          .concat(args),
        cwd: ROOT,
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      children.push(child);
      const reader = child.stdout.getReader();
      return { ready: reader.read().then(() => reader.cancel()) };
    },
    pull: () => ip("-n", NAMESPACE, "link", "set", "rooms1", "down"),
    async [Symbol.asyncDispose](): Promise<void> {
      for (const child of children) {
        child.kill("SIGKILL");
        await child.status;
      }
      await ip("netns", "delete", NAMESPACE);
    },
  };
}
