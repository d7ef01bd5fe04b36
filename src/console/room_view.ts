import { sendCommand } from "./command.ts";
import { Composer } from "./composer.ts";
import type { ConnectionState } from "./connection.ts";
import { Conversation } from "./conversation.ts";
import type { RoomEvent, RoomState } from "./documents.ts";
import { find } from "./element.ts";
import { failureText } from "./failure_text.ts";
import { clearMembers, showMembers } from "./member_list.ts";
import { Renewal } from "./renewal.ts";
import type { Choice } from "./stored_choice.ts";
import type { TabToken } from "./tab_token.ts";
import { Trouble } from "./trouble.ts";
import { beginVisit, type DeniedRight, type Visit } from "./visit.ts";

const STATE_TEXTS: Readonly<Record<ConnectionState, string>> = {
  connecting: "Connecting",
  live: "Live",
  reconnecting: "Reconnecting",
  expired: "Token expired",
};
const DENIED_TEXTS: Readonly<Record<DeniedRight, string>> = {
  read: "You have no right to read this room: what is said in it is not shown to you",
  join: "You have no right to join this room: you are not among its members",
};
const LEFT_TEXTS: Readonly<Record<NonNullable<RoomEvent["reason"]>, string>> = {
  LEFT: "left",
  DISCONNECTED: "left: the connection closed",
  TIMEOUT: "left: no longer answered",
  REMOVED: "was removed",
};

/** What a room view is made with. */
export interface RoomViewOptions {
  /** The API's URL over HTTP. */
  readonly api: string;
  /** Undefined where the server asks for none. */
  readonly token: TabToken | undefined;
  /** Called when the room is left, with why it could not be entered, or an empty text. */
  onLeft(error: string): void;
}

/** A room from inside: who is there, what is said, and a field to say something. */
export class RoomView {
  readonly #options: RoomViewOptions;
  readonly #view = find("room-view", HTMLDivElement);
  readonly #status = find("status", HTMLParagraphElement);
  readonly #conversation = new Conversation();
  readonly #trouble = new Trouble();
  readonly #renewal = new Renewal();
  readonly #composer: Composer;
  #visit: Visit | undefined;
  #ownId = "";

  constructor(options: RoomViewOptions) {
    this.#options = options;
    this.#composer = new Composer({
      send: (content) => this.#visit!.send(content).then(() => this.#trouble.hide()),
      broadcast: (content) => this.#visit!.broadcast(content).then(() => this.#trouble.hide()),
      failed: (failure) => this.#trouble.show(failure),
    });
    find("leave", HTMLButtonElement).addEventListener("click", () => {
      this.#visit?.leave();
      this.#close("");
    });
  }

  /** Joins the room and shows it. */
  enter({ name, room }: Choice): void {
    const { api, token } = this.#options;
    this.#view.hidden = false;
    document.title = `${room} · graphql-rooms`;
    find("room-name", HTMLHeadingElement).textContent = room;
    find("command", HTMLPreElement).textContent = sendCommand(api, room, { needsToken: token !== undefined });
    this.#conversation.clear();
    clearMembers();
    this.#trouble.hide();
    this.#showState("connecting");
    const identity = () => token === undefined ? parameter("userId", name) : parameter("token", token.text);
    this.#visit = beginVisit({ url: api.replace(/^http/, "ws"), identity, room }, {
      onState: (state) => this.#showState(state),
      onAdmitted: (userId) => this.#ownId = find("own-name", HTMLElement).textContent = userId,
      onRoom: (state) => this.#showRoom(state),
      onMessage: (message) => this.#conversation.add(message, message.senderId === this.#ownId),
      onEvent: (event) => this.#showEvent(event),
      onLoss: () => this.#conversation.note("Messages were missed here", true),
      onDenied: (right) => this.#conversation.note(DENIED_TEXTS[right], true),
      onExpired: () => this.#renew(),
      onPutOff: (reason) => this.#trouble.show({ reason: `${reason} (this page keeps trying)` }),
      onTrouble: (failure) => this.#trouble.show(failure),
      onRefused: (failure) => this.#close(failureText(failure)),
    });
    this.#composer.focus();
  }

  async #renew(): Promise<void> {
    const { token } = this.#options;
    const text = await this.#renewal.ask();
    if (token !== undefined) token.text = text;
    this.#showState("reconnecting");
    this.#composer.focus();
  }

  #close(error: string): void {
    this.#visit = undefined;
    this.#renewal.hide();
    this.#view.hidden = true;
    document.title = "graphql-rooms";
    this.#options.onLeft(error);
  }

  #showState(state: ConnectionState): void {
    this.#status.dataset["state"] = state;
    this.#status.textContent = STATE_TEXTS[state];
    // Whatever kept us out does no longer.
    if (state === "live") this.#trouble.hide();
  }

  #showRoom(state: RoomState): void {
    const { scopes } = state.viewer;
    this.#composer.allowBroadcast(scopes.includes("broadcast") || scopes.includes("admin"));
    showMembers(state);
  }

  #showEvent({ type, userId, reason = "LEFT" }: RoomEvent): void {
    if (userId === this.#ownId) return;
    this.#conversation.note(`${userId} ${type === "JOINED" ? "joined" : LEFT_TEXTS[reason]}`);
  }
}

/** Nothing is sent for an empty text: a guest has no name, and a token may be in a cookie. */
function parameter(name: string, text: string): Readonly<Record<string, string>> {
  return text === "" ? {} : { [name]: text };
}
