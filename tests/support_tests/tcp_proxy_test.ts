import { assert, assertEquals, assertRejects } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { ManualClock } from "../support/manual_clock.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";

Deno.test("TcpProxy hands on both ways, counts, and tells when enough has passed", async () => {
  await using world = await openWorld({ echo: true });
  const client = await world.connect();
  const passed = world.proxy.next("toClient", 4);
  await client.write("ping");
  assertEquals(await client.read(4), "ping");
  await passed;
  assertEquals(world.proxy.counters, { opened: 1, open: 1, toServer: 4, toClient: 4, swallowed: 0 });
});

Deno.test("TcpProxy hands on a half-close, and the other half lives on", async () => {
  await using world = await openWorld();
  const client = await world.connect();
  const server = await world.accepted(0);
  await client.end();
  assertEquals(await server.read(1), "end");
  await server.write("late");
  await server.end();
  assertEquals([await client.read(4), await client.read(1)], ["late", "end"]);
  await world.proxy.until(({ open }) => open === 0);
});

Deno.test("TcpProxy hands on megabytes to a peer that reads late", async () => {
  await using world = await openWorld();
  const client = await world.connect();
  const server = await world.accepted(0);
  const text = "0123456789".repeat(800_000);
  const written = server.write(text);
  await world.proxy.until(({ toClient }) => toClient > 0);
  assert(await client.read(text.length) === text);
  await written;
});

Deno.test("TcpProxy hands on a reset by one side", async () => {
  await using world = await openWorld({ echo: true });
  await using outer = await TcpProxy.start(world.proxy.port);
  const client = await world.connectTo(outer.port);
  await world.proxy.until(({ opened }) => opened === 1);
  world.proxy.cut("rst");
  assertEquals(await client.read(1), "ConnectionReset");
  await outer.until(({ open }) => open === 0);
});

Deno.test("TcpProxy resets a client whose server does not listen", async () => {
  await using world = await openWorld({ echo: true });
  world.proxy.refuse();
  await using unserved = await TcpProxy.start(world.proxy.port);
  const client = await world.connectTo(unserved.port);
  assertEquals(await client.read(1), "ConnectionReset");
  assertEquals(unserved.counters.opened, 0);
});

Deno.test("cut() resets both sides of every connection at once", async () => {
  await using world = await openWorld();
  const clients = [await world.connect(), await world.connect()];
  world.proxy.cut();
  for (const client of clients) assertEquals(await client.read(1), "ConnectionReset");
  for (const at of [0, 1]) assertEquals(await (await world.accepted(at)).read(1), "ConnectionReset");
});

Deno.test("cut(fin) lets both sides read what was handed on, then the end", async () => {
  await using world = await openWorld();
  const client = await world.connect();
  const server = await world.accepted(0);
  await server.write("last");
  await world.proxy.until(({ toClient }) => toClient === 4);
  world.proxy.cut("fin");
  assertEquals([await client.read(4), await client.read(1), await server.read(1)], ["last", "end", "end"]);
});

Deno.test("cut() spares connections made after it", async () => {
  await using world = await openWorld({ echo: true });
  await world.connect();
  world.proxy.cut();
  const client = await world.connect();
  await client.write("again");
  assertEquals(await client.read(5), "again");
  assertEquals([world.proxy.counters.opened, world.proxy.counters.open], [2, 1]);
});

Deno.test("stall() keeps bytes and the end back until resume()", async () => {
  await using world = await openWorld();
  const client = await world.connect();
  const server = await world.accepted(0);
  world.proxy.stall();
  await client.write("kept");
  await client.end();
  await server.write("back");
  await loopbackTurn();
  assertEquals([world.proxy.counters.toServer, world.proxy.counters.toClient], [0, 0]);
  world.proxy.resume();
  assertEquals([await server.read(4), await server.read(1), await client.read(4)], ["kept", "end", "back"]);
});

Deno.test("stall() of one direction leaves the other", async () => {
  await using world = await openWorld();
  world.proxy.stall("toClient");
  const client = await world.connect();
  const server = await world.accepted(0);
  await server.write("kept");
  await client.write("goes");
  assertEquals(await server.read(4), "goes");
  assertEquals(world.proxy.counters.toClient, 0);
  world.proxy.resume();
  assertEquals(await client.read(4), "kept");
});

Deno.test("cut() loses what a stall kept back", async () => {
  await using world = await openWorld();
  const client = await world.connect();
  world.proxy.stall("toClient");
  await (await world.accepted(0)).write("lost");
  await loopbackTurn();
  world.proxy.cut("fin");
  assertEquals(await client.read(1), "end");
});

Deno.test("swallow() loses what the server sends, until the cut", async () => {
  await using world = await openWorld();
  const client = await world.connect();
  const server = await world.accepted(0);
  world.proxy.swallow();
  await server.write("lost in flight");
  await world.proxy.until(({ swallowed }) => swallowed === 14);
  await client.write("heard");
  assertEquals(await server.read(5), "heard");
  world.proxy.cut();
  const next = await world.connect();
  await (await world.accepted(1)).write("fresh");
  assertEquals(await next.read(5), "fresh");
});

Deno.test("refuse() closes the port and accept() opens it again, while connections stay", async () => {
  await using world = await openWorld({ echo: true });
  const client = await world.connect();
  world.proxy.refuse();
  await assertRejects(() => Deno.connect({ port: world.proxy.port }), Deno.errors.ConnectionRefused);
  await client.write("still");
  assertEquals(await client.read(5), "still");
  await world.proxy.accept();
  const next = await world.connect();
  await next.write("here");
  assertEquals(await next.read(4), "here");
});

Deno.test("slow() hands on its share each tenth of a second, until undone", async () => {
  const clock = new ManualClock();
  await using world = await openWorld({ clock });
  const client = await world.connect();
  world.proxy.slow(1_000);
  await client.write("x".repeat(250));
  for (const passed of [100, 200, 250]) {
    await world.proxy.until(({ toServer }) => toServer >= passed);
    assertEquals(world.proxy.counters.toServer, passed);
    clock.advance(100);
  }
  await client.write("y".repeat(500));
  await world.proxy.until(({ toServer }) => toServer >= 350);
  world.proxy.slow(Infinity);
  await world.proxy.until(({ toServer }) => toServer === 750);
  assertEquals(clock.pending, 0);
});

const HOST = "127.0.0.1";
const PATIENCE_MS = 10_000;

type Peer = ReturnType<typeof createPeer>;

/** One end of a raw connection. */
function createPeer(connection: Deno.TcpConn) {
  async function write(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
  }
  async function take(count: number): Promise<string> {
    const bytes = new Uint8Array(count);
    for (let taken = 0; taken < count;) {
      const size = await connection.read(bytes.subarray(taken)).catch(({ name }: Error) => name);
      if (typeof size !== "number") return size ?? "end";
      taken += size;
    }
    return new TextDecoder().decode(bytes);
  }
  return {
    write,
    /** So many characters, or "end", or the name of the error. */
    read: (count: number) => deadline(take(count), PATIENCE_MS),
    end: () => connection.closeWrite(),
    close: () => connection.close(),
    /** Answers with what comes, until its end. */
    async echo(): Promise<void> {
      for (let text = await take(1); text.length === 1; text = await take(1)) await write(text);
    },
  };
}

/** A server, a proxy in front of it, and any number of clients. */
async function openWorld({ echo = false, clock }: { echo?: boolean; clock?: ManualClock } = {}) {
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  const proxy = await TcpProxy.start(listener.addr.port, clock === undefined ? {} : { clock });
  const clients: Peer[] = [];
  const accepted: Peer[] = [];
  const echoes: Promise<void>[] = [];
  const serving = (async () => {
    for await (const connection of listener) {
      accepted.push(createPeer(connection));
      if (echo) echoes.push(accepted.at(-1)!.echo());
    }
  })();
  return {
    proxy,
    /** A client's end of a new connection that has reached the server. */
    async connect(): Promise<Peer> {
      const [client] = await Promise.all([this.connectTo(proxy.port), proxy.next("opened")]);
      return client;
    },
    async connectTo(port: number): Promise<Peer> {
      const client = createPeer(await Deno.connect({ hostname: HOST, port }));
      clients.push(client);
      return client;
    },
    /** The server's end of that connection. */
    async accepted(at: number): Promise<Peer> {
      while (accepted[at] === undefined) await loopbackTurn();
      return accepted[at];
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      listener.close();
      await serving;
      await Promise.all(echoes);
      for (const peer of [...clients, ...accepted]) peer.close();
    },
  };
}

/** Resolves when what was on its way over loopback has been noticed: something sent later has arrived. */
async function loopbackTurn(): Promise<void> {
  using listener = Deno.listen({ hostname: HOST, port: 0 });
  using near = await Deno.connect({ hostname: HOST, port: listener.addr.port });
  using far = await listener.accept();
  await near.write(new Uint8Array(1));
  await far.read(new Uint8Array(1));
}
