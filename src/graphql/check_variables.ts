import { GraphQLError } from "graphql";
import type { ErrorCode } from "../core/errors.ts";
import { isDeeperThan } from "../core/json_depth.ts";
import { MAX_DATA_LEVELS } from "../core/messages.ts";
import type { RawVariables } from "./answer_size.ts";

/** Arrays and objects one within the other that the variables may be: an object with a message's data in it. */
export const MAX_VARIABLE_LEVELS = 1 + MAX_DATA_LEVELS;

/**
 * Refuses variables that are nested too deeply, before anybody walks through them: they
 * may be deep enough to overflow a stack.
 */
export function checkVariables(variables: RawVariables): GraphQLError | undefined {
  if (variables === undefined || variables === null) return undefined;
  // Most are texts and numbers: nothing is looked into then.
  for (const name in variables) {
    const value = variables[name];
    if (typeof value !== "object" || value === null) continue;
    return isDeeperThan(variables, MAX_VARIABLE_LEVELS) ? tooDeep() : undefined;
  }
  return undefined;
}

function tooDeep(): GraphQLError {
  return new GraphQLError(
    `Cannot read the variables: nested more than ${MAX_VARIABLE_LEVELS} arrays and objects deep`,
    { extensions: { code: "BAD_USER_INPUT" satisfies ErrorCode, limit: MAX_VARIABLE_LEVELS } },
  );
}
