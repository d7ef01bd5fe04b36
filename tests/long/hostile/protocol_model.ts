import { soakProtocol } from "../../support/protocol_soak.ts";

const COUNT = 50_000;

for (const compression of [false, true]) {
  const how = compression ? ", with permessage-deflate agreed on" : "";
  Deno.test(`${COUNT / 2} random sequences of graphql-transport-ws come out as the state machine says${how}`, async () => {
    await soakProtocol({ count: COUNT / 2, compression });
    console.log(`${COUNT / 2} sequences${how}`);
  });
}
