import { EntryForm } from "./entry_form.ts";
import { RoomView } from "./room_view.ts";

const roomView = new RoomView({
  api: new URL("/graphql", location.href).href,
  onLeft: (error) => entryForm.show(error),
});
const entryForm = new EntryForm((choice) => roomView.enter(choice));
