import { Composer } from "./composer.ts";
import type { ConnectionState } from "./connection.ts";
import { Conversation } from "./conversation.ts";
import { sendCommand } from "./command.ts";
import type { RoomEvent, RoomState } from "./documents.ts";
import { find } from "./element.ts";
import { failureText } from "./failure_text.ts";
import { showMembers } from "./member_list.ts";
import { type Choice, loadChoice, storeChoice } from "./stored_choice.ts";
import { Trouble } from "./trouble.ts";
import { beginVisit, type Visit } from "./visit.ts";

const API = new URL("/graphql", location.href).href;
const STATE_TEXTS: Readonly<Record<ConnectionState, string>> = {
  connecting: "Connecting",
  live: "Live",
  reconnecting: "Reconnecting",
};
const LEFT_TEXTS = {
  LEFT: "left",
  DISCONNECTED: "left: the connection closed",
  TIMEOUT: "left: no longer answered",
  REMOVED: "was removed",
} as const;

const entry = find("entry", HTMLElement);
const entryError = find("entry-error", HTMLParagraphElement);
const nameField = find("name", HTMLInputElement);
const roomField = find("room", HTMLInputElement);
const roomView = find("room-view", HTMLDivElement);
const status = find("status", HTMLParagraphElement);

let visit: Visit | undefined;
let ownId = "";

const conversation = new Conversation();
const trouble = new Trouble();
const composer = new Composer({
  send: (content) => visit!.send(content).then(() => trouble.hide()),
  broadcast: (content) => visit!.broadcast(content).then(() => trouble.hide()),
  failed: (failure) => trouble.show(failure),
});

find("entry-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const room = roomField.value.trim();
  if (room === "") return roomField.focus();
  enter({ name: nameField.value.trim(), room });
});
find("leave", HTMLButtonElement).addEventListener("click", () => {
  visit?.leave();
  showEntry("");
});
const { name, room } = loadChoice();
nameField.value = name;
roomField.value = room;
nameField.focus();

function enter(choice: Choice): void {
  storeChoice(choice);
  const { name, room } = choice;
  entry.hidden = true;
  roomView.hidden = false;
  document.title = `${room} · graphql-rooms`;
  find("room-name", HTMLHeadingElement).textContent = room;
  find("command", HTMLPreElement).textContent = sendCommand(API, room);
  conversation.clear();
  trouble.hide();
  showState("connecting");
  visit = beginVisit({ url: API.replace(/^http/, "ws"), name, room }, {
    onState: showState,
    onAdmitted: (userId) => ownId = find("own-name", HTMLElement).textContent = userId,
    onRoom: showRoom,
    onMessage: (message) => conversation.add(message, message.senderId === ownId),
    onEvent: showEvent,
    onLoss: () => conversation.note("Messages were missed here", true),
    onTrouble: (failure) => trouble.show(failure),
    onRefused: (failure) => showEntry(failureText(failure)),
  });
  composer.focus();
}

function showEntry(error: string): void {
  visit = undefined;
  roomView.hidden = true;
  entry.hidden = false;
  document.title = "graphql-rooms";
  entryError.textContent = error;
  (error === "" ? roomField : nameField).focus();
}

function showState(state: ConnectionState): void {
  status.dataset["state"] = state;
  status.textContent = STATE_TEXTS[state];
}

function showRoom(state: RoomState): void {
  const { scopes } = state.viewer;
  composer.allowBroadcast(scopes.includes("broadcast") || scopes.includes("admin"));
  showMembers(state);
}

function showEvent({ type, userId, reason = "LEFT" }: RoomEvent): void {
  if (userId === ownId) return;
  conversation.note(`${userId} ${type === "JOINED" ? "joined" : LEFT_TEXTS[reason]}`);
}
