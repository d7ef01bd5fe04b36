import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  NoFragmentCyclesRule,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  validate,
} from "graphql";
import { tooComplex, withCode } from "./errors.ts";

/** What each operation and each fragment of a document may have, its fragments expanded. */
export interface ShapeLimits {
  /** Fields one within the other, outside introspection. */
  readonly documentDepth: number;
  /** Aliases. */
  readonly documentAliases: number;
  /** Fields. */
  readonly documentFields: number;
}

/** What the introspection query of GraphiQL and code generators needs. */
const MAX_INTROSPECTION_DEPTH = 15;
/** Directives of what is expanded: each is looked at for each place it stands in. */
const MAX_DIRECTIVES = 50;
/**
 * Fields that stand in a selection already. They are merged, but validation compares each
 * with each: 240 times `viewer { id }`, within 1,000 tokens, took it 40 to 120 ms.
 */
const MAX_REPEATS = 50;
/** Fragments one document may define: validation compares each with each that it is spread beside. */
const MAX_FRAGMENTS = 50;
/** Selections and fragments one within the other, far beyond every limit of depth: a stack is finite. */
const MAX_LEVELS = 200;

/**
 * Says what of a parsed document is too much for it to be validated, if anything is.
 *
 * It goes by the text alone and looks at each fragment once, however often and in however
 * many others it is spread: validation and execution would not.
 */
export function refuseShape(
  schema: GraphQLSchema,
  document: DocumentNode,
  limits: ShapeLimits,
): readonly GraphQLError[] {
  try {
    const fragments = document.definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION);
    if (fragments.length > MAX_FRAGMENTS) throw tooMany("fragments", MAX_FRAGMENTS);
    const measuring = new Measuring(fragments, limits);
    for (const definition of document.definitions) {
      if (definition.kind === Kind.OPERATION_DEFINITION) measuring.operation(definition);
    }
    // One that is never spread, or has another's name, is validated all the same.
    for (const fragment of fragments) measuring.fragment(fragment, 0);
    return [];
  } catch (error) {
    if (error instanceof Cycle) {
      // All that expands a fragment, as other rules do, would be undone by a cycle; this one is not.
      return validate(schema, document, [NoFragmentCyclesRule], { maxErrors: 1 })
        .slice(0, 1)
        .map((one) => withCode(one, "GRAPHQL_VALIDATION_FAILED"));
    }
    if (error instanceof GraphQLError) return [error];
    throw error;
  }
}

/** What was counted of a selection, everything in it expanded. */
interface Shape {
  fields: number;
  aliases: number;
  directives: number;
  repeats: number;
  depth: number;
  introspectionDepth: number;
  introspectionAliases: number;
  /** How often each name stands in the answer's object itself: what will be merged. */
  readonly names: Map<string, number>;
}

/** A fragment spreads itself. */
class Cycle extends Error {
  override readonly name = "Cycle";
}

class Measuring {
  readonly #limits: ShapeLimits;
  readonly #definitions: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #fragments = new Map<FragmentDefinitionNode, Shape | "begun">();

  constructor(fragments: readonly FragmentDefinitionNode[], limits: ShapeLimits) {
    this.#limits = limits;
    this.#definitions = new Map(fragments.map((one) => [one.name.value, one]));
  }

  operation({ selectionSet, directives, variableDefinitions }: OperationDefinitionNode): void {
    const shape = this.#selection(selectionSet, 0);
    shape.directives += count(directives);
    for (const variable of variableDefinitions ?? []) shape.directives += count(variable.directives);
    this.#check(shape);
    const { documentDepth } = this.#limits;
    if (shape.depth > documentDepth) throw tooDeep(documentDepth);
  }

  fragment(definition: FragmentDefinitionNode, level: number): Shape {
    const known = this.#fragments.get(definition);
    if (known === "begun") throw new Cycle();
    if (known !== undefined) return known;
    this.#fragments.set(definition, "begun");
    const shape = this.#selection(definition.selectionSet, level);
    shape.directives += count(definition.directives);
    this.#check(shape);
    this.#fragments.set(definition, shape);
    return shape;
  }

  #selection({ selections }: SelectionSetNode, level: number): Shape {
    const shape = emptyShape();
    this.#collect(selections, shape, level);
    for (const times of shape.names.values()) shape.repeats += times - 1;
    this.#check(shape);
    return shape;
  }

  #collect(selections: readonly SelectionNode[], shape: Shape, level: number): void {
    if (level > MAX_LEVELS) throw tooDeep(this.#limits.documentDepth);
    for (const selection of selections) {
      shape.directives += count(selection.directives);
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        this.#collect(selection.selectionSet.selections, shape, level + 1);
      } else if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const definition = this.#definitions.get(selection.name.value);
        // One that does not exist adds nothing; validation says so.
        if (definition === undefined) continue;
        const fragment = this.fragment(definition, level + 1);
        add(shape, fragment);
        // Counts as a field, or fragments of empty braces could double at no cost.
        shape.fields++;
        // Its own are counted again with those it stands beside.
        for (const [name, times] of fragment.names) {
          shape.repeats -= times - 1;
          shape.names.set(name, (shape.names.get(name) ?? 0) + times);
        }
        shape.depth = Math.max(shape.depth, fragment.depth);
        shape.introspectionDepth = Math.max(shape.introspectionDepth, fragment.introspectionDepth);
      } else {
        this.#field(selection, shape, level);
      }
      // At once: what is expanded must not be expanded much further.
      this.#check(shape);
    }
  }

  #field({ alias, name: { value: name }, selectionSet }: FieldNode, shape: Shape, level: number): void {
    const inner = selectionSet === undefined ? emptyShape() : this.#selection(selectionSet, level + 1);
    add(shape, inner);
    shape.fields++;
    if (alias !== undefined) shape.aliases++;
    const shown = alias?.value ?? name;
    shape.names.set(shown, (shape.names.get(shown) ?? 0) + 1);
    if (name !== "__schema" && name !== "__type") {
      shape.depth = Math.max(shape.depth, 1 + inner.depth);
      shape.introspectionDepth = Math.max(shape.introspectionDepth, inner.introspectionDepth);
      return;
    }
    const depth = 1 + Math.max(inner.depth, inner.introspectionDepth);
    shape.introspectionDepth = Math.max(shape.introspectionDepth, depth);
    // Each would be another answer of the whole schema.
    shape.introspectionAliases += inner.aliases + (alias !== undefined && name === "__schema" ? 1 : 0);
  }

  #check(shape: Shape): void {
    const { documentFields, documentAliases, documentDepth } = this.#limits;
    if (shape.fields > documentFields) throw tooMany("fields, its fragments expanded", documentFields);
    if (shape.aliases > documentAliases) throw tooMany("aliases, its fragments expanded", documentAliases);
    if (shape.directives > MAX_DIRECTIVES) throw tooMany("directives, its fragments expanded", MAX_DIRECTIVES);
    if (shape.repeats > MAX_REPEATS) throw tooMany("repeated fields, its fragments expanded", MAX_REPEATS);
    if (shape.introspectionAliases > 0) {
      throw tooComplex("Cannot run this document: introspects with aliases, none are allowed", 0);
    }
    // A fragment does not say whether it is of an introspection.
    const most = Math.max(documentDepth, MAX_INTROSPECTION_DEPTH);
    if (shape.depth > most) throw tooDeep(documentDepth);
    if (shape.introspectionDepth > MAX_INTROSPECTION_DEPTH) throw tooDeep(MAX_INTROSPECTION_DEPTH);
  }
}

function emptyShape(): Shape {
  return {
    fields: 0,
    aliases: 0,
    directives: 0,
    repeats: 0,
    depth: 0,
    introspectionDepth: 0,
    introspectionAliases: 0,
    names: new Map(),
  };
}

function add(shape: Shape, inner: Shape): void {
  shape.fields += inner.fields;
  shape.aliases += inner.aliases;
  shape.directives += inner.directives;
  shape.repeats += inner.repeats;
  shape.introspectionAliases += inner.introspectionAliases;
}

function count(nodes: readonly unknown[] | undefined): number {
  return nodes?.length ?? 0;
}

function tooMany(what: string, limit: number): GraphQLError {
  return tooComplex(`Cannot run this document: more than ${limit} ${what}`, limit);
}

function tooDeep(limit: number): GraphQLError {
  return tooComplex(`Cannot run this document: fields are nested more than ${limit} levels deep`, limit);
}
