import { EntryForm } from "./entry_form.ts";
import { RoomView } from "./room_view.ts";
import { TabToken, takeTokenFromAddress } from "./tab_token.ts";

const given = takeTokenFromAddress();
// The server writes into the page whether it asks for tokens.
const token = document.documentElement.dataset["needsToken"] === undefined ? undefined : new TabToken(given);
const roomView = new RoomView({
  api: new URL("/graphql", location.href).href,
  token,
  onLeft: (error) => entryForm.show(error),
});
const entryForm = new EntryForm(token, (choice) => roomView.enter(choice));
