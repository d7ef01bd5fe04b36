import { assertEquals, assertRejects } from "@std/assert";
import SchemaBuilder from "@pothos/core";
// Its own types change those of every builder, also of the program's: each would have to have scopes.
// @ts-types="../support/scope_auth_plugin.d.ts"
import ScopeAuthPlugin from "@pothos/plugin-scope-auth";
import type { GraphQLSchema } from "graphql";
import { RealtimeError } from "../../src/core/errors.ts";
import type { Context } from "../../src/graphql/context.ts";
import type { Delivery } from "../../src/core/delivery.ts";
import type { LiveSource } from "../../src/graphql/live_source.ts";
import { callerOf, followMessages, openLiveWorld } from "../support/live_world.ts";

const ANN = callerOf("ann");
const BOB = callerOf("bob");

/** The scopes of a field or a type, in options whose types do not know the plugin. */
const scopes = (authScopes: { readonly user: string } | { readonly notUser: string }): object => ({ authScopes });

/** A schema with scopes on a field, on a type and on the subscription, which is for everybody but mallory. */
function createScopedSchema(onContent: () => void = () => {}): GraphQLSchema {
  const options: object = {
    plugins: [ScopeAuthPlugin],
    scopeAuth: {
      authorizeOnSubscribe: true,
      unauthorizedError: () => new RealtimeError("FORBIDDEN", "Not for everybody"),
      authScopes: ({ viewer: { principal } }: Context) => ({
        user: (userId: string) => principal.userId === userId,
        notUser: async (userId: string) => {
          await Promise.resolve();
          return principal.userId !== userId;
        },
      }),
    },
  };
  const builder = new SchemaBuilder<{ Context: Context }>({ ...options });
  const contentOf = ({ publication: { event } }: Delivery) => event.kind === "message" ? event.content : null;
  const secret = builder.objectRef<Delivery>("Secret").implement({
    ...scopes({ user: "ann" }),
    fields: (t) => ({ content: t.string({ resolve: contentOf }) }),
  });
  const event = builder.objectRef<Delivery>("Event").implement({
    fields: (t) => ({
      content: t.string({
        resolve(delivery) {
          onContent();
          return contentOf(delivery);
        },
      }),
      forAnn: t.string({ ...scopes({ user: "ann" }), resolve: contentOf }),
      notForBob: t.string({ ...scopes({ notUser: "bob" }), resolve: contentOf }),
      secret: t.field({ type: secret, resolve: (delivery) => delivery }),
    }),
  });
  builder.queryType({ fields: (t) => ({ unused: t.string({ resolve: () => null }) }) });
  builder.subscriptionType({
    fields: (t) => ({
      messages: t.field({
        type: event,
        ...scopes({ notUser: "mallory" }),
        args: { room: t.arg.id({ required: true }) },
        subscribe: async (root, args, context): Promise<LiveSource & AsyncIterable<Delivery>> =>
          await followMessages(root, args, context),
        resolve: (delivery) => delivery as Delivery,
      }),
    }),
  });
  return builder.toSchema();
}

/** What is asked, and what each gets of it. */
const FIELDS = {
  "scopes of a field": ["forAnn", "told", null],
  "scopes that are found out asynchronously": ["notForBob", "told", null],
  "scopes of a type": ["secret { content }", { content: "told" }, { content: null }],
} as const;

for (const [what, [selection, forAnn, forBob]] of Object.entries(FIELDS)) {
  Deno.test(`two viewers never see each other's value: ${what}`, async () => {
    for (const callers of [[ANN, BOB], [BOB, ANN]] as const) {
      await using world = await openLiveWorld(createScopedSchema());
      const query = `subscription { messages(room: "lobby") { value: ${selection} content } }`;
      const subscribed = await Promise.all(callers.map((caller) => world.subscribe(query, caller)));

      for (let sent = 0; sent < 2; sent++) await world.send("told");
      await Promise.all(subscribed.map(({ member }) => member.has(2)));

      for (const { member: { results, viewer } } of subscribed) {
        for (const { data, errors } of results) {
          assertEquals(data.messages, { value: viewer === ANN ? forAnn : forBob, content: "told" });
          assertEquals(errors?.[0].extensions.code, viewer === ANN ? undefined : "FORBIDDEN");
        }
      }
    }
  });
}

Deno.test("what asks for no scopes is executed once for all, whatever other fields ask for", async () => {
  let executions = 0;
  await using world = await openLiveWorld(createScopedSchema(() => executions++));
  const query = `subscription { messages(room: "lobby") { content } }`;
  const [{ member: ann }, { member: bob }] = [await world.subscribe(query, ANN), await world.subscribe(query, BOB)];

  for (let sent = 0; sent < 2; sent++) await world.send("told");
  await Promise.all([ann.has(2), bob.has(2)]);

  assertEquals(executions, 2);
});

Deno.test("G10 scopes of a subscription are asked of every subscriber, also of one who would share a selection", async () => {
  await using world = await openLiveWorld(createScopedSchema());
  const query = `subscription { messages(room: "lobby") { content } }`;
  await world.subscribe(query, ANN);

  const refusal = await assertRejects(() => world.subscribe(query, callerOf("mallory")));
  await world.subscribe(query, BOB);

  assertEquals(refusal.message, "Not for everybody");
  assertEquals([world.live.members, world.live.size], [2, 1]);
});
