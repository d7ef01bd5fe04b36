import type { NodeStatus } from "../core/node_status.ts";
import type { Builder } from "./builder.ts";

/** Adds `Server` and the field that answers it. */
export function addServer(builder: Builder): void {
  const server = builder.objectRef<NodeStatus>("Server").implement({
    description: "The node that answers. Its counts are its own, not those of all nodes together.",
    fields: (t) => ({
      node: t.id({ description: "The node's name.", resolve: ({ nodeId }) => nodeId }),
      version: t.string({ description: "The version of graphql-rooms.", resolve: ({ version }) => version }),
      engine: t.string({
        description: "What keeps streams and memberships: `memory` or `redis`.",
        resolve: ({ engineName }) => engineName,
      }),
      startedAt: t.field({
        type: "DateTime",
        description: "When the node started.",
        resolve: ({ startedAtMs }) => new Date(startedAtMs),
      }),
      connections: t.int({ description: "Open connections.", resolve: ({ connections }) => connections }),
      subscriptions: t.int({ description: "Live subscriptions.", resolve: ({ subscriptions }) => subscriptions }),
      rooms: t.int({ description: "Feeds of rooms that somebody follows here.", resolve: ({ rooms }) => rooms }),
    }),
  });
  builder.queryField("server", (t) =>
    t.field({
      type: server,
      description: "How this node is doing. Needs the scope `admin`: `FORBIDDEN` without it.",
      resolve: (_root, _args, { rooms, viewer }) => rooms.nodeStatus(viewer),
    }));
}
