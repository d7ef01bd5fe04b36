import { find } from "./element.ts";

/** What is done with what was written. Rejects when it was refused. */
export interface ComposerHandlers {
  send(content: string): Promise<void>;
  broadcast(content: string): Promise<void>;
  failed(failure: unknown): void;
}

/** The field messages are written in. */
export class Composer {
  readonly #field = find("content", HTMLTextAreaElement);
  readonly #broadcast = find("broadcast", HTMLButtonElement);
  readonly #failed: ComposerHandlers["failed"];

  constructor({ send, broadcast, failed }: ComposerHandlers) {
    this.#failed = failed;
    const form = find("composer", HTMLFormElement);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit(send);
    });
    this.#broadcast.addEventListener("click", () => void this.#submit(broadcast));
    this.#field.addEventListener("keydown", (event) => {
      // While a character is being composed, Enter belongs to the input method.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
  }

  focus(): void {
    this.#field.focus();
  }

  /** Says whether there is the right to broadcast. */
  allowBroadcast(isAllowed: boolean): void {
    this.#broadcast.disabled = !isAllowed;
    this.#broadcast.title = isAllowed ? "To everyone, in every room" : "This needs the scope broadcast";
  }

  async #submit(action: (content: string) => Promise<void>): Promise<void> {
    const content = this.#field.value.trim();
    if (content === "") return this.focus();
    this.#field.value = "";
    this.focus();
    try {
      await action(content);
    } catch (failure) {
      // Nothing that was written is lost, unless something new stands there by now.
      if (this.#field.value === "") this.#field.value = content;
      this.#failed(failure);
    }
  }
}
