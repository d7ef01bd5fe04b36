import {
  type DocumentNode,
  type ExecutionArgs,
  type FieldNode,
  getArgumentValues,
  type GraphQLField,
  GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  validateExecutionArgs,
} from "graphql";
import { collectPlainFields, SelectionPlan } from "./selection_plan.ts";

/** Arguments that graphql-js has checked, its variables coerced. */
type ValidArgs = Exclude<ReturnType<typeof validateExecutionArgs>, readonly unknown[]>;

/** What became of a mutation. */
export type Mutated =
  /** The whole answer, as JSON. */
  | { readonly json: string }
  /** Nothing has happened, or it has and only its answer is to be made: graphql-js does it with these arguments. */
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

  /** Runs the operation, if it has a plan. Never throws. */
  async run(operation: OperationDefinitionNode, args: ExecutionArgs): Promise<Mutated> {
    const plan = this.#planOf(operation, args);
    if (plan === undefined) return { args };
    const checked = validateExecutionArgs(args);
    if (!("schema" in checked)) return { args };
    let values;
    try {
      values = getArgumentValues(plan.field, plan.nodes[0]!, checked.variableValues);
    } catch {
      // Nothing has run yet: graphql-js will find the same, and say it.
      return { args };
    }
    const { contextValue } = checked;
    let outcome: unknown;
    try {
      outcome = await plan.field.resolve!(undefined, values, contextValue, infoOf(plan, checked));
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
}

function compileMutation(
  schema: GraphQLSchema,
  { operation, selectionSet }: OperationDefinitionNode,
  { definitions }: DocumentNode,
): MutationPlan | undefined {
  const parentType = schema.getMutationType();
  if (operation !== OperationTypeNode.MUTATION || parentType === null || parentType === undefined) return undefined;
  const fragments = Object.fromEntries(
    definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION).map((one) => [one.name.value, one]),
  );
  const fields = collectPlainFields(parentType, [selectionSet], { fragments });
  if (fields?.size !== 1) return undefined;
  const [[name, nodes]] = [...fields] as [[string, readonly FieldNode[]]];
  const field = parentType.getFields()[nodes[0]!.name.value];
  if (field?.resolve === undefined) return undefined;
  const payload = SelectionPlan.ofFields(nodes, field.type, { fragments });
  return payload && { parentType, field, nodes, name, jsonName: JSON.stringify(name), payload };
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

function infoOf({ parentType, field, nodes, name }: MutationPlan, args: ValidArgs): GraphQLResolveInfo {
  const { schema, fragmentDefinitions, operation, variableValues } = args;
  return {
    fieldName: field.name,
    fieldNodes: nodes,
    returnType: field.type,
    parentType,
    path: { prev: undefined, key: name, typename: parentType.name },
    schema,
    fragments: fragmentDefinitions,
    rootValue: undefined,
    operation,
    variableValues,
    // An operation of one field is not cut off: it ends when its field has.
    getAbortSignal: () => undefined,
    getAsyncHelpers: () => ({ promiseAll: (values) => Promise.all(values), track() {} }),
  };
}
