/**
 * Makes a step that runs one at a time: asked for while it runs, however often, it runs
 * once more afterwards.
 */
export function inTurn(step: () => Promise<void>): () => void {
  let state: "idle" | "running" | "asked again" = "idle";
  return function ask(): void {
    if (state !== "idle") return void (state = "asked again");
    state = "running";
    void step().finally(() => {
      const again = state === "asked again";
      state = "idle";
      if (again) ask();
    });
  };
}
