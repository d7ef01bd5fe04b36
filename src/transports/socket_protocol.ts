import type { GraphQLError } from "graphql";
import { makeServer, type Server } from "graphql-ws";
import { ulid } from "@std/ulid";
import { TokenExpired } from "../core/auth.ts";
import { parseSessionId } from "../core/caller.ts";
import type { Receipt } from "../core/engine.ts";
import { RealtimeError } from "../core/errors.ts";
import type { Context } from "../graphql/context.ts";
import type { ErrorMask } from "../graphql/errors.ts";
import type { Operation, Operations, Subscribed } from "../graphql/operations.ts";
import { type AdmissionDeps, admit, admitByOperation } from "./admission.ts";
import { CLOSE_CODES, CONNECT_REFUSALS } from "./close_codes.ts";
import type { DocumentTurns } from "./document_turns.ts";
import { Endless } from "./endless.ts";
import { connectionCredentials } from "./identify.ts";
import { continueSession } from "./continued_session.ts";
import type { ReceiptKeeper } from "./receipt_keeper.ts";
import { type ReceiptOwner, receiptOwner } from "./receipt_owner.ts";
import { ResumeEntries } from "./resume_entries.ts";
import { callerOf, operationToken, type SocketRequest } from "./operation_caller.ts";
import type { RunningOperation } from "./running_operation.ts";
import { sendErrors } from "./socket_answer.ts";
import type { SocketConnection } from "./socket_connection.ts";
import { runSocketExecution } from "./socket_execution.ts";
import { runSocketIteration } from "./socket_iteration.ts";
import { SocketMember } from "./socket_member.ts";

/** What the protocol needs. */
export interface SocketProtocolDeps extends AdmissionDeps {
  readonly operations: Operations;
  readonly turns: DocumentTurns;
  readonly mask: ErrorMask;
  readonly keeper: ReceiptKeeper;
  readonly limits: SocketProtocolLimits;
  /** The cookie that may hold a token. */
  readonly tokenCookie: string;
}

/** Bounds of one connection. */
export interface SocketProtocolLimits {
  readonly operationIdCharacters: number;
  readonly subscriptionsPerConnection: number;
}

/** Operations of one connection that may run at once, subscriptions and all. */
const MAX_OPERATIONS = 1_000;

/** An operation as makeServer knows it. */
interface SocketOperation {
  readonly connection: SocketConnection;
  readonly id: string;
  /** The ids that makeServer takes for taken. */
  readonly subscriptions: Record<string, unknown>;
}

/** A subscription that is being begun. */
interface Beginning {
  readonly running: RunningOperation;
  readonly operation: Operation;
  readonly context: Context;
}

/**
 * What makeServer is told of an operation whose end has been told already: nothing.
 *
 * Each time another promise. One that lives for ever would keep all who wait for it.
 */
function never(): Promise<never> {
  return new Promise(() => {});
}

/**
 * graphql-transport-ws as graphql-ws's `makeServer` speaks it.
 *
 * makeServer owns the protocol: acknowledgement, ids, close codes. Operations are
 * prepared, run and ended here: what they have to say goes straight to the outbox, and
 * every error of an operation is an `error` message for its id, so the socket and its
 * other subscriptions live on.
 */
export function createSocketProtocol(deps: SocketProtocolDeps): Server<SocketConnection> {
  const { operations, turns, mask, limits } = deps;

  return makeServer<Record<string, unknown>, SocketConnection>({
    // The connection waits itself: makeServer's timer would be kept for as long as the socket.
    connectionInitWaitTimeout: 0,

    async onConnect({ extra: connection, connectionParams }) {
      connection.initiated();
      try {
        const identity = await identify(connection, connectionParams ?? {}, deps);
        // Gone while we asked who it is: nothing was opened that would have to be closed.
        if (connection.closed || connection.ending !== undefined) return false;
        const { principal, sessionId, resume, namesSession } = identity;
        connection.resume = resume;
        connection.sessionId = sessionId;
        connection.namesSession = namesSession;
        if (principal === undefined) connection.awaitToken();
        else admit(connection, principal, deps);
        return { sessionId, userId: principal?.userId ?? null };
      } catch (error) {
        const refusal = error instanceof RealtimeError ? error : undefined;
        if (refusal === undefined) mask(error);
        // Closed here, before makeServer would with 4403, which clients retry for ever.
        connection.end(
          refusal instanceof TokenExpired
            ? CLOSE_CODES.tokenExpired
            : CONNECT_REFUSALS[refusal?.code ?? "INTERNAL_SERVER_ERROR"],
          refusal?.message ?? "Internal server error",
        );
        return false;
      }
    },

    onSubscribe({ extra: connection, subscriptions }, id, payload) {
      const known = connection.operation(id);
      if (known !== undefined && known.runs) {
        connection.end(CLOSE_CODES.subscriberAlreadyExists, `Subscriber for ${id} already exists`);
        return never();
      }
      // makeServer takes the id for free: the client has completed what had not answered yet.
      known?.end("COMPLETED");
      const operation: SocketOperation = { connection, id, subscriptions };
      try {
        checkId(id, limits.operationIdCharacters);
        checkCount(connection.running, MAX_OPERATIONS, "operations");
        const token = operationToken(payload);
        if (token !== undefined && deps.authenticator.needsToken) {
          const admitted = admitByOperation(connection, token, deps)
            .then(() => turns.enter(connection, payload.query));
          beginLater(operation, payload, admitted).catch((error: unknown) => connection.fail(error));
        } else if (connection.tokensByOperation) {
          throw new RealtimeError("UNAUTHENTICATED", "Cannot do this without a token (Authorization: Bearer …)");
        } else {
          const turn = turns.enter(connection, payload.query);
          if (turn === undefined) begin(operation, payload);
          else beginLater(operation, payload, turn).catch((error: unknown) => connection.fail(error));
        }
      } catch (error) {
        refuse(operation, [mask(error)]);
      }
      // makeServer keeps the id, and hears no more of it.
      return never();
    },

    onPong({ extra: connection }, payload) {
      connection.receipts.answered(payload);
    },
  });

  /** Begins an operation once this resolves: it is known whose its own token is, or it is its turn. */
  async function beginLater(
    socketOperation: SocketOperation,
    request: SocketRequest,
    ready: Promise<void>,
  ): Promise<void> {
    const { connection, id, subscriptions } = socketOperation;
    // Holds the id meanwhile, and counts.
    const waiting = connection.start(id, false);
    let refusal: unknown;
    try {
      await ready;
    } catch (error) {
      refusal = error;
    }
    // Its client has given the id to another operation since.
    if (waiting.ended) return;
    waiting.end("COMPLETED");
    if (!(id in subscriptions)) return;
    try {
      if (refusal !== undefined) throw refusal;
      // Nobody was let in, because the connection is about to close.
      if (connection.caller !== undefined) begin(socketOperation, request);
    } catch (error) {
      refuse(socketOperation, [mask(error)]);
    }
  }

  /** Begins an operation. A throw is its refusal, and then nothing has begun. */
  function begin(socketOperation: SocketOperation, request: SocketRequest): void {
    const { connection, id, subscriptions } = socketOperation;
    const { operation, errors } = operations.prepare(request, connection.caller!);
    if (errors !== undefined) return refuse(socketOperation, errors.map(mask));
    const context: Context = {
      rooms: deps.rooms,
      viewer: callerOf(connection.caller!, request),
      ...(deps.keeper.keeps(id) ? { operationId: id } : {}),
    };
    if (operation.kind === "subscription") {
      checkCount(connection.subscriptions, limits.subscriptionsPerConnection, "subscriptions");
      const running = connection.start(id, true);
      subscribe(socketOperation, { running, operation, context })
        .catch((error: unknown) => connection.fail(error));
    } else {
      const running = connection.start(id, false);
      runSocketExecution({ connection, running, operation, context, operations, subscriptions })
        .catch((error: unknown) => connection.fail(error));
    }
  }

  async function subscribe(socketOperation: SocketOperation, beginning: Beginning): Promise<void> {
    const { connection, id, subscriptions } = socketOperation;
    const { running } = beginning;
    const subscribed = await follow(socketOperation, beginning).catch((error) => ({ errors: [mask(error)] }));
    if (subscribed.errors !== undefined) {
      // Ended while it was being begun: the id may be another's.
      if (running.ended) return;
      running.end("COMPLETED");
      return refuse(socketOperation, subscribed.errors);
    }
    // Nobody waits for the iterable of a program's own field to be closed.
    running.begin("leave" in subscribed ? subscribed.leave : () => void subscribed.iterable.return().catch(mask));
    if (running.ended) return;
    // Completed while it was being begun.
    if (!(id in subscriptions)) return running.end("COMPLETED");
    // makeServer is to tell of its client's complete, and has nothing else to do with it.
    subscriptions[id] = new Endless(running);
    if ("iterable" in subscribed) {
      await runSocketIteration({ connection, running, iterable: subscribed.iterable, subscriptions, mask });
    }
  }

  async function follow(
    { connection, id, subscriptions }: SocketOperation,
    { running, operation, context }: Beginning,
  ): Promise<Subscribed> {
    const { viewer } = context;
    const owner = deps.keeper.keeps(id)
      ? receiptOwner(id, operation, { caller: viewer, isNameless: connection.isNameless })
      : undefined;
    // Recalled in any case: what still runs under this id ends there.
    const receipt = owner === undefined ? undefined : await recall(connection, owner);
    // What cannot be read may have been anything: as a cursor it is none, and that counts as a loss.
    const resume = connection.resume?.take(id) ?? (receipt === "unreadable" ? "" : receipt?.cursor);
    const earned = receipt !== undefined && receipt !== "unreadable" && receipt.answered;
    const member = new SocketMember({ connection, viewer, running, subscriptions, owner, earned });
    connection.isFollowing = true;
    return await operations.subscribe(operation, context, member, resume);
  }

  /** Finds how far a subscription's client had got, and continues the session it had then. */
  async function recall(
    connection: SocketConnection,
    owner: ReceiptOwner,
  ): Promise<Receipt | "unreadable" | undefined> {
    const recalling = deps.keeper.recall(owner).then((receipt) => {
      if (receipt !== undefined && receipt !== "unreadable") continueSession(connection, receipt, deps);
      return receipt;
    });
    connection.continuing = recalling;
    try {
      return await recalling;
    } finally {
      // Another operation's may have begun since.
      if (connection.continuing === recalling) connection.continuing = undefined;
    }
  }
}

/**
 * Says that an operation cannot be run, and frees its id.
 *
 * At once: makeServer would say it later, when its client may have completed it and
 * given the id to another operation, which then ended with that error.
 */
function refuse({ connection, id, subscriptions }: SocketOperation, errors: readonly GraphQLError[]): void {
  if (!(id in subscriptions)) return;
  delete subscriptions[id];
  sendErrors(connection.outbox, id, errors);
}

async function identify(
  connection: SocketConnection,
  parameters: Readonly<Record<string, unknown>>,
  deps: SocketProtocolDeps,
) {
  const { sessionId } = parameters;
  const resume = ResumeEntries.parse(parameters.resume);
  const credentials = connectionCredentials(parameters, connection.arrival!, deps.tokenCookie);
  const namesSession = sessionId !== undefined && sessionId !== null;
  const named = namesSession ? parseSessionId(sessionId) : ulid();
  const isNobody = deps.authenticator.needsToken && credentials.token === null;
  const principal = isNobody ? undefined : await deps.authenticator.authenticate(credentials, connection.network);
  return { principal, sessionId: named, namesSession, resume };
}

function checkCount(count: number, limit: number, what: string): void {
  if (count < limit) return;
  throw new RealtimeError("SUBSCRIPTION_LIMIT", `Cannot run more than ${limit} ${what} on one connection`, { limit });
}

function checkId(id: string, maxCharacters: number): void {
  if (id.length > maxCharacters) {
    throw new RealtimeError(
      "BAD_USER_INPUT",
      `Cannot use an operation id of ${id.length} characters: at most ${maxCharacters} are allowed`,
      { limit: maxCharacters },
    );
  }
}
