/** The machine, in a few words: processor, cores, memory, system. */
export function describeMachine(): string {
  const { os, arch } = Deno.build;
  const model = Deno.readTextFileSync("/proc/cpuinfo").match(/^model name\s*:\s*(.+)$/m)?.[1] ?? arch;
  const gigabytes = Math.round(Deno.systemMemoryInfo().total / 1e9);
  const cores = navigator.hardwareConcurrency;
  return `${model}, ${cores} cores, ${gigabytes} GB, ${os} ${Deno.osRelease()} ${arch}`;
}
