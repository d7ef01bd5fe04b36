import type { ExecutionArgs, ExecutionResult } from "graphql";
import { makeServer, type Server } from "graphql-ws";
import { ulid } from "@std/ulid";
import { TokenExpired } from "../core/auth.ts";
import { parseSessionId } from "../core/caller.ts";
import type { Receipt } from "../core/engine.ts";
import { RealtimeError } from "../core/errors.ts";
import type { Context } from "../graphql/context.ts";
import type { ErrorMask } from "../graphql/errors.ts";
import type { Operation, Operations } from "../graphql/operations.ts";
import { type AdmissionDeps, admit, admitByOperation } from "./admission.ts";
import { CLOSE_CODES, CONNECT_REFUSALS } from "./close_codes.ts";
import { Endless } from "./endless.ts";
import { connectionCredentials } from "./identify.ts";
import { continueSession } from "./continued_session.ts";
import type { ReceiptKeeper } from "./receipt_keeper.ts";
import { type ReceiptOwner, receiptOwner } from "./receipt_owner.ts";
import { ResumeEntries } from "./resume_entries.ts";
import { callerOf, operationToken, type SocketRequest } from "./operation_caller.ts";
import type { SocketConnection } from "./socket_connection.ts";
import { runSocketExecution } from "./socket_execution.ts";
import { SocketMember } from "./socket_member.ts";

/** What the protocol needs. */
export interface SocketProtocolDeps extends AdmissionDeps {
  readonly operations: Operations;
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

/** Arguments of graphql-js that carry what makeServer is to iterate: an iterable of the program's own. */
interface IterableArgs extends ExecutionArgs {
  readonly iterable: AsyncGenerator<ExecutionResult, void, void>;
}

type Subscriptions = Record<string, unknown>;

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
 * prepared, run and ended here: live events go straight to the outbox, and every error
 * of an operation is an `error` message for its id, so the socket and its other
 * subscriptions live on.
 */
export function createSocketProtocol(deps: SocketProtocolDeps): Server<SocketConnection> {
  const { operations, mask, limits } = deps;

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

    async onSubscribe({ extra: connection, subscriptions }, id, payload) {
      // Its last words have been said: what is asked now is asked again on the next connection.
      if (connection.ending !== undefined) return await never();
      const known = connection.operation(id);
      if (known !== undefined && known.runs) {
        connection.end(CLOSE_CODES.subscriberAlreadyExists, `Subscriber for ${id} already exists`);
        return [mask(new RealtimeError("BAD_USER_INPUT", "Cannot use an operation id twice at once"))];
      }
      // makeServer takes the id for free: the client has completed what had not answered yet.
      known?.end("COMPLETED");
      try {
        checkId(id, limits.operationIdCharacters);
        checkCount(connection.running, MAX_OPERATIONS, "operations");
        const token = operationToken(payload);
        if (token !== undefined && deps.authenticator.needsToken) {
          const isAdmitted = await admitAs(connection, id, token, subscriptions);
          if (!isAdmitted) return await never();
        } else if (connection.tokensByOperation) {
          throw new RealtimeError("UNAUTHENTICATED", "Cannot do this without a token");
        }
        return await begin(connection, id, payload, subscriptions);
      } catch (error) {
        return [mask(error)];
      }
    },

    onPong({ extra: connection }, payload) {
      connection.receipts.answered(payload);
    },

    // Nothing else comes this far: queries and mutations are run past makeServer.
    subscribe: (args) => (args as IterableArgs).iterable,

    // An iterable of the program's own has ended by itself.
    onComplete({ extra: connection }, id) {
      connection.operation(id)?.end("COMPLETED");
    },
    // Only the program's own iterables come here: everything else is masked where it is run.
    onNext(_context, _id, _payload, _args, { data, errors, extensions }) {
      if (errors === undefined) return;
      const masked = { data: data ?? null, errors: errors.map((error) => mask(error).toJSON()) };
      return extensions === undefined ? masked : { ...masked, extensions };
    },
    onError: (_context, _id, _payload, errors) => errors.map((error) => mask(error).toJSON()),
  });

  /** Lets an operation in by its own token. False when it has been completed meanwhile. */
  async function admitAs(connection: SocketConnection, id: string, token: string, subscriptions: Subscriptions) {
    // Holds the id meanwhile, and counts.
    const waiting = connection.start(id, false);
    try {
      await admitByOperation(connection, token, deps);
      return !waiting.ended && id in subscriptions && connection.caller !== undefined;
    } finally {
      waiting.end("COMPLETED");
    }
  }

  async function begin(
    connection: SocketConnection,
    id: string,
    request: SocketRequest,
    subscriptions: Subscriptions,
  ) {
    const { operation, errors } = operations.prepare(request);
    if (errors !== undefined) return errors.map(mask);
    const context: Context = {
      rooms: deps.rooms,
      viewer: callerOf(connection.caller!, request),
      ...(deps.keeper.keeps(id) ? { operationId: id } : {}),
    };
    if (operation.kind === "subscription") return await subscribe(connection, id, operation, context, subscriptions);
    const running = connection.start(id, false);
    runSocketExecution({ connection, running, operation, context, operations, subscriptions })
      .catch((error: unknown) => connection.fail(error));
    // makeServer keeps the id, and hears no more of it.
    return await never();
  }

  async function subscribe(
    connection: SocketConnection,
    id: string,
    operation: Operation,
    context: Context,
    subscriptions: Subscriptions,
  ) {
    checkCount(connection.subscriptions, limits.subscriptionsPerConnection, "subscriptions");
    const running = connection.start(id, true);
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
    const subscribed = await operations.subscribe(operation, context, member, resume);
    if (running.ended) {
      // Ended while it was being begun. makeServer would take its outcome for that of
      // whoever has the id now, so it never hears of one.
      if ("leave" in subscribed) running.begin(subscribed.leave);
      else if ("iterable" in subscribed) void subscribed.iterable.return().catch(mask);
      return await never();
    }
    if (subscribed.errors !== undefined) {
      running.end("COMPLETED");
      return subscribed.errors;
    }
    if ("leave" in subscribed) {
      running.begin(subscribed.leave);
      // makeServer is to tell of its client's complete, and has nothing else to do with it.
      if (id in subscriptions) subscriptions[id] = new Endless(running);
      // Completed while it was being begun.
      else running.end("COMPLETED");
      return await never();
    }
    const { iterable } = subscribed;
    // Nobody waits for the iterable of a program's own field to be closed.
    running.begin(() => void iterable.return().catch(mask));
    const args: IterableArgs = { ...operation.args, contextValue: context, rootValue: undefined, iterable };
    return args;
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

async function identify(
  connection: SocketConnection,
  parameters: Readonly<Record<string, unknown>>,
  { authenticator, tokenCookie }: SocketProtocolDeps,
) {
  const { sessionId } = parameters;
  const resume = ResumeEntries.parse(parameters.resume);
  const credentials = connectionCredentials(parameters, connection.arrival!, tokenCookie);
  const namesSession = sessionId !== undefined && sessionId !== null;
  const named = namesSession ? parseSessionId(sessionId) : ulid();
  const isNobody = authenticator.needsToken && credentials.token === null;
  const principal = isNobody ? undefined : await authenticator.authenticate(credentials);
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
