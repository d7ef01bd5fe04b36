/** Tasks that may wait for something at once: what they ask is not asked of a database ten thousand times at once. */
const MAX_AT_ONCE = 100;
/** Tasks begun in one turn of the event loop: ten thousand would hold it for hundreds of milliseconds. */
const MAX_PER_TURN = 32;

/**
 * Runs a task for each item, begun in their order, and resolves when all have ended.
 *
 * Only so many at once, and others have their turn in between. The task must not reject.
 */
export async function inTurns<Item>(items: Iterable<Item>, task: (item: Item) => Promise<void>): Promise<void> {
  let begun = 0;
  let running = 0;
  let onEnd = (): void => {};
  const oneHasEnded = (): Promise<void> => new Promise((resolve) => onEnd = resolve);
  for (const item of items) {
    if (begun > 0 && begun % MAX_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    while (running >= MAX_AT_ONCE) await oneHasEnded();
    begun++;
    running++;
    void task(item).then(() => {
      running--;
      onEnd();
    });
  }
  while (running > 0) await oneHasEnded();
}
