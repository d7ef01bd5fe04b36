import { readChildren, readProc } from "./proc.ts";

const BYTES_PER_KIB = 1_024;

/** Resident memory of a process and all its living children, in bytes. What they share counts for each. */
export function readTreeRssBytes(pid: number): number {
  // The kernel writes "kB" and means KiB. A process that is ending has no such line.
  const [, kib = "0"] = readProc(`/proc/${pid}/status`).match(/^VmRSS:\s*(\d+) kB$/m) ?? [];
  return Number(kib) * BYTES_PER_KIB + readChildren(pid).reduce((sum, child) => sum + readTreeRssBytes(child), 0);
}
