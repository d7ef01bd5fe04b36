import type { PageOptions } from "./page.ts";

/**
 * The operations GraphiQL opens with, one a tab, in the order somebody would try them.
 *
 * Each runs as it stands: the values are its variables' defaults. The first says where
 * tokens belong if they are asked for, and why nothing is completed if the schema is kept.
 */
export function graphiqlTabs({ needsToken, introspection }: PageOptions): readonly string[] {
  const notes = `${needsToken ? TOKEN_NOTE : ""}${introspection ? "" : SCHEMA_NOTE}`;
  return TABS.map((tab, index) => index === 0 ? notes + tab : tab);
}

const TOKEN_NOTE = `# First put a token into the
# Headers tab below. It counts
# in the other tabs too.
#
`;

const SCHEMA_NOTE = `# Docs and completion need a
# server with --introspection.
#
`;

const TABS: readonly string[] = [
  `# You are a member as long as
# this page is open.
mutation Join($room: ID! = "lobby") {
  joinRoom(room: $room) {
    success
    room
    member {
      userId
      joinedAt
    }
  }
}
`,
  `# Run this, then send from another
# window or program.
subscription Messages($room: ID! = "lobby") {
  messages(room: $room) {
    id
    senderId
    content
    event
    data
    timestamp
  }
}
`,
  `# Goes to everyone who subscribes
# to the room.
mutation Send(
  $room: ID! = "lobby"
  $content: String! = "Hello from GraphiQL"
) {
  sendMessage(room: $room, content: $content) {
    success
    message {
      id
      senderId
      timestamp
    }
  }
}
`,
  `# As a backend pushes an event. With
# room: null it goes to everyone.
mutation Broadcast(
  $room: ID = "lobby"
  $event: String = "deployed"
  $data: JSON = { version: 7 }
) {
  broadcast(room: $room, event: $event, data: $data) {
    success
    room
    message {
      id
      timestamp
    }
  }
}
`,
];
