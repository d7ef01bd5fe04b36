/** The processes that a process has started and that still live; empty when it has ended. */
export function readChildren(pid: number): readonly number[] {
  return readTasks(pid).flatMap((task) =>
    readProc(`/proc/${pid}/task/${task}/children`).split(" ").filter((text) => text !== "").map(Number)
  );
}

/** The threads of a process, by their numbers; empty when it has ended. */
export function readTasks(pid: number): readonly string[] {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** The text of a file of /proc; empty when its process has ended. */
export function readProc(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    // A process or thread may end between being listed and being read: ESRCH while the file is open.
    if (error instanceof Deno.errors.NotFound || /os error 3\b/.test(String(error))) return "";
    throw error;
  }
}
