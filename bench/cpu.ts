/**
 * The kernel's unit in /proc/<pid>/stat: USER_HZ, 100 a second on every architecture
 * that Deno runs on.
 */
const TICKS_PER_SECOND = 100;
/** Counted from the state, the first field behind the command name. */
const UTIME_INDEX = 11;
const STIME_INDEX = 12;
const CUTIME_INDEX = 13;
const CSTIME_INDEX = 14;

/** CPU seconds, user and system, that a process has used with all its children, living and ended. */
export function readTreeCpuSeconds(pid: number): number {
  return readTicks(pid, [UTIME_INDEX, STIME_INDEX, CUTIME_INDEX, CSTIME_INDEX]) / TICKS_PER_SECOND +
    readChildren(pid).reduce((sum, child) => sum + readTreeCpuSeconds(child), 0);
}

/** CPU seconds, user and system, that a process has used itself, in all its threads. */
export function readOwnCpuSeconds(pid: number): number {
  return readTicks(pid, [UTIME_INDEX, STIME_INDEX]) / TICKS_PER_SECOND;
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

function readChildren(pid: number): number[] {
  const tasks = [...readTasks(pid)];
  return tasks.flatMap((task) =>
    readProc(`/proc/${pid}/task/${task}/children`).split(" ").filter((text) => text !== "").map(Number)
  );
}

function* readTasks(pid: number): Generator<string> {
  try {
    for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) yield name;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** The text of a file of /proc; empty when its process has ended. */
function readProc(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    // A process or thread may end between being listed and being read: ESRCH while the file is open.
    if (error instanceof Deno.errors.NotFound || /os error 3\b/.test(String(error))) return "";
    throw error;
  }
}
