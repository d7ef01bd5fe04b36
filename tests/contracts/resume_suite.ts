import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { BROADCAST, MESSAGES, SEND } from "../support/documents.ts";
import {
  ANN,
  DEPLOYS,
  Followed,
  PATIENCE_MS,
  PAUSE_MS,
  post,
  type ResumeCase,
  ResumeWorld,
  untilCountsAre,
  urlOf,
} from "../support/resume_world.ts";
import { ServerProcess } from "../support/server_process.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";
import { Refused } from "../support/tested_clients.ts";

/** What a client that comes back gets, whatever has happened to its connection. */
export function resumeContract(kind: ResumeCase): void {
  const scenarios = Object.entries(SCENARIOS).map(([title, run]) =>
    [title.replace("CLIENT", kind.name), () => run(kind)] as const
  );
  if (kind.waits !== true) {
    for (const [title, run] of scenarios) Deno.test(title, run);
    return;
  }
  Deno.test(`G2 ${kind.name} comes back from everything, with its own waits`, async (t) => {
    // The test around them watches for what they leave behind.
    const sideBySide = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
    await Promise.all(scenarios.map(([name, fn]) => t.step({ name, fn, ...sideBySide })));
  });
}

type Scenario = (kind: ResumeCase) => Promise<void>;

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  async "G2 CLIENT gets what was sent while it was away, before any message ever came"(kind) {
    await using world = await ResumeWorld.start(kind);
    const lobby = await world.follow("lobby");

    await world.away(() => world.send("lobby", "missed 1", "missed 2"));

    assertEquals(await lobby.gets("missed 1", "missed 2"), [true]);
    await world.send("lobby", "live");
    assertEquals(await lobby.gets("live"), []);
  },

  async "G2 CLIENT loses nothing when it is cut again at once, and again in the middle of catching up"(kind) {
    await using world = await ResumeWorld.start(kind);
    const lobby = await world.follow("lobby");
    const contents = Array.from({ length: 40 }, (_, index) => `missed ${index}`);

    await world.away();
    await world.live();
    await world.away(async () => {
      await world.send("lobby", ...contents);
      // A frame has a few hundred bytes, and a tenth of these goes at once: some come, then there is a pause.
      world.proxy.slow(20_000);
    });
    await lobby.gets(contents[0]!);
    await world.away(() => {
      assert(lobby.results.length < contents.length, "It was cut too late to be in the middle");
      world.proxy.slow(Infinity);
    });
    await lobby.gets(...contents.slice(1));
    await world.send("lobby", "live");
    await lobby.gets("live");
  },

  async "G2 CLIENT gets what was lost in flight"(kind) {
    await using world = await ResumeWorld.start(kind);
    const lobby = await world.follow("lobby");
    await world.send("lobby", "arrived");
    await lobby.gets("arrived");

    world.proxy.swallow();
    for (const content of ["lost 1", "lost 2"]) {
      const lost = world.proxy.next("swallowed");
      await world.send("lobby", content);
      await lost;
    }
    await world.away(() => world.send("lobby", "missed"));

    assertEquals(await lobby.gets("lost 1", "lost 2", "missed"), [true]);
    await world.send("lobby", "live");
    await lobby.gets("live");
  },

  async "G2 G3 CLIENT that is back before its old connection is missed takes its subscription along"(kind) {
    await using world = await ResumeWorld.start(kind);
    // All that fails is behind the proxy that the client knows, so that its next connection can go past it.
    await using old = await TcpProxy.start(world.server.port);
    world.proxy.targetPort = old.port;
    const lobby = await world.follow("lobby");
    await world.send("lobby", "arrived");
    await lobby.gets("arrived");

    old.stall("toServer");
    old.swallow();
    const lost = old.next("swallowed");
    await world.send("lobby", "lost");
    await lost;
    world.proxy.targetPort = world.server.port;
    world.cut();
    assertEquals(await lobby.gets("lost"), [true]);

    const { swallowed } = old.counters;
    for (const content of ["live 1", "live 2"]) {
      await world.send("lobby", content);
      await lobby.gets(content);
    }
    await world.has({ connections: 2, subscriptions: 1 });
    assertEquals(old.counters.swallowed, swallowed, "The old connection has got something");

    old.cut();
    await world.has({ connections: 1, subscriptions: 1 });
    await world.away(() => world.send("lobby", "missed"));
    assertEquals(await lobby.gets("missed"), [true]);
  },

  async "G2 G3 CLIENT goes on with each subscription of its connection where that one was"(kind) {
    await using world = await ResumeWorld.start(kind);
    const lobby = await world.follow("lobby");
    const attic = await world.follow("attic");
    const idle = await world.follow("idle");
    await world.send("lobby", "1", "2");
    await world.send("attic", "a");
    await lobby.gets("1", "2");
    await attic.gets("a");
    await world.confirm();
    await world.send("lobby", "3");
    await lobby.gets("3");

    await world.away(async () => {
      await world.send("attic", "b");
      await world.send("lobby", "4");
    });
    await world.live();
    await world.send("idle", "first");

    assertEquals(await lobby.gets("4"), [true]);
    assertEquals(await attic.gets("b"), [true]);
    await idle.gets("first");
    for (const [room, followed] of Object.entries({ lobby, attic, idle })) {
      await world.send(room, "live");
      await followed.gets("live");
    }
  },

  async "G3 CLIENT is not sent back by a Ping that says where it was before the last message"(kind) {
    await using world = await ResumeWorld.start(kind);
    await world.follow("lobby");
    // Two Pings are a pause apart, so this one's first waits.
    const attic = await world.follow("attic");
    await world.send("attic", "before the Ping");
    await attic.gets("before the Ping");
    await world.pass(PAUSE_MS);

    await world.away(() => world.send("attic", "missed"));

    assertEquals(await attic.gets("missed"), [true]);
  },

  async "G2 CLIENT moves on over messages that its filter keeps from it, more than history holds"(kind) {
    await using world = await ResumeWorld.start(kind, { history: { count: 5 } });
    const deploys = await world.follow("lobby", DEPLOYS);
    await world.deploy("lobby", "old");
    await deploys.gets("old");
    await world.send("lobby", ..."12345678");
    await world.confirm();

    await world.away(async () => {
      await world.send("lobby", "9");
      await world.deploy("lobby", "missed");
    });

    assertEquals(await deploys.gets("missed"), [true]);
    await world.deploy("lobby", "live");
    await deploys.gets("live");
  },

  async "G2 CLIENT moves on over messages of its own that exclude it, more than history holds"(kind) {
    await using world = await ResumeWorld.start(kind, { history: { count: 5 } });
    const lobby = await world.follow("lobby");
    await world.send("lobby", "old");
    await lobby.gets("old");
    await world.sendExcludingSelf("lobby", ..."12345678");
    await world.confirm();

    await world.away(async () => {
      await world.sendExcludingSelf("lobby", "9");
      await world.send("lobby", "missed");
    });

    assertEquals(await lobby.gets("missed"), [true]);
    await world.sendExcludingSelf("lobby", "10");
    await world.send("lobby", "live");
    await lobby.gets("live");
  },

  async "G2 CLIENT whose reconnect is refused comes back, with shouldRetry"(kind) {
    await using world = await ResumeWorld.start(kind, {}, { shouldRetry: () => true });
    const lobby = await world.follow("lobby");
    using nobody = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    world.proxy.targetPort = nobody.addr.port;

    world.cut();
    using attempt = await deadline(nobody.accept(), PATIENCE_MS);
    await attempt.read(new Uint8Array(4_096));
    await world.send("lobby", "missed");
    world.proxy.targetPort = world.server.port;
    await attempt.write(new TextEncoder().encode("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n"));
    await attempt.closeWrite();

    assertEquals(await lobby.gets("missed"), [true]);
  },

  async "G2 CLIENT goes on after a stop of the server and after a kill, and is told of the loss if it can be"(kind) {
    const [first, second, third] = await Promise.all([
      ServerProcess.start(),
      ServerProcess.start(),
      ServerProcess.start(),
    ]);
    await using servers = new AsyncDisposableStack();
    for (const server of [first, second, third]) servers.use(server);
    await using proxy = await TcpProxy.start(first.port);
    await using client = kind.create(urlOf(proxy), { userId: "ann", sessionId: "tab" });
    const lobby = new Followed(client.follow(MESSAGES, { room: "lobby" }), kind);
    await untilCountsAre(first.url, { subscriptions: 1 });
    await post(first.url, SEND, { room: "lobby", content: "before" });
    await lobby.gets("before");

    const restarts = [["SIGTERM", first, second, ["kept"]], ["SIGKILL", second, third, []]] as const;
    for (const [signal, from, to, kept] of restarts) {
      for (const content of kept) await post(to.url, BROADCAST, { content });
      proxy.targetPort = to.port;
      from.kill(signal);
      await from.ended();
      await untilCountsAre(to.url, { subscriptions: 1 });
      lobby.goesOn();
      for (const content of ["after", "live after"]) {
        await post(to.url, SEND, { room: "lobby", content: `${content} ${signal}` });
      }
      // A stock client has nothing to say where it was, and the server has forgotten: it begins anew.
      const missed = kind.exactlyOnce ? kept : [];
      const told = await lobby.gets(...missed, `after ${signal}`, `live after ${signal}`);
      assertEquals(told, kind.exactlyOnce ? [false] : []);
    }
    assertEquals(client.gaps ?? ["lobby", "lobby"], ["lobby", "lobby"]);
  },

  async "G2 CLIENT is told when history has not kept all it missed, for that subscription alone"(kind) {
    await using world = await ResumeWorld.start(kind, { history: { count: 3 } });
    const lobby = await world.follow("lobby");
    const attic = await world.follow("attic");

    await world.away(async () => {
      await world.send("lobby", ..."12345");
      await world.send("attic", "missed");
    });

    assertEquals(await lobby.gets(..."345"), [false]);
    assertEquals(await attic.gets("missed"), [true]);
    await world.send("lobby", "live");
    assertEquals(await lobby.gets("live"), []);
    assertEquals(world.client.gaps ?? ["lobby"], ["lobby"]);
  },

  async "G2 CLIENT is told first of all, and once, when history has not kept all that went to everyone"(kind) {
    await using world = await ResumeWorld.start(kind, { history: { count: 3 } });
    const lobby = await world.follow("lobby");

    await world.away(async () => {
      await world.send("lobby", "missed 1", "missed 2");
      for (const content of "12345") await post(world.server.url, BROADCAST, { content });
    });

    assertEquals(await lobby.gets("missed 1"), [false]);
    assertEquals(await lobby.gets("missed 2", ..."345"), []);
    assertEquals(lobby.results.filter(({ extensions }) => extensions?.gap !== undefined), []);
    assertEquals(world.client.gaps ?? ["lobby"], ["lobby"]);
  },

  async "CLIENT that may not read a room any more is refused it when it comes back, and goes on with the others"(kind) {
    let isClosed = false;
    const authorize = (_who: unknown, action: { readonly kind: string; readonly room?: string | null }) =>
      !(isClosed && action.kind === "read" && action.room === "attic");
    await using world = await ResumeWorld.start(kind, { auth: { authorize } });
    const lobby = await world.follow("lobby");
    const attic = await world.follow("attic");

    await world.away(async () => {
      isClosed = true;
      await world.send("attic", "secret");
      await world.send("lobby", "missed");
    });

    const refused = await attic.failure();
    assertInstanceOf(refused, Refused);
    assertEquals([refused.shown, attic.results], ["FORBIDDEN", []]);
    assertEquals(await lobby.gets("missed"), [true]);
    await world.has({ subscriptions: 1 });
    await world.send("lobby", "live");
    await lobby.gets("live");
  },

  async "G2 G3 CLIENT is not mixed up with another client of its user"(kind) {
    await using world = await ResumeWorld.start(kind);
    const lobby = await world.follow("lobby");
    await using otherClient = kind.create(world.server.url, { ...ANN, sessionId: "other-tab" });
    const other = new Followed(otherClient.follow(MESSAGES, { room: "lobby" }), kind);
    await world.has({ connections: 2, subscriptions: 2 });
    await world.send("lobby", "for both");
    for (const followed of [lobby, other]) await followed.gets("for both");

    // Never away, so nothing may come to it twice.
    await world.away(() => world.send("lobby", "missed by one"), { connections: 1 });
    assertEquals(await other.gets("missed by one"), []);
    assertEquals(await lobby.gets("missed by one"), [true]);
    await world.send("lobby", "live");
    for (const followed of [lobby, other]) await followed.gets("live");
  },
};
