import { RealtimeError } from "../core/errors.ts";
import { utf8Length } from "../core/utf8_length.ts";

/** Bytes that one answer may have: half of what may wait for its reader. */
export function answerLimit(outboxBytes: number): number {
  return Math.floor(outboxBytes / 2);
}

/** Whether an answer has more bytes as UTF-8 than this. */
export function isOver(text: string, limit: number): boolean {
  return text.length > limit || utf8Length(text) > limit;
}

/** What is said instead of an answer that has too many bytes. */
export function answerTooLarge(limit: number): RealtimeError {
  const message = `Cannot answer with more than ${limit} bytes: ask for less at once`;
  return new RealtimeError("PAYLOAD_TOO_LARGE", message, { limit });
}
