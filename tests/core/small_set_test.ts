import { assertEquals } from "@std/assert";
import { SmallSet } from "../../src/core/small_set.ts";

/** The same steps on both: what each of them answered, and what was there afterwards. */
function compare(steps: readonly (readonly ["add" | "delete", string])[]) {
  const small = new SmallSet<string>();
  const real = new Set<string>();
  const answers = steps.map(([step, one]) => {
    if (step === "delete") return [small.delete(one), real.delete(one)];
    small.add(one);
    real.add(one);
    return [small.has(one), real.has(one)];
  });
  return { answers, small: [small.size, ...small], real: [real.size, ...real] };
}

const STEPS = ["a", "b", "c"].flatMap((one) => (["add", "delete"] as const).map((step) => [step, one] as const));

Deno.test("SmallSet does as a Set does, whatever is added and deleted in four steps", () => {
  for (const first of STEPS) {
    for (const second of STEPS) {
      for (const third of STEPS) {
        for (const fourth of STEPS) {
          const { answers, small, real } = compare([first, second, third, fourth]);
          assertEquals(small, real);
          for (const [one, other] of answers) assertEquals(one, other);
        }
      }
    }
  }
});

Deno.test("SmallSet may lose what a loop over it is at", () => {
  for (const members of [["a"], ["a", "b", "c"]]) {
    const set = new SmallSet<string>();
    for (const one of members) set.add(one);
    const seen = [];
    for (const one of set) {
      seen.push(one);
      set.delete(one);
    }
    assertEquals([seen, set.size], [members, 0]);
  }
});

Deno.test("SmallSet that is cleared is empty, and takes new members", () => {
  const set = new SmallSet<string>();
  for (const one of ["a", "b"]) set.add(one);
  set.clear();
  assertEquals([set.size, set.has("a")], [0, false]);
  set.add("b");
  assertEquals([...set], ["b"]);
});
