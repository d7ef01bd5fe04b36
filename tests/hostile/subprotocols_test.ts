import { assertEquals, assertNotMatch } from "@std/assert";
import { type LocalServer, startLocalServer } from "../support/local_server.ts";
import { exchange } from "../support/raw_exchange.ts";

const KEY = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==";
const VERSION = "Sec-WebSocket-Version: 13";
const OURS = "Sec-WebSocket-Protocol: graphql-transport-ws";
const protocols = (...names: string[]) => [KEY, VERSION, `Sec-WebSocket-Protocol: ${names.join(", ")}`];
const many = (count: number) => Array.from({ length: count }, (_, index) => `protocol-${index}`);

/** What an upgrade says, and its outcome: the subprotocol that is chosen, a close code, or a status. */
const UPGRADES: Readonly<Record<string, readonly [fields: readonly string[], outcome: string | number]>> = {
  "our subprotocol": [protocols("graphql-transport-ws"), "graphql-transport-ws"],
  "ours behind the legacy one": [protocols("graphql-ws", "graphql-transport-ws"), "graphql-transport-ws"],
  "ours behind 19 others": [protocols(...many(19), "graphql-transport-ws"), "graphql-transport-ws"],
  "ours in the second of two headers": [
    [KEY, VERSION, "Sec-WebSocket-Protocol: graphql-ws", OURS],
    "graphql-transport-ws",
  ],
  "no subprotocol": [[KEY, VERSION], 4406],
  "the legacy subprotocol": [protocols("graphql-ws"), 4406],
  "the legacy one and others": [protocols("graphql-ws", "chat", "mqtt"), 4406],
  "20 others": [protocols(...many(20)), 4406],
  "1,000 others": [protocols(...many(1_000)), 4406],
  "ours in capitals": [protocols("GRAPHQL-TRANSPORT-WS"), 4406],
  "ours and a letter more": [protocols("graphql-transport-wss"), 4406],
  "a name of Object.prototype": [protocols("constructor", "__proto__"), 4406],
  "an empty subprotocol": [protocols(""), 400],
  "ours twice": [protocols("graphql-transport-ws", "graphql-transport-ws"), 400],
  "a subprotocol with a space": [protocols("graphql transport ws"), 400],
  "a comma behind ours": [protocols("graphql-transport-ws", ""), 400],
  "a quoted subprotocol": [protocols('"graphql-transport-ws"'), 400],
  "version 7": [[KEY, OURS, "Sec-WebSocket-Version: 7"], 426],
  "version 8": [[KEY, OURS, "Sec-WebSocket-Version: 8"], 426],
  "version 0": [[KEY, OURS, "Sec-WebSocket-Version: 0"], 426],
  "version x": [[KEY, OURS, "Sec-WebSocket-Version: x"], 426],
  "version 13.0": [[KEY, OURS, "Sec-WebSocket-Version: 13.0"], 426],
  "version 013": [[KEY, OURS, "Sec-WebSocket-Version: 013"], 426],
  "versions 13 and 8": [[KEY, OURS, "Sec-WebSocket-Version: 13, 8"], 426],
  "no version": [[KEY, OURS], 426],
  "no key": [[VERSION, OURS], 400],
  "an empty key": [[VERSION, OURS, "Sec-WebSocket-Key: "], 400],
  "a key of one character": [[VERSION, OURS, "Sec-WebSocket-Key: A"], 400],
  "a key of 15 bytes": [[VERSION, OURS, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA"], 400],
  "a key of 17 bytes": [[VERSION, OURS, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA="], 400],
  "a key that is not base64": [[VERSION, OURS, "Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!=="], 400],
  "two keys": [[KEY, VERSION, OURS, "Sec-WebSocket-Key: BBBBBBBBBBBBBBBBBBBBBA=="], 400],
  "an extension that is none": [[KEY, VERSION, OURS, "Sec-WebSocket-Extensions: ;;"], "graphql-transport-ws"],
};

for (const compression of [false, true]) {
  Deno.test(`wrong subprotocol or version${compression ? ", with compression" : ""}`, async (t) => {
    await using server = await startLocalServer({ server: { compression } });

    for (const [name, [fields, expected]] of Object.entries(UPGRADES)) {
      // Only who compresses reads what extensions are offered.
      const outcome = compression && name === "an extension that is none" ? 400 : expected;
      await t.step(`${name} → ${outcome}`, async () => assertEquals(await upgrade(server, fields), outcome));
    }

    const log = server.telemetry.records;
    assertEquals(log.filter(({ level }) => level === "error"), []);
    // No stack trace.
    assertNotMatch(JSON.stringify(log), /\bat .*:\d+:\d+/);
    assertEquals((await server.query("{ viewer { scopes } }")).errors, undefined);
  });
}

async function upgrade({ port }: LocalServer, fields: readonly string[]): Promise<string | number> {
  const head = ["GET /graphql HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket", ...fields];
  const { responses: [answer], isClosed } = await exchange(port, `${head.join("\r\n")}\r\n\r\n`, isDecided);
  if (answer!.status !== 101) {
    assertEquals(isClosed, true);
    if (answer!.status === 426) assertEquals(answer!.headers["sec-websocket-version"], "13");
    return answer!.status;
  }
  const chosen = answer!.headers["sec-websocket-protocol"];
  if (chosen !== undefined) return chosen;
  const close = answer!.body.indexOf(CLOSE_FRAME);
  return answer!.body.charCodeAt(close + 2) * 256 + answer!.body.charCodeAt(close + 3);
}

/** The first byte of a frame that closes (RFC 6455 section 5.5.1). */
const CLOSE_FRAME = "\x88";

/** Whether a subprotocol has been chosen, or a whole close frame has come. */
function isDecided(received: string): boolean {
  const end = received.indexOf("\r\n\r\n");
  if (end === -1) return false;
  if (/^sec-websocket-protocol:/im.test(received.slice(0, end))) return true;
  const close = received.indexOf(CLOSE_FRAME, end);
  return close !== -1 && received.length >= close + 4;
}
