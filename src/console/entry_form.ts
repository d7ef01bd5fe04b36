import { find } from "./element.ts";
import { type Choice, loadChoice, storeChoice } from "./stored_choice.ts";
import type { TabToken } from "./tab_token.ts";

/** Where a room is chosen, and a name, or a token where the server asks for one. */
export class EntryForm {
  readonly #view = find("entry", HTMLElement);
  readonly #error = find("entry-error", HTMLParagraphElement);
  readonly #room = find("room", HTMLInputElement);
  /** What says who it is. */
  readonly #identity: HTMLInputElement;

  /** `onEnter` is called with each choice; the form is hidden by then. */
  constructor(token: TabToken | undefined, onEnter: (choice: Choice) => void) {
    const name = find("name", HTMLInputElement);
    const tokenField = find("token", HTMLInputElement);
    const last = loadChoice();
    name.value = last.name;
    tokenField.value = token?.text ?? "";
    this.#room.value = last.room;
    this.#identity = token === undefined ? name : tokenField;
    find("entry-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      const choice = { name: name.value.trim(), room: this.#room.value.trim() };
      if (choice.room === "") return this.#room.focus();
      storeChoice(choice);
      if (token !== undefined) token.text = tokenField.value.trim();
      this.#view.hidden = true;
      onEnter(choice);
    });
    this.#identity.focus();
  }

  /** Shows itself again, with why the choice was refused, if it was. */
  show(error: string): void {
    this.#view.hidden = false;
    this.#error.textContent = error;
    if (error === "") return this.#room.focus();
    this.#identity.focus();
    this.#identity.select();
  }
}
