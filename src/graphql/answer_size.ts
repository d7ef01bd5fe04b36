import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getNamedType,
  getNullableType,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from "graphql";
import { pageSizeOf } from "./page_size.ts";

/** Variables as they came in, not coerced yet. */
export type RawVariables = Readonly<Record<string, unknown>> | null | undefined;

/** How many nodes, objects in lists, an operation may answer with these variables. */
export type AnswerSize = (variables: RawVariables) => number;

/**
 * Prepares the counting of an operation's nodes; undefined when it has none.
 *
 * The document must be valid. A list has as many nodes as the page it is of, and a list
 * in it as many again for each. One that nobody says the size of counts as one, and
 * introspection as nothing.
 */
export function answerSize(
  schema: GraphQLSchema,
  { definitions }: DocumentNode,
  operation: OperationDefinitionNode,
): AnswerSize | undefined {
  const root = schema.getRootType(operation.operation);
  if (root === null || root === undefined) return undefined;
  const fragments = new Map(
    definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION).map((one) => [one.name.value, one]),
  );
  const lists = new Counting(schema, operation, fragments).lists(root, [operation.selectionSet], one);
  return lists.length === 0 ? undefined : (variables) => total(lists, variables);
}

/** A list that is selected, and those in each of its nodes. */
interface List {
  readonly size: AnswerSize;
  readonly inner: readonly List[];
}

function total(lists: readonly List[], variables: RawVariables): number {
  let nodes = 0;
  for (const { size, inner } of lists) nodes += size(variables) * (1 + total(inner, variables));
  return nodes;
}

const one: AnswerSize = () => 1;

class Counting {
  readonly #schema: GraphQLSchema;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #defaults: ReadonlyMap<string, unknown>;

  constructor(
    schema: GraphQLSchema,
    { variableDefinitions = [] }: OperationDefinitionNode,
    fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  ) {
    this.#schema = schema;
    this.#fragments = fragments;
    this.#defaults = new Map(
      variableDefinitions.map(({ variable, defaultValue }) => [
        variable.name.value,
        defaultValue?.kind === Kind.INT ? Number(defaultValue.value) : undefined,
      ]),
    );
  }

  /** The lists of what is selected of a type; `page` is the size of those that have none of their own. */
  lists(type: GraphQLNamedType, selections: readonly SelectionSetNode[], page: AnswerSize): List[] {
    const found: List[] = [];
    for (const { parent, nodes } of this.#collect(type, selections)) {
      const field = this.#schema.getField(parent, nodes[0]!.name.value);
      const named = getNamedType(field?.type);
      if (field === undefined || !isCompositeType(named) || named.name.startsWith("__")) continue;
      const own = this.#ownSize(field, nodes[0]!);
      const isList = isListType(getNullableType(field.type));
      const subselections = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
      // A connection hands its page's size on to its edges and nodes.
      const inner = this.lists(named, subselections, isList ? one : own ?? one);
      if (isList) found.push({ size: own ?? page, inner });
      else found.push(...inner);
    }
    return found;
  }

  #ownSize(field: GraphQLField<unknown, unknown>, node: FieldNode): AnswerSize | undefined {
    const sizeOf = pageSizeOf(field);
    if (sizeOf === undefined) return undefined;
    const read = (name: string): AnswerArgument => this.#argument(node, name);
    const [first, last] = [read("first"), read("last")];
    return (variables) => sizeOf(first(variables) ?? last(variables));
  }

  /** What an argument of whole numbers is given; undefined when nothing, or nothing of use. */
  #argument({ arguments: given = [] }: FieldNode, name: string): AnswerArgument {
    const value = given.find((argument) => argument.name.value === name)?.value;
    if (value?.kind === Kind.INT) {
      const written = Number(value.value);
      return () => written;
    }
    if (value?.kind !== Kind.VARIABLE) return () => undefined;
    const variable = value.name.value;
    const fallback = this.#defaults.get(variable);
    return (variables) => {
      const sent = variables?.[variable] === undefined ? fallback : variables[variable];
      return typeof sent === "number" ? sent : undefined;
    };
  }

  /** The fields of a type, those that will be merged together: what stands in the answer once counts once. */
  #collect(type: GraphQLNamedType, selections: readonly SelectionSetNode[]): Iterable<Collected> {
    const fields = new Map<string, Collected>();
    const visited = new Set<string>();
    const visit = (parent: GraphQLNamedType, { selections }: SelectionSetNode): void => {
      for (const selection of selections) {
        if (selection.kind === Kind.FIELD) {
          if (!isObjectType(parent) && !isInterfaceType(parent)) continue;
          const key = `${parent.name} ${selection.alias?.value ?? selection.name.value}`;
          const same = fields.get(key);
          if (same === undefined) fields.set(key, { parent, nodes: [selection] });
          else same.nodes.push(selection);
        } else if (selection.kind === Kind.INLINE_FRAGMENT) {
          visit(this.#narrowed(parent, selection.typeCondition?.name.value), selection.selectionSet);
        } else if (!visited.has(selection.name.value)) {
          visited.add(selection.name.value);
          const fragment = this.#fragments.get(selection.name.value);
          if (fragment !== undefined) {
            visit(this.#narrowed(parent, fragment.typeCondition.name.value), fragment.selectionSet);
          }
        }
      }
    };
    for (const selectionSet of selections) visit(type, selectionSet);
    return fields.values();
  }

  #narrowed(parent: GraphQLNamedType, condition: string | undefined): GraphQLNamedType {
    return condition === undefined ? parent : this.#schema.getType(condition) ?? parent;
  }
}

type AnswerArgument = (variables: RawVariables) => number | undefined;

interface Collected {
  readonly parent: Parameters<GraphQLSchema["getField"]>[0];
  readonly nodes: FieldNode[];
}
