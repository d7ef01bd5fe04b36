import type { Dialogue, Publishing, Subscribing } from "./peer.ts";

/**
 * The least a server of rooms can speak, in JSON. A client says `{"t":"hi"}`,
 * `{"t":"sub","room":…}` or `{"t":"pub","room":…,"content":…}`, and each is answered with
 * its `t` alone. A message is `{"t":"msg","id":…,"senderId":…,"content":…,"timestamp":…}`.
 */
interface Message {
  readonly t?: unknown;
  readonly content?: unknown;
}

const HELLO = JSON.stringify({ t: "hi" });

/** Receives the messages of the rooms. */
export function subscribePlainly(rooms: readonly string[]): Subscribing {
  return { ...converse(rooms), mark: "" };
}

/** Publishes to any room. */
export function publishPlainly(): Publishing {
  return { ...converse([]), send: (room, content) => JSON.stringify({ t: "pub", room, content }) };
}

/** Ready when every room has answered, or the greeting when there is no room. */
function converse(rooms: readonly string[]): Dialogue {
  let unanswered = rooms.length;
  return {
    opening: HELLO,
    hear(text) {
      const { t, content }: Message = JSON.parse(text);
      if (t === "hi") {
        const reply = rooms.map((room) => JSON.stringify({ t: "sub", room }));
        return { kind: rooms.length === 0 ? "ready" : "nothing", reply };
      }
      if (t === "sub") return { kind: --unanswered === 0 ? "ready" : "nothing" };
      if (t === "pub") return { kind: "published" };
      if (t === "msg" && typeof content === "string") return { kind: "delivery", content };
      throw new Error(`Cannot accept what the server said: ${text}`);
    },
  };
}
