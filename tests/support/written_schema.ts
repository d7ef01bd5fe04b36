import { buildSchema, type GraphQLFieldResolver, type GraphQLSchema, isAbstractType, isObjectType } from "graphql";
import type { Context } from "../../src/graphql/context.ts";
import { followMessages } from "./live_world.ts";

// deno-lint-ignore no-explicit-any -- tests resolve from whatever they returned before
type Resolver = GraphQLFieldResolver<any, Context, any, unknown>;

/** Resolvers by type and field; `__resolveType` chooses what an abstract type is. */
export type WrittenResolvers = Readonly<Record<string, Readonly<Record<string, Resolver>>>>;

/** A schema of these types, whose one subscription `messages` gives each delivery as an `Event`. */
export function createWrittenSchema(types: string, resolvers: WrittenResolvers): GraphQLSchema {
  const schema = buildSchema(`
    type Query { unused: String }
    type Subscription { messages(room: ID!, after: String, last: Int): Event }
    ${types}
  `);
  const messages = schema.getSubscriptionType()!.getFields()["messages"]!;
  messages.subscribe = followMessages;
  messages.resolve = (delivery) => delivery;
  for (const [typeName, fields] of Object.entries(resolvers)) {
    const type = schema.getType(typeName);
    for (const [fieldName, resolve] of Object.entries(fields)) {
      if (isAbstractType(type)) {
        type.resolveType = (value, context, info) => resolve(value, {}, context, info) as string | Promise<string>;
      } else if (isObjectType(type)) {
        type.getFields()[fieldName]!.resolve = resolve;
      } else {
        throw new TypeError(`Cannot resolve "${typeName}": no such type`);
      }
    }
  }
  return schema;
}
