import { assertEquals } from "@std/assert";
import { assertIsFresh } from "./support/stale_build.ts";

const BUILT = "src/dist/client.js";

Deno.test("the client's script is what deno task build:client makes of its source", async () => {
  await assertIsFresh(BUILT, "build:client");
});

Deno.test("the client's script loads nothing, and exports resumable() alone", async () => {
  const script = await Deno.readTextFile(new URL(`../${BUILT}`, import.meta.url));

  assertEquals(/\bimport\b|\brequire\b/.test(script), false);
  assertEquals(Object.keys(await import(`data:text/javascript,${encodeURIComponent(script)}`)), ["resumable"]);
});
