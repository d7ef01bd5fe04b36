import type { ErrorCode } from "../core/errors.ts";
import { utf8Length } from "../core/utf8_length.ts";
import type { Outbox } from "./outbox.ts";

/** Sends a query's or mutation's result, as JSON, and its end; one that alone would fill the outbox is an error. */
export function sendAnswer(outbox: Outbox, id: string, json: string): void {
  const jsonId = JSON.stringify(id);
  const text = `{"id":${jsonId},"type":"next","payload":${json}}`;
  const limit = Math.floor(outbox.maxBytes / 2);
  if (text.length <= limit && utf8Length(text) <= limit) {
    outbox.sendText(text);
    outbox.sendText(`{"id":${jsonId},"type":"complete"}`);
    return;
  }
  const message = `Cannot answer with more than ${limit} bytes: ask for less at once`;
  const errors = [{ message, extensions: { code: "PAYLOAD_TOO_LARGE" satisfies ErrorCode, limit } }];
  sendErrors(outbox, id, errors);
}

/** Says that an operation has failed, which is its end. */
export function sendErrors(outbox: Outbox, id: string, errors: readonly object[]): void {
  outbox.sendText(`{"id":${JSON.stringify(id)},"type":"error","payload":${JSON.stringify(errors)}}`);
}
