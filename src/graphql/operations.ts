import {
  createSourceEventStream,
  type DocumentNode,
  execute,
  type ExecutionArgs,
  type ExecutionResult,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  mapSourceToResponseEvent,
  type OperationDefinitionNode,
  type OperationTypeNode,
  validateSubscriptionArgs,
} from "graphql";
import type { Caller } from "../core/caller.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { Unfollow } from "../core/rooms.ts";
import type { Context } from "./context.ts";
import { checkVariables } from "./check_variables.ts";
import type { DocumentRates } from "./document_rates.ts";
import type { Documents } from "./documents.ts";
import { tooComplex } from "./errors.ts";
import type { LiveMember } from "./live_selection.ts";
import type { LiveOperation, LiveSelections } from "./live_selections.ts";
import { LiveSource } from "./live_source.ts";
import { MutationPlans } from "./mutation_plans.ts";

/** What a client asks, as it came in. */
export interface OperationRequest {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined;
}

/** An operation that has been parsed, validated and found. */
export interface Operation {
  readonly kind: OperationTypeNode;
  readonly text: string;
  readonly node: OperationDefinitionNode;
  readonly args: ExecutionArgs;
}

/** An operation, or why it cannot be run. */
export type PreparedOperation =
  | { readonly operation: Operation; readonly document: DocumentNode; readonly errors?: never }
  /** Without a document it could not even be parsed. */
  | {
    readonly operation?: never;
    readonly document: DocumentNode | undefined;
    readonly errors: readonly GraphQLError[];
  };

/** A running subscription, or why it cannot run. */
export type Subscribed =
  | { readonly errors: readonly GraphQLError[] }
  /** Events go to the member; the function ends them, once, and hears why. */
  | { readonly errors?: never; readonly leave: Unfollow }
  /** A field of the program's own that returned an ordinary iterable: unshared, pulled. */
  | { readonly errors?: never; readonly iterable: AsyncGenerator<ExecutionResult, void, void> };

/** What running operations needs. */
export interface OperationsDeps {
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
  /** Undefined: everybody may have as many new documents checked as they like. */
  readonly documentRates?: DocumentRates | undefined;
  readonly live: LiveSelections;
  /** Makes what was thrown presentable. */
  readonly mask: (error: unknown) => GraphQLError;
  /** Objects in lists that one answer may have. */
  readonly maxNodes: number;
}

/** Characters of a subscription's document and variables: both are kept for as long as it runs. */
const MAX_LIVE_CHARACTERS = 16 * 1024;

/**
 * Runs operations for every transport: one place for every check and every mask.
 */
export class Operations {
  readonly #deps: OperationsDeps;
  readonly #plans: MutationPlans;

  constructor(deps: OperationsDeps) {
    this.#deps = deps;
    this.#plans = new MutationPlans(deps.schema);
  }

  /** Whether a document has been found valid lately, and is at hand. */
  knows(text: string): boolean {
    return this.#deps.documents.knows(text);
  }

  /**
   * Parses, validates and picks the operation. Without a caller the program itself asks.
   *
   * @throws {RealtimeError} `RATE_LIMITED`: too much would have to be parsed for this caller
   */
  prepare(request: OperationRequest, caller?: Caller): PreparedOperation {
    const { schema, documents, documentRates, maxNodes } = this.#deps;
    const { query, operationName, variables } = request;
    if (documentRates !== undefined && caller !== undefined && !documents.knows(query)) {
      documentRates.charge(caller, query);
    }
    const { document, sizes, errors } = documents.check(query);
    if (errors !== undefined) return { document, errors };
    const node = getOperationAST(document, operationName);
    if (node === null || node === undefined) return { document, errors: [unknownOperation(operationName)] };
    const tooDeep = checkVariables(variables);
    if (tooDeep !== undefined) return { document, errors: [tooDeep] };
    const nodes = sizes?.get(node)?.(variables) ?? 0;
    if (nodes > maxNodes) return { document, errors: [tooManyNodes(nodes, maxNodes)] };
    const { hidesSuggestions: hideSuggestions } = documents;
    const args = { schema, document, operationName, variableValues: variables, hideSuggestions };
    return { document, operation: { kind: node.operation, text: query, node, args } };
  }

  /** Runs a query or a mutation; what goes wrong is in the result, masked. */
  async execute({ args }: Operation, contextValue: Context): Promise<ExecutionResult> {
    return await this.#execute({ ...args, contextValue });
  }

  /** The same, its result as JSON: the faster way when nobody wants to look into it. */
  async answer({ node, args }: Operation, contextValue: Context): Promise<string> {
    const runnable = { ...args, contextValue };
    const running = this.#plans.run(node, runnable);
    // Nothing is awaited before the one or the other has called its resolver.
    if (running === undefined) return JSON.stringify(await this.#execute(runnable));
    const mutated = await running;
    return "json" in mutated ? mutated.json : JSON.stringify(await this.#execute(mutated.args));
  }

  async #execute(args: ExecutionArgs): Promise<ExecutionResult> {
    const result = await execute(args);
    if (result.errors === undefined) return result;
    return { ...result, errors: result.errors.map(this.#deps.mask) };
  }

  /**
   * Begins a subscription.
   *
   * graphql-js itself calls the field's `subscribe`, once for each subscriber and with
   * the real viewer, so everything declared on the field holds: arguments, defaults,
   * authorization. `resume` is the cursor of a client that comes back; it counts before
   * what the arguments say. Never throws.
   */
  async subscribe(
    operation: Operation,
    context: Context,
    member: LiveMember,
    resume?: string,
  ): Promise<Subscribed> {
    const { mask } = this.#deps;
    const characters = operation.text.length + JSON.stringify(operation.args.variableValues ?? null).length;
    if (characters > MAX_LIVE_CHARACTERS) return { errors: [tooLargeToKeep(characters)] };
    try {
      const args = validateSubscriptionArgs({ ...operation.args, contextValue: context });
      if (!("schema" in args)) return { errors: args.map(mask) };
      const source = await createSourceEventStream(args);
      if (source instanceof LiveSource) {
        const from = resume === undefined ? source : source.resumed(resume);
        return { leave: await this.#follow(from, { text: operation.text, args }, { context, member }) };
      }
      if (!(Symbol.asyncIterator in source)) return { errors: (source.errors ?? []).map(mask) };
      return { iterable: mapSourceToResponseEvent(args, source) };
    } catch (error) {
      return { errors: [mask(error)] };
    }
  }

  /** A member first, then live: who joins by subscribing misses nothing from the join on. */
  async #follow(
    source: LiveSource,
    operation: LiveOperation,
    { context: { rooms, viewer }, member }: { readonly context: Context; readonly member: LiveMember },
  ): Promise<Unfollow> {
    const { mask, live } = this.#deps;
    let [stopped, leave, unfollow]: [boolean, () => void, Unfollow] = [false, () => {}, () => {}];
    const stop: Unfollow = (end) => {
      stopped = true;
      leave();
      unfollow(end);
    };
    try {
      // Its right may end at any moment, also before it is live.
      unfollow = await rooms.follow(viewer, source.request, (error) => {
        // What has ended meanwhile hears nothing more: its id may be another's.
        if (stopped) return;
        stop("REMOVED");
        member.fail([mask(error)]);
      });
      if (stopped) {
        unfollow("REMOVED");
        return stop;
      }
      const joining = live.join(source, operation, member);
      ({ leave } = joining);
      await joining.live;
      return stop;
    } catch (error) {
      stop("COMPLETED");
      throw error;
    }
  }
}

function tooManyNodes(nodes: number, limit: number): GraphQLError {
  return tooComplex(`Cannot answer with up to ${nodes} nodes: at most ${limit} are allowed, ask for fewer`, limit);
}

function tooLargeToKeep(characters: number): GraphQLError {
  const limit = MAX_LIVE_CHARACTERS;
  const message = `Cannot subscribe with ${characters} characters of document and variables: at most ${limit} ` +
    "are allowed";
  return new GraphQLError(message, { extensions: { code: "PAYLOAD_TOO_LARGE" satisfies ErrorCode, limit } });
}

function unknownOperation(name: string | null | undefined): GraphQLError {
  const message = name
    ? `Cannot run operation ${JSON.stringify(name)}: the document has none of that name`
    : "Cannot choose an operation: the document has none or several, name one with operationName";
  return new GraphQLError(message, { extensions: { code: "BAD_USER_INPUT" } });
}
