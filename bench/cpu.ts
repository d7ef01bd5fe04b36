import { readChildren, readProc, readTasks } from "./proc.ts";

/**
 * The kernel's unit in /proc/<pid>/stat: USER_HZ, 100 a second on every architecture
 * that Deno runs on.
 */
const TICKS_PER_SECOND = 100;
/** The unit of /proc/<pid>/task/<task>/schedstat. */
const NANOSECONDS_PER_SECOND = 1e9;
/** Counted from the state, the first field behind the command name. */
const UTIME_INDEX = 11;
const STIME_INDEX = 12;
const CUTIME_INDEX = 13;
const CSTIME_INDEX = 14;

/** CPU seconds, user and system, that a process has used with all its children, living and ended. */
export function readTreeCpuSeconds(pid: number): number {
  return readOwnCpuSeconds(pid) + readTicks(pid, [CUTIME_INDEX, CSTIME_INDEX]) / TICKS_PER_SECOND +
    readChildren(pid).reduce((sum, child) => sum + readTreeCpuSeconds(child), 0);
}

/**
 * CPU seconds, user and system, that a process has used itself, in all its threads.
 *
 * Ticks count the threads that have ended too, but are rounded down, by more than what
 * a short measurement may be wrong by. Nanoseconds are of living threads alone. Neither
 * is ever too much, so the larger one is the better one.
 */
export function readOwnCpuSeconds(pid: number): number {
  const ticks = readTicks(pid, [UTIME_INDEX, STIME_INDEX]);
  return Math.max(ticks / TICKS_PER_SECOND, readTaskNanoseconds(pid) / NANOSECONDS_PER_SECOND);
}

/** CPU seconds that the whole machine was busy, or kept from running by its host. */
export function readMachineCpuSeconds(): number {
  const [first = ""] = readProc("/proc/stat").split("\n");
  const [user = 0, nice = 0, system = 0, _idle, _iowait, irq = 0, softirq = 0, steal = 0] = first.split(/\s+/).slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND;
}

function readTicks(pid: number, indexes: readonly number[]): number {
  const stat = readProc(`/proc/${pid}/stat`);
  // The command name stands in parentheses and may hold spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return indexes.reduce((sum, index) => sum + Number(fields[index] ?? 0), 0);
}

/** 0 where the kernel does not keep it. */
function readTaskNanoseconds(pid: number): number {
  return readTasks(pid).reduce((sum, task) => {
    const [nanoseconds = "0"] = readProc(`/proc/${pid}/task/${task}/schedstat`).split(" ");
    return sum + Number(nanoseconds);
  }, 0);
}
