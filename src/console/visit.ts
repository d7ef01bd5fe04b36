import { type ConnectionState, openConnection } from "./connection.ts";
import * as documents from "./documents.ts";
import type { Message, RoomEvent, RoomState } from "./documents.ts";
import { inTurn } from "./in_turn.ts";
import { randomId } from "./random_id.ts";
import { RecentIds } from "./recent_ids.ts";

/** Whom to be, and where. */
export interface VisitOptions {
  readonly url: string;
  /** Empty: a guest. */
  readonly name: string;
  readonly room: string;
}

/** What a visit tells, until it is left. */
export interface VisitHandlers {
  onState(state: ConnectionState): void;
  /** Who we are; at each connection. */
  onAdmitted(userId: string): void;
  /** Who is in the room, and what we may do; at each change. */
  onRoom(state: RoomState): void;
  onMessage(message: Message): void;
  onEvent(event: RoomEvent): void;
  /** Messages were lost between the last one and what comes now. */
  onLoss(): void;
  /** Something was refused; the visit goes on. */
  onTrouble(failure: unknown): void;
  /** The server does not let us in. The visit is over. */
  onRefused(failure: unknown): void;
}

/** A stay in one room. */
export interface Visit {
  /** Says it to the room. Rejects with the errors. */
  send(content: string): Promise<void>;
  /** Says it to everyone, in every room. Rejects with the errors. */
  broadcast(content: string): Promise<void>;
  /** Leaves the room and the server. */
  leave(): void;
}

/** How much of what was said before is asked for. */
const HISTORY_COUNT = 50;

/** Joins a room and stays in it, through reconnects, until it is left. */
export function beginVisit({ url, name, room }: VisitOptions, handlers: VisitHandlers): Visit {
  let state: ConnectionState = "connecting";
  let left = false;
  const tell = (step: (handlers: VisitHandlers) => void): void => {
    if (!left) step(handlers);
  };
  const onTrouble = (failure: unknown) => tell(({ onTrouble }) => onTrouble(failure));

  const connection = openConnection({
    url,
    parameters: { ...(name === "" ? {} : { userId: name }), sessionId: randomId() },
    onState(now) {
      state = now;
      tell(({ onState }) => onState(now));
    },
    onConnected(userId) {
      if (left) return;
      tell(({ onAdmitted }) => onAdmitted(userId));
      void connection.run(documents.JOIN, { room }).catch(onTrouble).then(refresh);
    },
    onRefused: (failure) => tell(({ onRefused }) => onRefused(failure)),
  });
  // Asked for as a whole at each change: what is shown is what the server says.
  const refresh = inTurn(() =>
    connection.run<RoomState>(documents.ROOM_STATE, { room }).then(
      (roomState) => tell(({ onRoom }) => onRoom(roomState)),
      onTrouble,
    )
  );

  const shown = new RecentIds();
  const start: { readonly room: string; last?: number; after?: string } = { room, last: HISTORY_COUNT };
  connection.follow<{ messages: Message }>(documents.MESSAGES, start, {
    next({ messages }, { cursor, gap, recovered }) {
      // After a reconnect it goes on from here, and the newest are not wanted again.
      delete start.last;
      if (cursor !== undefined) start.after = cursor;
      tell(({ onLoss, onMessage }) => {
        if (gap || recovered === false) onLoss();
        if (shown.add(messages.id)) onMessage(messages);
      });
    },
    failed: onTrouble,
  });
  connection.follow<{ roomEvents: RoomEvent }>(documents.ROOM_EVENTS, { room }, {
    next({ roomEvents }) {
      tell(({ onEvent }) => onEvent(roomEvents));
      refresh();
    },
    failed: onTrouble,
  });

  return {
    // With a key, a message that is sent again after a lost connection is still one message.
    send: (content) => connection.run<unknown>(documents.SEND, { room, content, key: randomId() }).then(() => {}),
    broadcast: (content) => connection.run<unknown>(documents.BROADCAST, { content, key: randomId() }).then(() => {}),
    leave() {
      left = true;
      // Without a connection the server ends the membership by itself.
      if (state !== "live") return connection.close();
      connection.run(documents.LEAVE, { room }).catch(() => {
        // It is left all the same, a little later.
      }).finally(connection.close);
    },
  };
}
