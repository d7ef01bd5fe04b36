import { assertIsFresh } from "../support/stale_build.ts";

Deno.test("the console's script is what deno task build:console makes of its source", async () => {
  await assertIsFresh("src/console/dist/console.js", "build:console");
});
