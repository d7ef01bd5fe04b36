/** What the console asks the server, and the shape of each answer. */

export interface Member {
  readonly userId: string;
  /** 0 while the member may come back. */
  readonly sessionCount: number;
}

export interface RoomState {
  readonly viewer: { readonly userId: string; readonly scopes: readonly string[] };
  readonly room: { readonly members: { readonly totalCount: number; readonly nodes: readonly Member[] } };
}

export const ROOM_STATE = `query RoomState($room: ID!) {
  viewer { userId scopes }
  room(room: $room) { members(first: 300) { totalCount nodes { userId sessionCount } } }
}`;

export const JOIN = `mutation Join($room: ID!) { joinRoom(room: $room) { success } }`;

export const LEAVE = `mutation Leave($room: ID!) { leaveRoom(room: $room) { success } }`;

export const SEND = `mutation Send($room: ID!, $content: String!, $key: String!) {
  sendMessage(room: $room, content: $content, idempotencyKey: $key) { success }
}`;

export const BROADCAST = `mutation Broadcast($content: String!, $key: String!) {
  broadcast(content: $content, idempotencyKey: $key) { success }
}`;

export interface Message {
  readonly id: string;
  /** Null when it was sent to everyone. */
  readonly room: string | null;
  readonly senderId: string;
  readonly content: string;
  readonly event: string | null;
  readonly data: unknown;
  readonly timestamp: string;
}

export const MESSAGES = `subscription Messages($room: ID!, $last: Int, $after: Cursor) {
  messages(room: $room, last: $last, after: $after) { id room senderId content event data timestamp }
}`;

export interface RoomEvent {
  readonly type: "JOINED" | "LEFT";
  readonly userId: string;
  readonly reason?: "LEFT" | "DISCONNECTED" | "TIMEOUT" | "REMOVED";
}

export const ROOM_EVENTS = `subscription RoomEvents($room: ID!) {
  roomEvents(room: $room) { type userId ... on UserLeft { reason } }
}`;
