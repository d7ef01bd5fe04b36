import { type ConnectionState, openConnection } from "./connection.ts";
import * as documents from "./documents.ts";
import type { Message, RoomEvent, RoomState } from "./documents.ts";
import { inTurn } from "./in_turn.ts";
import { randomId } from "./random_id.ts";
import { RecentIds } from "./recent_ids.ts";

/** Whom to be, and where. */
export interface VisitOptions {
  readonly url: string;
  /** Asked at each connection: what is sent of who this is. */
  identity(): Readonly<Record<string, unknown>>;
  readonly room: string;
}

/** What somebody may have no right to in a room. */
export type DeniedRight = "read" | "join";

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
  /** There is no right to it; once for each. The visit goes on without. */
  onDenied(right: DeniedRight): void;
  /** The token has expired: resolves once `identity` tells another. */
  onExpired(): Promise<void>;
  /** The server lets nobody in for now; it is tried again. */
  onPutOff(reason: string): void;
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
export function beginVisit({ url, identity, room }: VisitOptions, handlers: VisitHandlers): Visit {
  let state: ConnectionState = "connecting";
  let left = false;
  const tell = (step: (handlers: VisitHandlers) => void): void => {
    if (!left) step(handlers);
  };
  const onTrouble = (failure: unknown) => tell(({ onTrouble }) => onTrouble(failure));
  const denied = new Set<DeniedRight>();
  /** Where a right may be missing. Whoever may not read is told so once, not by each query. */
  const onRefusal = (right: DeniedRight) => (failure: unknown) => {
    if (!isForbidden(failure)) return onTrouble(failure);
    if (denied.has(right)) return;
    denied.add(right);
    tell(({ onDenied }) => onDenied(right));
  };

  const sessionId = randomId();
  const connection = openConnection({
    url,
    parameters: () => ({ ...identity(), sessionId }),
    onState(now) {
      state = now;
      tell(({ onState }) => onState(now));
    },
    onConnected(userId) {
      if (left) return;
      if (userId === null) return refuse({ reason: "This server asks for a token" });
      tell(({ onAdmitted }) => onAdmitted(userId));
      void connection.run(documents.JOIN, { room }).catch(onRefusal("join")).then(refresh);
    },
    onExpired: () => handlers.onExpired(),
    onPutOff: (reason) => tell(({ onPutOff }) => onPutOff(reason)),
    onRefused: (failure) => tell(({ onRefused }) => onRefused(failure)),
  });
  // Asked for as a whole at each change: what is shown is what the server says.
  const refresh = inTurn(() =>
    connection.run<RoomState>(documents.ROOM_STATE, { room }).then(
      (roomState) => tell(({ onRoom }) => onRoom(roomState)),
      onRefusal("read"),
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
    failed: onRefusal("read"),
  });
  connection.follow<{ roomEvents: RoomEvent }>(documents.ROOM_EVENTS, { room }, {
    next({ roomEvents }) {
      tell(({ onEvent }) => onEvent(roomEvents));
      refresh();
    },
    failed: onRefusal("read"),
  });

  function refuse(failure: unknown): void {
    tell(({ onRefused }) => onRefused(failure));
    left = true;
    // Its subscriptions are sent first: the client would send them to a socket that is closing.
    setTimeout(connection.close);
  }

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

function isForbidden(failure: unknown): boolean {
  return Array.isArray(failure) && failure.every((error) => error?.extensions?.code === "FORBIDDEN");
}
