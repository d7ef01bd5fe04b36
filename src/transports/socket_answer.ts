import { answerLimit, answerTooLarge, isOver } from "./answer_limit.ts";
import type { Outbox } from "./outbox.ts";

/** Sends a query's or mutation's result, as JSON, and its end; one that alone would fill the outbox is an error. */
export function sendAnswer(outbox: Outbox, id: string, json: string): void {
  const jsonId = JSON.stringify(id);
  const text = `{"id":${jsonId},"type":"next","payload":${json}}`;
  const limit = answerLimit(outbox.maxBytes);
  if (!isOver(text, limit)) {
    outbox.sendText(text);
    outbox.sendText(`{"id":${jsonId},"type":"complete"}`);
    return;
  }
  const { message, code } = answerTooLarge(limit);
  sendErrors(outbox, id, [{ message, extensions: { code, limit } }]);
}

/** Says that an operation has failed, which is its end. */
export function sendErrors(outbox: Outbox, id: string, errors: readonly object[]): void {
  outbox.sendText(`{"id":${JSON.stringify(id)},"type":"error","payload":${JSON.stringify(errors)}}`);
}
