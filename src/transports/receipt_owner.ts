import { type Caller, GUEST_PREFIX } from "../core/caller.ts";
import type { Receipt } from "../core/engine.ts";
import { shortHash } from "../core/hash.ts";
import type { RoomName } from "../core/room_name.ts";
import type { Operation } from "../graphql/operations.ts";

/** Who may come back to an operation by its id alone. */
export interface ReceiptOwner {
  readonly operationId: string;
  /** Stands for the document and its variables. */
  readonly fingerprint: string;
  /** Who runs it, in which session. */
  readonly caller: Caller;
  /** Whether it is a guest without a cookie: it may have been another guest before. */
  readonly isNameless: boolean;
}

/** What a receipt is made of. */
export interface Kept {
  readonly owner: ReceiptOwner;
  /** Everything up to here has reached the client. */
  readonly confirmed: string;
  /** Whether its client has ever answered: on this connection, or on one it came back from. */
  readonly earned: boolean;
}

const NO_ROOMS: readonly RoomName[] = [];

/** Who may come back to this operation. */
export function receiptOwner(
  operationId: string,
  { text, args }: Operation,
  { caller, isNameless }: Pick<ReceiptOwner, "caller" | "isNameless">,
): ReceiptOwner {
  const { operationName, variableValues } = args;
  const fingerprint = shortHash(JSON.stringify([text, operationName ?? null, variableValues ?? null]));
  return { operationId, fingerprint, caller, isNameless };
}

/** The receipt that says how far an operation's client has got. */
export function receiptOf({ owner, confirmed, earned }: Kept): Receipt {
  const { operationId, fingerprint, caller: { principal: { userId }, sessionId, session } } = owner;
  const rooms = session === undefined || session.rooms.size === 0 ? NO_ROOMS : [...session.rooms];
  return { operationId, cursor: confirmed, fingerprint, userId, sessionId, rooms, answered: earned };
}

/** Whether a receipt is this owner's. A guest without a cookie is known by the operation alone. */
export function isReceiptOf({ fingerprint, userId }: Receipt, owner: ReceiptOwner): boolean {
  if (fingerprint !== owner.fingerprint) return false;
  const { userId: asking } = owner.caller.principal;
  if (userId === asking) return true;
  return owner.isNameless && userId.startsWith(GUEST_PREFIX) && asking.startsWith(GUEST_PREFIX);
}
