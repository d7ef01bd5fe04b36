import type { GraphQLResolveInfo } from "graphql";
import type { Context } from "./context.ts";

/** What a mutation field is known by when its client sends it again; undefined when by nothing. */
export function attemptOf({ operationId }: Context, { path }: GraphQLResolveInfo): string | undefined {
  return operationId === undefined ? undefined : `${operationId}\0${path.key}`;
}
