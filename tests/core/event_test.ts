import { assertEquals } from "@std/assert";
import { decodeEntry, encodeEvent, type MemberUpdated, type StreamEvent } from "../../src/core/event.ts";
import { positionAt } from "../support/scripted_log.ts";

const position = positionAt(1);

const EVENTS: readonly StreamEvent[] = [
  {
    kind: "message",
    senderId: "ann",
    content: "",
    event: null,
    data: null,
    idempotencyKey: null,
    excludedSessionId: null,
  },
  {
    kind: "message",
    senderId: "zoë",
    content: "a\n😀",
    event: "price",
    data: { list: [1.5, null, false] },
    idempotencyKey: "k",
    excludedSessionId: "s",
  },
  { kind: "joined", userId: "ann", sessionCount: 0, state: null },
  { kind: "joined", userId: "ann", sessionCount: 2, state: `{"away":true}` },
  { kind: "left", userId: "ann", reason: "TIMEOUT" },
  updated("null"),
  updated(null),
];

for (const event of EVENTS) {
  const text = encodeEvent(event);
  Deno.test(`decodeEntry() reads what encodeEvent() wrote: ${text}`, () => {
    const publication = decodeEntry("events:lobby", { position, previousTimeUs: 0, text });
    assertEquals(publication, { stream: "events:lobby", position, event });
  });
}

Deno.test("decodeEntry() says of what is not kept that it is not", () => {
  const event = updated("1");
  const entry = { position, previousTimeUs: 0, text: encodeEvent(event), transient: true } as const;
  assertEquals(decodeEntry("events:lobby", entry), { stream: "events:lobby", position, event, transient: true });
});

function updated(state: string | null): MemberUpdated {
  return {
    kind: "updated",
    member: { userId: "ann", joinedAtMs: 1_700_000_000_000, sessionCount: 1, state, leasedUntilMs: null },
  };
}
