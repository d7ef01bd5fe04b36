import { readMachineCpuSeconds, readOwnCpuSeconds, readTreeCpuSeconds } from "../cpu.ts";

/** What was seen while measuring. */
export interface Measurement {
  /** Deliveries that were checked and found right. */
  readonly deliveries: number;
  /** Messages that every subscriber has got. */
  readonly messages: number;
  /** How often subscribers read; one read may bring several deliveries. */
  readonly reads: number;
  /** Bytes that subscribers read, on the wire. */
  readonly readBytes: number;
  /** Messages that came to subscribers compressed. */
  readonly deflated: number;
  readonly elapsedSeconds: number;
  /** Of the server's process and its children, user and system. */
  readonly serverCpuSeconds: number;
  readonly generatorCpuSeconds: number;
  /** Of everything on the machine, these two included. */
  readonly machineCpuSeconds: number;
  /** Of one delivery, on the wire. */
  readonly frameBytes: number;
}

/** Counters at one moment. */
export type Reading = Omit<Measurement, "frameBytes">;

/** What has come so far. */
export type Progress = Pick<Measurement, "deliveries" | "messages" | "reads" | "readBytes" | "deflated">;

/** Reads clocks and CPU now. */
export function readNow(serverPid: number, progress: Progress): Reading {
  return {
    ...progress,
    elapsedSeconds: performance.now() / 1_000,
    serverCpuSeconds: readTreeCpuSeconds(serverPid),
    generatorCpuSeconds: readOwnCpuSeconds(Deno.pid),
    machineCpuSeconds: readMachineCpuSeconds(),
  };
}

/** What happened between two readings. */
export function subtract(after: Reading, before: Reading): Reading {
  return {
    deliveries: after.deliveries - before.deliveries,
    messages: after.messages - before.messages,
    reads: after.reads - before.reads,
    readBytes: after.readBytes - before.readBytes,
    deflated: after.deflated - before.deflated,
    elapsedSeconds: after.elapsedSeconds - before.elapsedSeconds,
    serverCpuSeconds: after.serverCpuSeconds - before.serverCpuSeconds,
    generatorCpuSeconds: after.generatorCpuSeconds - before.generatorCpuSeconds,
    machineCpuSeconds: after.machineCpuSeconds - before.machineCpuSeconds,
  };
}
