import { assertEquals } from "@std/assert";
import { Probe } from "../../support/probe.ts";
import { RawClient } from "../../support/raw_client.ts";
import { ServerProcess } from "../../support/server_process.ts";

/** Default for one user, in a second. */
const PER_SECOND = 50;
const SECONDS = 30;
const SEND = `mutation { sendMessage(room: "lobby", content: "flood") { success } }`;

Deno.test(`message flood: one user sends ten times too much for ${SECONDS} s; what others send is accepted and comes in its order`, async () => {
  // Not the default of a loopback address, where everybody is an administrator.
  await using server = await ServerProcess.start("--anonymous");
  const users = await Promise.all(["ann", "bob", "cid"].map(async (userId) => ({
    userId,
    probe: await Probe.open(server.webSocketUrl, userId),
  })));
  const probing = { count: SECONDS * 10, everyMs: 95 };
  const run = () => Promise.all(users.map(({ userId, probe }) => probe.run(userId, probing)));

  const before = await run();
  const flood = { sent: 0, accepted: 0, refused: 0, closed: 0 };
  let ends = false;
  const flooding = (async () => {
    while (!ends) {
      const mallory = await RawClient.ready(server.webSocketUrl, { userId: "mallory" });
      void mallory.closed.then(() => flood.closed++);
      let open = true;
      void mallory.closed.then(() => open = false);
      while (!ends && open) {
        const batch = PER_SECOND;
        for (let index = 0; index < batch; index++) mallory.subscribe(`${flood.sent++}`, SEND);
        for (let answered = 0; answered < batch && open;) {
          const message = await Promise.race([mallory.next(), mallory.closed.then(() => ({ type: "closed" }))]);
          if (message.type !== "next") continue;
          answered++;
          if (message.payload.errors === undefined) flood.accepted++;
          else flood.refused++;
        }
        // A tenth of a second for a second's worth.
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      await mallory[Symbol.asyncDispose]();
    }
  })();
  const during = await run();
  ends = true;
  await flooding;

  const worst = (probings: typeof before) => Math.max(...probings.map(({ p99Ms }) => p99Ms));
  console.log({ before, during, flood, "p99 under the flood, times the undisturbed": worst(during) / worst(before) });
  assertEquals([...before, ...during].map(({ inOrder }) => inOrder), Array(6).fill(true));
  for (const { probe } of users) await probe[Symbol.asyncDispose]();
});
