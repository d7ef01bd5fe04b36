/** How long a test waits for what must come, in milliseconds, before it fails. */
export const PATIENCE_MS = 10_000;

/**
 * Waits for what must come, but not for ever.
 *
 * Unlike `deadline` of `@std/async` it leaves nothing in memory once it has come: tests measure that.
 */
export async function awaited<T>(promise: Promise<T>, what: () => string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited too long for ${what()}`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
