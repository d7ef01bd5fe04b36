import type { RoomOperation } from "./graphql_transport_ws.ts";

/** Every GraphQL server is asked for the same fields. */
export const MESSAGES: RoomOperation = {
  query: "subscription ($room: ID!) { messages(room: $room) { id senderId content timestamp } }",
  field: "messages",
};

/** Publishes; asks for as little as can be asked for. */
export const SEND_MESSAGE: RoomOperation = {
  query: "mutation ($room: ID!, $content: String!) { sendMessage(room: $room, content: $content) { success } }",
  field: "sendMessage",
};
