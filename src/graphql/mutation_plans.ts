import {
  type DocumentNode,
  type ExecutionArgs,
  type FieldNode,
  type FragmentDefinitionNode,
  getArgumentValues,
  type GraphQLField,
  GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  validateExecutionArgs,
} from "graphql";
import { collectPlainFields, SelectionPlan } from "./selection_plan.ts";
import { type ArgumentValues, TextArguments } from "./text_arguments.ts";

/** Arguments that graphql-js has checked, its variables coerced. */
type ValidArgs = Exclude<ReturnType<typeof validateExecutionArgs>, readonly unknown[]>;

/** What became of a mutation. */
export type Mutated =
  /** The whole answer, as JSON. */
  | { readonly json: string }
  /** Its answer is still to be made: graphql-js does it with these arguments. */
  | { readonly args: ExecutionArgs };

/**
 * Runs mutations of one field whose payload is plain, without executing what can be
 * known from the document alone.
 *
 * graphql-js still coerces variables and arguments. The resolver runs once, whatever
 * comes of it: an answer that is not plain data, errors first of all, is left to
 * graphql-js, which is given the outcome in place of the resolver.
 */
export class MutationPlans {
  readonly #schema: GraphQLSchema;
  readonly #plans = new WeakMap<OperationDefinitionNode, MutationPlan | "none">();
  /** For each field the schema in which its outcome is known already. */
  readonly #settled = new Map<string, GraphQLSchema>();

  constructor(schema: GraphQLSchema) {
    this.#schema = schema;
  }

  /**
   * Runs the operation; undefined when graphql-js is to run it, and nothing has happened
   * yet. The resolver is called before this returns: a connection's operations are run in
   * the order they came. The promise never rejects.
   */
  run(operation: OperationDefinitionNode, args: ExecutionArgs): Promise<Mutated> | undefined {
    const plan = this.#planOf(operation, args);
    if (plan === undefined) return undefined;
    const values = plan.texts?.read(args.variableValues) ?? coerceArguments(plan, args);
    return values && this.#run(plan, values, args);
  }

  async #run(plan: MutationPlan, values: ArgumentValues, args: ExecutionArgs): Promise<Mutated> {
    let outcome: unknown;
    try {
      outcome = await plan.field.resolve!(undefined, values, args.contextValue, new MutationInfo(plan, args));
    } catch (error) {
      return this.#settle(plan, args, () => {
        throw error;
      });
    }
    const payload = plan.payload.run(outcome);
    if (payload === undefined) return this.#settle(plan, args, () => outcome);
    return { json: `{"data":{${plan.jsonName}:${payload}}}` };
  }

  #planOf(operation: OperationDefinitionNode, { document }: ExecutionArgs): MutationPlan | undefined {
    let plan = this.#plans.get(operation);
    if (plan === undefined) {
      plan = compileMutation(this.#schema, operation, document) ?? "none";
      this.#plans.set(operation, plan);
    }
    return plan === "none" ? undefined : plan;
  }

  #settle({ field }: MutationPlan, args: ExecutionArgs, rootValue: Settled): Mutated {
    let schema = this.#settled.get(field.name);
    if (schema === undefined) {
      schema = settledSchema(this.#schema, field.name);
      this.#settled.set(field.name, schema);
    }
    return { args: { ...args, schema, rootValue } };
  }
}

/** Gives what the resolver gave, or throws what it threw. */
type Settled = () => unknown;

interface MutationPlan {
  readonly parentType: GraphQLObjectType;
  readonly field: GraphQLField<unknown, unknown>;
  readonly nodes: readonly FieldNode[];
  /** Its name in the answer; and as JSON. */
  readonly name: string;
  readonly jsonName: string;
  readonly payload: SelectionPlan;
  readonly operation: OperationDefinitionNode;
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  /** Undefined when arguments must be coerced. */
  readonly texts: TextArguments | undefined;
}

function compileMutation(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  { definitions }: DocumentNode,
): MutationPlan | undefined {
  const parentType = schema.getMutationType();
  if (operation.operation !== OperationTypeNode.MUTATION || parentType === null || parentType === undefined) {
    return undefined;
  }
  const fragments = Object.fromEntries(
    definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION).map((one) => [one.name.value, one]),
  );
  const fields = collectPlainFields(parentType, [operation.selectionSet], { fragments });
  if (fields?.size !== 1) return undefined;
  const [[name, nodes]] = [...fields] as [[string, readonly FieldNode[]]];
  const field = parentType.getFields()[nodes[0]!.name.value];
  if (field?.resolve === undefined) return undefined;
  const payload = SelectionPlan.ofFields(nodes, field.type, { fragments });
  if (payload === undefined) return undefined;
  const texts = TextArguments.of(field, nodes[0]!, operation, schema);
  return { parentType, field, nodes, name, jsonName: JSON.stringify(name), payload, operation, fragments, texts };
}

/** The same schema, with one mutation, whose outcome is what the root value gives. */
function settledSchema(schema: GraphQLSchema, name: string): GraphQLSchema {
  const config = schema.toConfig();
  const root = config.mutation!;
  const { [name]: field, ...rest } = root.toConfig().fields;
  const mutation = new GraphQLObjectType({
    name: root.name,
    fields: { ...rest, [name]: { ...field!, resolve: (settled: Settled) => settled() } },
  });
  return new GraphQLSchema({
    ...config,
    mutation,
    types: config.types.filter((type) => type !== root),
    assumeValid: true,
  });
}

/** Undefined when variables or arguments are wrong. */
function coerceArguments({ field, nodes }: MutationPlan, args: ExecutionArgs): ArgumentValues | undefined {
  const checked = validateExecutionArgs(args);
  if (!("schema" in checked)) return undefined;
  try {
    return getArgumentValues(field, nodes[0]!, checked.variableValues);
  } catch {
    return undefined;
  }
}

/** What graphql-js would tell the resolver; what takes time to make is made when it is asked for. */
class MutationInfo implements GraphQLResolveInfo {
  readonly path: GraphQLResolveInfo["path"];
  readonly rootValue = undefined;
  readonly #plan: MutationPlan;
  readonly #args: ExecutionArgs;

  constructor(plan: MutationPlan, args: ExecutionArgs) {
    this.path = { prev: undefined, key: plan.name, typename: plan.parentType.name };
    this.#plan = plan;
    this.#args = args;
  }

  get fieldName(): string {
    return this.#plan.field.name;
  }

  get fieldNodes(): readonly FieldNode[] {
    return this.#plan.nodes;
  }

  get returnType(): GraphQLOutputType {
    return this.#plan.field.type;
  }

  get parentType(): GraphQLObjectType {
    return this.#plan.parentType;
  }

  get schema(): GraphQLSchema {
    return this.#args.schema;
  }

  get fragments(): GraphQLResolveInfo["fragments"] {
    return this.#plan.fragments;
  }

  get operation(): OperationDefinitionNode {
    return this.#plan.operation;
  }

  get variableValues(): GraphQLResolveInfo["variableValues"] {
    return (validateExecutionArgs(this.#args) as ValidArgs).variableValues;
  }

  /** An operation of one field is not cut off: it ends when its field has. */
  getAbortSignal(): undefined {}

  getAsyncHelpers(): ReturnType<GraphQLResolveInfo["getAsyncHelpers"]> {
    return { promiseAll: (values) => Promise.all(values), track() {} };
  }
}
