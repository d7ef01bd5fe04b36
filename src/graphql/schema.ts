import type { GraphQLSchema } from "graphql";
import { addBroadcast } from "./broadcast.ts";
import { createBuilder } from "./builder.ts";
import { addJoinRoom } from "./join_room.ts";
import { addLeaveRoom } from "./leave_room.ts";
import { addMember } from "./member.ts";
import { addMessage } from "./message.ts";
import { addMessagesSubscription } from "./messages_subscription.ts";
import { addModeration } from "./moderation.ts";
import { addPageInfo } from "./pagination.ts";
import { addSetPresence } from "./presence.ts";
import { addRoom } from "./room.ts";
import { addRoomEvent } from "./room_event.ts";
import { addRoomEventsSubscription } from "./room_events_subscription.ts";
import { addRoomFields } from "./room_fields.ts";
import { addSendMessage } from "./send_message.ts";
import { addServer } from "./server.ts";
import { addRefreshToken } from "./token.ts";
import { addViewer } from "./viewer.ts";

/** Builds the whole API. Each call makes a schema of its own. */
export function createSchema(): GraphQLSchema {
  const builder = createBuilder();

  const pageInfo = addPageInfo(builder);
  const message = addMessage(builder);
  const member = addMember(builder);
  const room = addRoom(builder, { member, message, pageInfo });
  const roomEvent = addRoomEvent(builder, member);

  addRoomFields(builder, { room, pageInfo });
  addViewer(builder, room);
  addServer(builder);

  addSendMessage(builder, message);
  addJoinRoom(builder, member);
  addLeaveRoom(builder);
  addBroadcast(builder, message);
  addSetPresence(builder, member);
  addRefreshToken(builder);
  addModeration(builder);

  addMessagesSubscription(builder, message);
  addRoomEventsSubscription(builder, roomEvent);

  return builder.toSchema();
}
