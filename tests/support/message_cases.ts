import { messageFrame, textFrame } from "./client_frame.ts";
import type { WireCase } from "./outcomes.ts";

/** Outcomes that many messages have. */
export const LIVES = ["lives"] as const;
export const BAD = ["close 4400"] as const;
export const UNAUTHORIZED = ["close 4401"] as const;
/** A query that is always answered. */
export const QUERY = "{ viewer { userId } }";
export const INIT = { type: "connection_init" };
/** JSON values that are no object, by kind. */
export const NO_OBJECTS = {
  "a text": "x",
  "a number": 1,
  "true": true,
  "a list": [],
  "a list of objects": [{}],
} as const;

/** A case before the connection_init, and one behind the acknowledgement. */
export function both(name: string, text: string, outcome: readonly string[], earlyOutcome = outcome): WireCase[] {
  return [
    { name, chunks: [textFrame(text)], outcome },
    { name: `${name}, before the connection_init`, early: true, chunks: [textFrame(text)], outcome: earlyOutcome },
  ];
}

/** A case of several messages in one chunk. */
export function one(name: string, messages: readonly unknown[], outcome: readonly string[]): WireCase {
  return { name, chunks: [Uint8Array.from(messages.flatMap((message) => [...messageFrame(message)]))], outcome };
}

/** A query, or another operation. */
export function query(id: string, text: string = QUERY, variables?: Readonly<Record<string, unknown>>) {
  return { id, type: "subscribe", payload: { query: text, ...(variables === undefined ? {} : { variables }) } };
}

/** A live subscription to a room. */
export function live(id: string, room = "lobby") {
  return query(id, "subscription ($room: ID) { messages(room: $room) { content } }", { room });
}

/** So many arrays, one in the other, as JSON: deeper than could be written by recursion. */
export function nestedJson(levels: number): string {
  return "[".repeat(levels) + "]".repeat(levels);
}
