import { find } from "./element.ts";
import { failureText } from "./failure_text.ts";

/** The line that says what went wrong, until it is dismissed or something went well. */
export class Trouble {
  readonly #box = find("trouble", HTMLDivElement);
  readonly #text = find("trouble-text", HTMLParagraphElement);

  constructor() {
    find("trouble-close", HTMLButtonElement).addEventListener("click", () => this.hide());
  }

  show(failure: unknown): void {
    this.#text.textContent = failureText(failure);
    this.#box.hidden = false;
  }

  hide(): void {
    this.#box.hidden = true;
  }
}
