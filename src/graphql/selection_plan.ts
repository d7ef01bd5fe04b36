import {
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLID,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  GraphQLString,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from "graphql";
import { Blind, isPlain } from "./plain.ts";

/** What a selection is compiled against. */
export interface SelectionScope {
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>;
}

/** Writes a value as JSON text. Throws whenever graphql-js is to be asked instead. */
type Write = (value: unknown) => string;

/**
 * A selection of plain fields as a function from its source to JSON text.
 *
 * It writes what graphql-js would, byte for byte, or nothing; then graphql-js is to be
 * asked, which says what exactly is wrong. Plain resolvers may be run twice.
 *
 * | what it meets                             | when     | it gives up        |
 * | ----------------------------------------- | -------- | ------------------ |
 * | a directive, an argument, another type    | compiled | there is no plan   |
 * | an error, a null that must not be         | run      | this once          |
 * | a promise, no list where one must be      | run      | for good           |
 * | a resolver that looks around (`Blind`)    | run      | for good           |
 */
export class SelectionPlan {
  readonly #write: Write;
  readonly #blind: Blind;
  #isOff = false;

  private constructor(write: Write, blind: Blind) {
    this.#write = write;
    this.#blind = blind;
  }

  /**
   * The plan of what fields of one name select on their type, or undefined when
   * something in it is not plain.
   */
  static ofFields(fields: readonly FieldNode[], type: GraphQLOutputType, scope: SelectionScope) {
    return SelectionPlan.#compile((compiler) => compiler.value(type, fields), scope);
  }

  /**
   * The plan of a whole operation of plain root fields, whose source is the root value;
   * undefined when something in it is not plain.
   */
  static ofRoot(root: GraphQLObjectType, selectionSet: SelectionSetNode, scope: SelectionScope) {
    return SelectionPlan.#compile((compiler) => compiler.object(root, [selectionSet]), scope);
  }

  static #compile(compile: (compiler: Compiler) => Write, scope: SelectionScope): SelectionPlan | undefined {
    const blind = new Blind();
    try {
      return new SelectionPlan(compile(new Compiler(scope, blind)), blind);
    } catch (error) {
      if (error instanceof NotPlain) return undefined;
      throw error;
    }
  }

  /** The source's JSON; undefined when graphql-js is to be asked. */
  run(source: unknown): string | undefined {
    if (this.#isOff) return undefined;
    const { looks } = this.#blind;
    let text: string | undefined;
    try {
      text = this.#write(source);
    } catch (error) {
      // It would give the same answer the next time, and cost twice.
      if (error instanceof NotPlain) this.#isOff = true;
    }
    if (this.#blind.looks === looks) return text;
    this.#isOff = true;
    return undefined;
  }
}

/** The fields of an object type that a selection names, by the name each has in the answer. */
export function collectPlainFields(
  type: GraphQLObjectType,
  selections: readonly SelectionSetNode[],
  { fragments }: Pick<SelectionScope, "fragments">,
): ReadonlyMap<string, readonly FieldNode[]> | undefined {
  try {
    return collect(type, selections, fragments);
  } catch (error) {
    if (error instanceof NotPlain) return undefined;
    throw error;
  }
}

class NotPlain extends Error {
  override readonly name = "NotPlain";
}

class Compiler {
  readonly #scope: SelectionScope;
  readonly #blind: Blind;

  constructor(scope: SelectionScope, blind: Blind) {
    this.#scope = scope;
    this.#blind = blind;
  }

  value(type: GraphQLOutputType, fields: readonly FieldNode[]): Write {
    if (isNonNullType(type)) {
      const write = this.#present(type.ofType, fields);
      return (value) => {
        if (value === null || value === undefined) throw new TypeError("Cannot write null: this is never null");
        return write(value);
      };
    }
    const write = this.#present(type, fields);
    return (value) => value === null || value === undefined ? "null" : write(value);
  }

  #present(type: GraphQLOutputType, fields: readonly FieldNode[]): Write {
    if (isLeafType(type)) return writeLeaf(type);
    if (isListType(type)) return writeList(this.value(type.ofType, fields));
    if (isObjectType(type) && isPlain(type) && type.isTypeOf === undefined) {
      return this.object(type, fields.flatMap(({ selectionSet }) => selectionSet ?? []));
    }
    throw new NotPlain();
  }

  object(type: GraphQLObjectType, selections: readonly SelectionSetNode[]): Write {
    const fields = [...collect(type, selections, this.#scope.fragments)];
    const parts = fields.map(([name, same], index) => ({
      lead: `${index === 0 ? "{" : ","}${JSON.stringify(name)}:`,
      write: this.#field(type, same),
    }));
    return (source) => {
      refuseUnready(source);
      // graphql-js 17 takes empty braces for a selection.
      if (parts.length === 0) return "{}";
      let text = "";
      for (const { lead, write } of parts) text += lead + write(source);
      return text + "}";
    };
  }

  #field(parent: GraphQLObjectType, nodes: readonly FieldNode[]): Write {
    const [node] = nodes;
    const name = node!.name.value;
    if (name === "__typename") return constant(JSON.stringify(parent.name));
    const field = parent.getFields()[name];
    if (field?.resolve === undefined) throw new NotPlain();
    // A type of plain fields has none that takes arguments; what a plain field takes it does not look at.
    if (!isPlain(field) && (!isPlain(parent) || field.args.length > 0)) throw new NotPlain();
    const { resolve, type } = field;
    const { eyes } = this.#blind;
    const write = this.value(type, nodes);
    return (source) => write(resolve(source, eyes, eyes, eyes as Parameters<typeof resolve>[3]));
  }
}

function collect(
  type: GraphQLObjectType,
  selections: readonly SelectionSetNode[],
  fragments: SelectionScope["fragments"],
): Map<string, FieldNode[]> {
  const fields = new Map<string, FieldNode[]>();
  const visited = new Set<string>();
  const visit = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      // What a directive does may depend on variables.
      if ((selection.directives?.length ?? 0) > 0) throw new NotPlain();
      if (selection.kind === Kind.FIELD) {
        const name = selection.alias?.value ?? selection.name.value;
        const same = fields.get(name);
        if (same === undefined) fields.set(name, [selection]);
        else same.push(selection);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        visitFragment(selection.typeCondition?.name.value, selection.selectionSet);
      } else if (!visited.has(selection.name.value)) {
        visited.add(selection.name.value);
        const fragment = fragments[selection.name.value];
        if (fragment === undefined || (fragment.directives?.length ?? 0) > 0) throw new NotPlain();
        if ((fragment.variableDefinitions?.length ?? 0) > 0) throw new NotPlain();
        visitFragment(fragment.typeCondition.name.value, fragment.selectionSet);
      }
    }
  };
  const visitFragment = (condition: string | undefined, selectionSet: SelectionSetNode): void => {
    // A fragment on an interface may or may not apply: graphql-js knows.
    if (condition !== undefined && condition !== type.name) throw new NotPlain();
    visit(selectionSet);
  };
  for (const selectionSet of selections) visit(selectionSet);
  return fields;
}

function writeLeaf(type: GraphQLLeafType): Write {
  const isText = type === GraphQLString || type === GraphQLID;
  return (value) => {
    // Most fields are texts, and a text is what they are written as.
    if (isText && typeof value === "string") return JSON.stringify(value);
    refuseUnready(value);
    const text = JSON.stringify(type.coerceOutputValue(value) ?? undefined);
    if (text === undefined) throw new TypeError(`Cannot write a ${type.name} that is nothing`);
    return text;
  };
}

function writeList(write: Write): Write {
  return (value) => {
    if (!Array.isArray(value) || value.filter(isUnready).length > 0) throw new NotPlain();
    return `[${value.map(write).join(",")}]`;
  };
}

function constant(text: string): Write {
  return () => text;
}

/** An error is not a value, and a promise is none yet. */
function refuseUnready(value: unknown): void {
  if (value instanceof Error) throw value;
  if (isUnready(value)) throw new NotPlain();
}

/** Whether it is a promise. Nobody will wait for it: what it is rejected with must not end the process. */
function isUnready(value: unknown): boolean {
  if (typeof value !== "object" || value === null || !("then" in value) || typeof value.then !== "function") {
    return false;
  }
  value.then(() => {}, () => {});
  return true;
}
