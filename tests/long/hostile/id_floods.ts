import { floodIds, reuseId } from "../../support/id_floods.ts";

const COUNT = 10_000;

Deno.test(`${COUNT} ids: 100 subscriptions live, the others are refused one by one, and the socket lives`, async () => {
  await floodIds(COUNT);
});

Deno.test(`id reuse after complete: ${COUNT} pairs of subscribe and complete in one chunk leave nothing`, async () => {
  await reuseId(COUNT);
});
