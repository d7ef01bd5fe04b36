/** What somebody chose the last time. */
export interface Choice {
  readonly name: string;
  readonly room: string;
}

const KEY = "graphql-rooms";

/** The last choice in this browser; at first a guest in the lobby. */
export function loadChoice(): Choice {
  try {
    const { name = "", room = "lobby" } = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Choice>;
    return { name: String(name), room: String(room) };
  } catch {
    // Storage may be forbidden, or hold what another program wrote.
    return { name: "", room: "lobby" };
  }
}

/** Keeps a choice for the next time. */
export function storeChoice(choice: Choice): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(choice));
  } catch {
    // Storage may be forbidden; then it is chosen anew each time.
  }
}
