import "./element.ts";

/** Where GraphiQL looks for it too (graphiql_boot.js). */
const KEY = "graphql-rooms-token";

/** The token of this tab: gone when the tab is closed, and not in any other. */
export class TabToken {
  #text: string;

  /** Begins with the token given, or else with the one this tab had before it was loaded anew. */
  constructor(given: string | null) {
    this.#text = "";
    try {
      this.#text = sessionStorage.getItem(KEY) ?? "";
    } catch {
      // Storage may be forbidden; then it is asked for anew.
    }
    if (given) this.text = given;
  }

  /** Empty when there is none. */
  get text(): string {
    return this.#text;
  }

  set text(text: string) {
    this.#text = text;
    try {
      sessionStorage.setItem(KEY, text);
    } catch {
      // As above.
    }
  }
}

/** Takes the token out of the page's address, where everybody could read it. Null when there is none. */
export function takeTokenFromAddress(): string | null {
  const address = new URL(location.href);
  const given = address.searchParams.get("token");
  if (given === null) return null;
  address.searchParams.delete("token");
  history.replaceState(history.state, "", address);
  return given;
}
