import { find } from "./element.ts";

/** Where another token is asked for, in the place of the field messages are written in. */
export class Renewal {
  readonly #form = find("renewal", HTMLFormElement);
  readonly #field = find("new-token", HTMLInputElement);
  readonly #composer = find("composer", HTMLFormElement);
  #answer: ((token: string) => void) | undefined;

  constructor() {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const token = this.#field.value.trim();
      if (token === "") return this.#field.focus();
      this.#answer?.(token);
      this.hide();
    });
  }

  /** Resolves with what was put in. Never does when it is hidden before. */
  ask(): Promise<string> {
    this.#form.hidden = false;
    this.#composer.hidden = true;
    this.#field.focus();
    return new Promise((resolve) => this.#answer = resolve);
  }

  hide(): void {
    this.#answer = undefined;
    this.#field.value = "";
    this.#form.hidden = true;
    this.#composer.hidden = false;
  }
}
