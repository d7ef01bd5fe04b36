import type { Message } from "./documents.ts";
import { element, find } from "./element.ts";
import { messageItem } from "./message_item.ts";

/** Lines kept on the page; the oldest go first. */
const MAX_LINES = 500;
/** So near to the end, in pixels, counts as at the end. */
const END_PIXELS = 48;
/** A message that follows its sender's last one so soon, in milliseconds, goes without name and time. */
const CONTINUED_MS = 120_000;

/** The lines of a room: messages, and what happened between them. */
export class Conversation {
  readonly #scroller = find("scroller", HTMLDivElement);
  readonly #lines = find("messages", HTMLOListElement);
  readonly #empty = find("empty", HTMLDivElement);
  readonly #jump = find("jump", HTMLButtonElement);
  #last: Message | undefined;
  /** Whether the newest line is in view; then it stays so, whatever comes. */
  #atEnd = true;

  constructor() {
    this.#jump.addEventListener("click", () => this.#scrollToEnd());
    this.#scroller.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
      this.#atEnd = scrollHeight - scrollTop - clientHeight < END_PIXELS;
      if (this.#atEnd) this.#jump.hidden = true;
    });
    // A keyboard that opens, and a field that grows, take room away.
    new ResizeObserver(() => {
      if (this.#atEnd) this.#scrollToEnd();
    }).observe(this.#scroller);
  }

  /** Begins anew. */
  clear(): void {
    this.#lines.replaceChildren();
    this.#last = undefined;
    this.#atEnd = true;
    this.#empty.hidden = false;
    this.#jump.hidden = true;
  }

  /** Adds a message. */
  add(message: Message, isOwn: boolean): void {
    const isContinued = this.#last !== undefined && continues(message, this.#last);
    this.#last = message;
    this.#append(messageItem(message, { isOwn, isContinued }));
  }

  /** Adds what happened; `isLoss` when it is that something is missing. */
  note(text: string, isLoss = false): void {
    this.#last = undefined;
    this.#append(element("li", { className: isLoss ? "notice loss" : "notice", text }));
  }

  #append(line: HTMLElement): void {
    this.#empty.hidden = true;
    this.#lines.append(line);
    while (this.#lines.childElementCount > MAX_LINES) this.#lines.firstElementChild!.remove();
    if (this.#atEnd) this.#scrollToEnd();
    else this.#jump.hidden = false;
  }

  #scrollToEnd(): void {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }
}

function continues(message: Message, last: Message): boolean {
  return message.senderId === last.senderId && message.room === last.room && message.event === last.event &&
    Date.parse(message.timestamp) - Date.parse(last.timestamp) < CONTINUED_MS;
}
