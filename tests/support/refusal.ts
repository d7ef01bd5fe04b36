import { assertRejects } from "@std/assert";
import { RealtimeError } from "../../src/core/errors.ts";

/** The refusal that a call is answered with; anything else fails the test. */
export function refusal(call: () => Promise<unknown>): Promise<RealtimeError> {
  return assertRejects(call, RealtimeError);
}
