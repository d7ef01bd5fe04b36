/**
 * Whether a JSON value is nested deeper than so many arrays and objects.
 *
 * Looks without recursion: the value may be deep enough to overflow a stack.
 */
export function isDeeperThan(value: unknown, levels: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; depth <= levels; depth++) {
    const next: unknown[] = [];
    for (const one of level) {
      if (typeof one !== "object" || one === null) continue;
      for (const inner of Object.values(one)) next.push(inner);
      if (depth === levels) return true;
    }
    if (next.length === 0) return false;
    level = next;
  }
  return false;
}
