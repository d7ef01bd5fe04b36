import { soakProtocol } from "../support/protocol_soak.ts";

Deno.test("2,000 random sequences of graphql-transport-ws come out as the state machine says", async () => {
  await soakProtocol({ count: 2_000, seed: 20_261_123 });
});
