/** Memory of a process that is in RAM, in bytes. Linux alone tells. */
export function residentBytes(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))!;
  return Number(kibibytes) * 1_024;
}

/** Looks at it again and again until it is disposed of, and keeps the most. */
export class PeakRss implements Disposable {
  most: number;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(pid: number) {
    this.most = residentBytes(pid);
    this.#timer = setInterval(() => this.most = Math.max(this.most, residentBytes(pid)), 100);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
