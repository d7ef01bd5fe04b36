/** Resolves when all that waited for nothing but its turn has had it: promises and what they began. */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
