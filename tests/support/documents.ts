/** The operations tests send, as a frontend would write them. */

export const SEND = `mutation ($room: ID!, $content: String!, $excludeSelf: Boolean! = false, $key: String) {
  sendMessage(room: $room, content: $content, excludeSelf: $excludeSelf, idempotencyKey: $key) {
    success room duplicate message { id room senderId content timestamp cursor idempotencyKey }
  }
}`;

export const BROADCAST =
  `mutation ($room: ID, $event: String, $content: String! = "", $data: JSON, $excludeSelf: Boolean! = false) {
  broadcast(room: $room, event: $event, content: $content, data: $data, excludeSelf: $excludeSelf) {
    success room message { id room senderId content event data }
  }
}`;

export const JOIN = `mutation ($room: ID!) {
  joinRoom(room: $room) { success room cursor expiresAt member { id userId sessionCount joinedAt } }
}`;

export const LEAVE = `mutation ($room: ID!) { leaveRoom(room: $room) { success room } }`;

export const MESSAGES = `subscription ($room: ID) {
  messages(room: $room) { id room senderId content timestamp event data }
}`;

export const EVENTS = `subscription ($room: ID!) { roomEvents(room: $room) { type room userId timestamp } }`;

export const EVENTS_IN_FULL = `subscription ($room: ID!) {
  roomEvents(room: $room) {
    type room userId cursor
    ... on UserJoined { member { id userId sessionCount } }
    ... on UserLeft { userId reason }
  }
}`;
