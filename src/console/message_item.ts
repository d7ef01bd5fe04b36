import { avatar } from "./avatar.ts";
import type { Message } from "./documents.ts";
import { element } from "./element.ts";

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DATE_AND_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** What decides how a message is drawn, beside itself. */
export interface MessageItemOptions {
  readonly isOwn: boolean;
  /** Whether it goes on where the same sender's message before it ended. */
  readonly isContinued: boolean;
}

/** Draws a message. */
export function messageItem(message: Message, { isOwn, isContinued }: MessageItemOptions): HTMLLIElement {
  const { senderId, content, data } = message;
  const body = element("div", { className: "message-body" });
  if (!isContinued) body.append(head(message, isOwn));
  if (content !== "") body.append(element("div", { className: "message-text", text: content }));
  if (data !== null) body.append(element("pre", { className: "message-data", text: JSON.stringify(data, null, 2) }));
  return element("li", {
    className: isContinued ? "message continued" : "message",
    children: isContinued ? [body] : [avatar(senderId), body],
  });
}

function head({ senderId, room, event, timestamp }: Message, isOwn: boolean): HTMLElement {
  const date = new Date(timestamp);
  const time = element("time", { text: TIME.format(date) });
  time.dateTime = timestamp;
  time.title = DATE_AND_TIME.format(date);
  const parts = [element("span", { className: isOwn ? "sender own" : "sender", text: senderId }), time];
  if (room === null) parts.push(element("span", { className: "chip", text: "to everyone" }));
  if (event !== null) parts.push(element("span", { className: "chip", text: event }));
  return element("div", { className: "message-head", children: parts });
}
