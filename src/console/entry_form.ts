import { find } from "./element.ts";
import { type Choice, loadChoice, storeChoice } from "./stored_choice.ts";

/** Where a name and a room are chosen. */
export class EntryForm {
  readonly #view = find("entry", HTMLElement);
  readonly #error = find("entry-error", HTMLParagraphElement);
  readonly #name = find("name", HTMLInputElement);
  readonly #room = find("room", HTMLInputElement);

  /** `onEnter` is called with each choice; the form is hidden by then. */
  constructor(onEnter: (choice: Choice) => void) {
    const { name, room } = loadChoice();
    this.#name.value = name;
    this.#room.value = room;
    find("entry-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      const choice = { name: this.#name.value.trim(), room: this.#room.value.trim() };
      if (choice.room === "") return this.#room.focus();
      storeChoice(choice);
      this.#view.hidden = true;
      onEnter(choice);
    });
    this.#name.focus();
  }

  /** Shows itself again, with why the choice was refused, if it was. */
  show(error: string): void {
    this.#view.hidden = false;
    this.#error.textContent = error;
    (error === "" ? this.#room : this.#name).focus();
  }
}
