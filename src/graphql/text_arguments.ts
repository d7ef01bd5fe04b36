import {
  type FieldNode,
  getArgumentValues,
  type GraphQLArgument,
  type GraphQLField,
  GraphQLID,
  type GraphQLSchema,
  GraphQLString,
  isNonNullType,
  Kind,
  type OperationDefinitionNode,
  typeFromAST,
} from "graphql";

/** The values of a field's arguments, by their names. */
export type ArgumentValues = Record<string, unknown>;

interface TextArgument {
  readonly name: string;
  readonly variable: string;
}

/**
 * A field's arguments where each one given is a variable of type String or ID.
 *
 * A text is coerced to itself: nothing needs to be asked of graphql-js. At anything else
 * in a variable it is to be asked, which also says what is wrong.
 */
export class TextArguments {
  readonly #given: readonly TextArgument[];
  readonly #others: ArgumentValues;

  private constructor(given: readonly TextArgument[], others: ArgumentValues) {
    this.#given = given;
    this.#others = others;
  }

  /** Undefined when some argument is something else. */
  static of(
    field: GraphQLField<unknown, unknown>,
    node: FieldNode,
    operation: OperationDefinitionNode,
    schema: GraphQLSchema,
  ): TextArguments | undefined {
    const texts = textVariables(operation, schema);
    const given: TextArgument[] = [];
    for (const { name, value } of node.arguments ?? []) {
      const argument = field.args.find((one) => one.name === name.value);
      if (argument === undefined || !isText(argument)) return undefined;
      if (value.kind !== Kind.VARIABLE || !texts.has(value.name.value)) return undefined;
      given.push({ name: name.value, variable: value.name.value });
    }
    const names = new Set(given.map(({ name }) => name));
    const missing = field.args.filter(({ name }) => !names.has(name));
    const withMissing: typeof field = Object.create(field, { args: { value: missing } });
    const others = getArgumentValues(withMissing, node);
    // Given to every call: only what nobody can change.
    if (Object.values(others).some((value) => typeof value === "object" && value !== null)) return undefined;
    return new TextArguments(given, others);
  }

  /** The values; undefined when graphql-js is to be asked. */
  read(variables: Readonly<Record<string, unknown>> | null | undefined): ArgumentValues | undefined {
    const values: ArgumentValues = { __proto__: null, ...this.#others };
    for (const { name, variable } of this.#given) {
      const value = variables?.[variable];
      if (typeof value !== "string") return undefined;
      values[name] = value;
    }
    return values;
  }
}

/** The variables whose values, when they are texts, are what resolvers get. */
function textVariables(operation: OperationDefinitionNode, schema: GraphQLSchema): ReadonlySet<string> {
  const texts = (operation.variableDefinitions ?? []).filter(({ type }) => {
    const resolved = typeFromAST(schema, type);
    const inner = isNonNullType(resolved) ? resolved.ofType : resolved;
    return inner === GraphQLString || inner === GraphQLID;
  });
  return new Set(texts.map(({ variable }) => variable.name.value));
}

function isText({ type }: GraphQLArgument): boolean {
  const inner = isNonNullType(type) ? type.ofType : type;
  return inner === GraphQLString || inner === GraphQLID;
}
