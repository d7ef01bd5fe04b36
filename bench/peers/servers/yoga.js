// GraphQL Yoga with graphql-ws and its own createPubSub, put together as Yoga's page
// "Subscriptions" does. Runs on Node, and on Deno with the same node:http and ws:
// the adapter of graphql-ws for Deno closes every client when it opens.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import process from "node:process";
import { useServer } from "graphql-ws/use/ws";
import { createPubSub, createSchema, createYoga } from "graphql-yoga";
import { WebSocketServer } from "ws";
import { typeDefs } from "./schema.js";

const pubSub = createPubSub();
const schema = createSchema({
  typeDefs,
  resolvers: {
    Mutation: {
      sendMessage(_, { room, content }, { extra }) {
        const senderId = extra?.senderId ?? randomUUID();
        pubSub.publish("message", room, { id: randomUUID(), senderId, content, timestamp: new Date().toISOString() });
        return { success: true };
      },
    },
    Subscription: {
      messages: {
        subscribe: (_, { room }) => pubSub.subscribe("message", room),
        resolve: (message) => message,
      },
    },
  },
});

const yoga = createYoga({ schema, graphiql: false });
const httpServer = createServer(yoga);
const wsServer = new WebSocketServer({
  server: httpServer,
  path: yoga.graphqlEndpoint,
  perMessageDeflate: false,
});

useServer(
  {
    execute: (args) => args.rootValue.execute(args),
    subscribe: (args) => args.rootValue.subscribe(args),
    onConnect(ctx) {
      ctx.extra.senderId = randomUUID();
    },
    async onSubscribe(ctx, _id, params) {
      const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
        ...ctx,
        req: ctx.extra.request,
        socket: ctx.extra.socket,
        params,
      });
      const document = parse(params.query);
      const errors = validate(schema, document);
      if (errors.length > 0) return errors;
      return {
        schema,
        operationName: params.operationName,
        document,
        variableValues: params.variables,
        contextValue: await contextFactory(),
        rootValue: { execute, subscribe },
      };
    },
  },
  wsServer,
);

httpServer.listen(Number(process.env.PORT), "127.0.0.1");
