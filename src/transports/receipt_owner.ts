import { type Caller, GUEST_PREFIX } from "../core/caller.ts";
import { shortHash } from "../core/hash.ts";
import type { Operation } from "../graphql/operations.ts";
import type { ReceiptOwner } from "./receipt_keeper.ts";

/** Who may come back to this operation by its id alone. */
export function receiptOwner(operationId: string, { text, args }: Operation, { principal }: Caller): ReceiptOwner {
  const { operationName, variableValues } = args;
  return {
    operationId,
    fingerprint: shortHash(JSON.stringify([text, operationName ?? null, variableValues ?? null])),
    userId: principal.userId.startsWith(GUEST_PREFIX) ? null : principal.userId,
  };
}
