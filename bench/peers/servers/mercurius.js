// Mercurius with its own pubsub and every operation over the WebSocket. Queries are
// compiled at their first use (jit), as in Mercurius' own benches.
import { randomUUID } from "node:crypto";
import process from "node:process";
import Fastify from "fastify";
import mercurius from "mercurius";
import { typeDefs } from "./schema.js";

const app = Fastify();

app.register(mercurius, {
  schema: typeDefs,
  resolvers: {
    Mutation: {
      async sendMessage(_, { room, content }, { pubsub, senderId }) {
        const message = { id: randomUUID(), senderId, content, timestamp: new Date().toISOString() };
        await pubsub.publish({ topic: `messages:${room}`, payload: { messages: message } });
        return { success: true };
      },
    },
    Subscription: {
      messages: {
        subscribe: (_, { room }, { pubsub }) => pubsub.subscribe(`messages:${room}`),
      },
    },
  },
  jit: 1,
  subscription: {
    fullWsTransport: true,
    context: () => ({ senderId: randomUUID() }),
  },
});

await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
