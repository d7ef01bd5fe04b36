import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  parse,
  specifiedRules,
  validate,
} from "graphql";
import type { ErrorCode } from "../core/errors.ts";
import { type AnswerSize, answerSize } from "./answer_size.ts";
import { refuseShape, type ShapeLimits } from "./document_shape.ts";
import { tooComplex, withCode } from "./errors.ts";

/** A valid document. */
export interface ValidDocument {
  readonly document: DocumentNode;
  /** Of each operation that lists anything, how to count its nodes; undefined when none does. */
  readonly sizes: ReadonlyMap<OperationDefinitionNode, AnswerSize> | undefined;
  readonly errors?: never;
}

/** What became of a document's text: valid, or what is wrong with it. */
export type CheckedDocument =
  | ValidDocument
  /** Parsed, but too complex or not valid; without a document not even parsed. */
  | {
    readonly document: DocumentNode | undefined;
    readonly sizes?: never;
    readonly errors: readonly GraphQLError[];
  };

/** How documents are checked. */
export interface DocumentsOptions {
  readonly limits: ShapeLimits & {
    /** Lexical tokens one document may have. */
    readonly documentTokens: number;
  };
  /** Whether clients may learn what the schema holds, from introspection or from what they are told of mistakes. */
  readonly introspection: boolean;
}

/**
 * What all cached documents may weigh together: a character of text one, a token five. A
 * token takes some 300 bytes once it is parsed, so this bounds the cache at about 30 MB,
 * also when the documents are nothing but short tokens.
 */
const MAX_CACHED_WEIGHT = 512 * 1024;
const TOKEN_WEIGHT = 5;
/** Characters of one cached text. */
const MAX_CACHED_TEXT = 16 * 1024;
/**
 * Lines of one document. graphql-js counts them anew for each mistake it tells the place
 * of, a few times: 250,000 of them before six mistakes took 250 ms. Comments, which are
 * no tokens, end with their line, and so are bounded too.
 */
const MAX_LINES = 2_000;
/** What is wrong with a document is said this many times at most. */
const MAX_ERRORS = 10;

/**
 * Parses, measures and validates documents, on every transport alike.
 *
 * Remembers valid ones by their text, least recently used out first, bounded by size
 * and not by number: a thousand large documents would pin gigabytes.
 */
export class Documents {
  /** Whether what clients are told of mistakes leaves out what they may have meant. */
  readonly hidesSuggestions: boolean;
  readonly #schema: GraphQLSchema;
  readonly #options: DocumentsOptions;
  readonly #rules: typeof specifiedRules;
  readonly #cache = new Map<string, ValidDocument>();
  /** The one of the cache that was used last. */
  #newest: { readonly text: string; readonly valid: ValidDocument } | undefined;
  #cachedWeight = 0;

  constructor(schema: GraphQLSchema, options: DocumentsOptions) {
    this.#schema = schema;
    this.#options = options;
    this.hidesSuggestions = !options.introspection;
    this.#rules = options.introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
  }

  /** How many documents are remembered. */
  get cached(): number {
    return this.#cache.size;
  }

  /** Whether a text is remembered, so that checking it costs nothing. */
  knows(text: string): boolean {
    return text === this.#newest?.text || this.#cache.has(text);
  }

  /** Never throws: what is wrong with the text comes back as errors. */
  check(text: string): CheckedDocument {
    // Most operations of a busy server are the same: that it is used most lately is known already.
    if (text === this.#newest?.text) return this.#newest.valid;
    const known = this.#cache.get(text);
    if (known !== undefined) {
      this.#cache.delete(text);
      this.#cache.set(text, known);
      this.#newest = { text, valid: known };
      return known;
    }
    const { limits } = this.#options;
    if (hasMore("\n", text, MAX_LINES) || hasMore("\r", text, MAX_LINES)) {
      const message = `Cannot parse this document: more than ${MAX_LINES} lines, send long texts as variables`;
      return { document: undefined, errors: [tooComplex(message, MAX_LINES)] };
    }
    let document: DocumentNode;
    try {
      document = parse(text, { maxTokens: limits.documentTokens });
    } catch (error) {
      return { document: undefined, errors: [parseFailure(error)] };
    }
    // First: what is too much would be too much for the validation as well.
    const tooMuch = refuseShape(this.#schema, document, limits);
    if (tooMuch.length > 0) return { document, errors: tooMuch };
    const errors = validate(this.#schema, document, this.#rules, {
      maxErrors: MAX_ERRORS,
      hideSuggestions: this.hidesSuggestions,
    });
    if (errors.length > 0) {
      return { document, errors: errors.map((error) => withCode(error, "GRAPHQL_VALIDATION_FAILED")) };
    }
    const valid: ValidDocument = { document, sizes: this.#sizesOf(document) };
    this.#remember(text, valid);
    return valid;
  }

  #sizesOf(document: DocumentNode): ValidDocument["sizes"] {
    const sizes = new Map<OperationDefinitionNode, AnswerSize>();
    for (const definition of document.definitions) {
      if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
      const size = answerSize(this.#schema, document, definition);
      if (size !== undefined) sizes.set(definition, size);
    }
    return sizes.size === 0 ? undefined : sizes;
  }

  #remember(text: string, valid: ValidDocument): void {
    if (text.length > MAX_CACHED_TEXT) return;
    this.#cache.set(text, valid);
    this.#newest = { text, valid };
    this.#cachedWeight += weigh(text, valid);
    for (const [oldest, forgotten] of this.#cache) {
      if (this.#cachedWeight <= MAX_CACHED_WEIGHT) break;
      this.#cache.delete(oldest);
      this.#cachedWeight -= weigh(oldest, forgotten);
    }
  }
}

function weigh(text: string, { document }: ValidDocument): number {
  return text.length + TOKEN_WEIGHT * (document.tokenCount ?? 0);
}

/** Whether a text has more than so many of a sign. */
function hasMore(sign: string, text: string, most: number): boolean {
  let found = 0;
  for (let at = text.indexOf(sign); at !== -1; at = text.indexOf(sign, at + 1)) if (++found > most) return true;
  return false;
}

function parseFailure(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return withCode(error, "GRAPHQL_PARSE_FAILED");
  // Deep nesting overflows the parser's stack before it reaches the token limit.
  const extensions = { code: "GRAPHQL_PARSE_FAILED" satisfies ErrorCode };
  return new GraphQLError("Cannot parse this document: nested too deeply", { extensions });
}
