import { readTreeCpuSeconds } from "./cpu.ts";
import { Crowd } from "./load/crowd.ts";
import { TooSlowError } from "./load/generator.ts";
import { Publisher } from "./load/publisher.ts";
import { Traffic } from "./load/traffic.ts";
import { Trouble } from "./load/trouble.ts";
import { readTreeRssBytes } from "./memory.ts";
import type { Peer } from "./peers/peer.ts";
import type { ServerProcess } from "./peers/server_process.ts";

/** How many connections, and for how long. */
export interface MeasureConnectionsOptions {
  /** Each has one subscription, all to one room. Takes as many open files, here and in the server. @default {8000} */
  readonly connections?: number;
  /**
   * Seconds that they stay idle. The default is more than the longest ping interval among
   * the peers, and more than V8 waits before it gives back what connecting left behind.
   *
   * @default {45}
   */
  readonly idleSeconds?: number;
  /** Seconds until all must be connected; one more and the server is too slow. @default {120} */
  readonly limitSeconds?: number;
}

/** What a connection with one subscription costs a server. */
export interface ConnectionCost {
  readonly connections: number;
  /** Server CPU of one connect and subscribe, in milliseconds. */
  readonly connectCpuMs: number;
  /** From the first to the last connect, in seconds. */
  readonly connectSeconds: number;
  /** Resident memory of the server for one connection that has been idle, in bytes. */
  readonly idleRssBytes: number;
  /** Server CPU of one idle connection in a second, pings included, in microseconds. */
  readonly idleCpuMicroseconds: number;
}

/** A server is quiet when it has used no more than this share of a core for that long. */
const QUIET_SHARE = 0.05;
const QUIET_MS = 500;
const QUIET_LIMIT_MS = 15_000;
const DELIVERY_MS = 30_000;
/** How long a second copy of a message may take to show. */
const REPEAT_MS = 1_000;

/**
 * Connects and subscribes many to one server and reads what that costs it.
 *
 * Against a server that has just started: what load leaves behind in a heap would hide
 * what connections need. So its first growth is in the figure, divided by all of them.
 *
 * Throws `TooSlowError` when not all are connected within the limit. That all are
 * live is checked at the end: a message must come to each of them, exactly once.
 */
export async function measureConnections(peer: Peer, options: MeasureConnectionsOptions = {}): Promise<ConnectionCost> {
  const { connections = 8_000, idleSeconds = 45, limitSeconds = 120 } = options;
  await using server = await peer.start();
  const trouble = new Trouble();
  const traffic = new Traffic({ rooms: 1, subscribersPerRoom: connections });
  const onFailure = (cause: Error) => trouble.fail(new Error(`${peer.name} failed at ${cause.message}`, { cause }));
  const target = { peer, port: server.port, onFailure };
  const publisher = await Publisher.open({ ...target, onAnswer: () => traffic.answer() });
  using opened = new DisposableStack();
  opened.defer(() => publisher.close());
  const crowd = opened.use(
    new Crowd({
      ...target,
      ledgers: traffic.ledgers,
      subscribersPerRoom: connections,
      roomsPerConnection: 1,
      over: "websocket",
    }),
  );

  await untilQuiet(server, trouble);
  const before = read(server);
  if (!await trouble.within(limitSeconds * 1_000, crowd.connect())) {
    throw new TooSlowError(
      `Cannot connect ${connections} within ${limitSeconds} s: ${peer.name} has come to ${crowd.subscribers.length}`,
    );
  }
  const connectSeconds = read(server).seconds - before.seconds;
  // Servers let a client in before its subscription is live; that work belongs to connecting.
  await untilQuiet(server, trouble);
  const connected = read(server);
  await trouble.sleep(idleSeconds * 1_000);
  const idle = read(server);

  traffic.publishTo(0, publisher);
  await untilDelivered(traffic, trouble);
  return {
    connections,
    connectCpuMs: (connected.cpuSeconds - before.cpuSeconds) * 1e3 / connections,
    connectSeconds,
    idleRssBytes: (idle.rssBytes - before.rssBytes) / connections,
    idleCpuMicroseconds: (idle.cpuSeconds - connected.cpuSeconds) * 1e6 /
      (idle.seconds - connected.seconds) / connections,
  };
}

interface Reading {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

function read({ pid }: ServerProcess): Reading {
  return { seconds: performance.now() / 1e3, cpuSeconds: readTreeCpuSeconds(pid), rssBytes: readTreeRssBytes(pid) };
}

/** Waits until the server has done what it had to do; not for ever, since some never rest. */
async function untilQuiet(server: ServerProcess, trouble: Trouble): Promise<void> {
  const deadline = performance.now() + QUIET_LIMIT_MS;
  while (performance.now() < deadline) {
    const before = read(server);
    await trouble.sleep(QUIET_MS);
    const after = read(server);
    if (after.cpuSeconds - before.cpuSeconds <= QUIET_SHARE * (after.seconds - before.seconds)) return;
  }
}

async function untilDelivered(traffic: Traffic, trouble: Trouble): Promise<void> {
  const everywhere = new Promise<void>((resolve) => {
    traffic.onProgress = () => {
      if (traffic.isQuiet) resolve();
    };
  });
  if (!await trouble.within(DELIVERY_MS, everywhere)) {
    const { deliveries } = traffic.progress;
    throw new Error(`Cannot find everybody live: ${deliveries} got a message within ${DELIVERY_MS} ms`);
  }
  await trouble.sleep(REPEAT_MS);
}
