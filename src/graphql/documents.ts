import { type DocumentNode, GraphQLError, type GraphQLSchema, parse, validate } from "graphql";
import type { ErrorCode } from "../core/errors.ts";
import { withCode } from "./errors.ts";

/** What became of a document's text: valid, or what is wrong with it. */
export type CheckedDocument =
  | { readonly document: DocumentNode; readonly errors?: never }
  /** Parsed, but not valid. */
  | { readonly document: DocumentNode; readonly errors: readonly GraphQLError[] }
  /** Not even parsed. */
  | { readonly document: undefined; readonly errors: readonly [GraphQLError] };

/** How documents are checked. */
export interface DocumentsOptions {
  /** Lexical tokens one document may have. */
  readonly maxTokens: number;
}

/**
 * Characters of all cached texts together, and of one cached text. A parsed document
 * takes some 60 times its text in memory, so this bounds the cache at about 30 MB.
 */
const MAX_CACHED_CHARACTERS = 512 * 1024;
const MAX_CACHED_TEXT = 16 * 1024;
/** What is wrong with a document is said this many times at most. */
const MAX_ERRORS = 10;

/**
 * Parses and validates documents, on every transport alike.
 *
 * Remembers valid ones by their text, least recently used out first, bounded by size
 * and not by number: a thousand large documents would pin gigabytes.
 */
export class Documents {
  readonly #schema: GraphQLSchema;
  readonly #options: DocumentsOptions;
  readonly #cache = new Map<string, DocumentNode>();
  /** The one of the cache that was used last. */
  #newest: { readonly text: string; readonly document: DocumentNode } | undefined;
  #cachedCharacters = 0;

  constructor(schema: GraphQLSchema, options: DocumentsOptions) {
    this.#schema = schema;
    this.#options = options;
  }

  /** How many documents are remembered. */
  get cached(): number {
    return this.#cache.size;
  }

  /** Never throws: what is wrong with the text comes back as errors. */
  check(text: string): CheckedDocument {
    // Most operations of a busy server are the same: that it is used most lately is known already.
    if (text === this.#newest?.text) return this.#newest;
    const known = this.#cache.get(text);
    if (known !== undefined) {
      this.#cache.delete(text);
      this.#cache.set(text, known);
      this.#newest = { text, document: known };
      return this.#newest;
    }
    let document: DocumentNode;
    try {
      document = parse(text, { maxTokens: this.#options.maxTokens });
    } catch (error) {
      return { document: undefined, errors: [parseFailure(error)] };
    }
    const errors = validate(this.#schema, document, undefined, { maxErrors: MAX_ERRORS });
    if (errors.length > 0) {
      return { document, errors: errors.map((error) => withCode(error, "GRAPHQL_VALIDATION_FAILED")) };
    }
    this.#remember(text, document);
    return { document };
  }

  #remember(text: string, document: DocumentNode): void {
    if (text.length > MAX_CACHED_TEXT) return;
    this.#cache.set(text, document);
    this.#newest = { text, document };
    this.#cachedCharacters += text.length;
    for (const oldest of this.#cache.keys()) {
      if (this.#cachedCharacters <= MAX_CACHED_CHARACTERS) break;
      this.#cache.delete(oldest);
      this.#cachedCharacters -= oldest.length;
    }
  }
}

function parseFailure(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return withCode(error, "GRAPHQL_PARSE_FAILED");
  // Deep nesting overflows the parser's stack before it reaches the token limit.
  const extensions = { code: "GRAPHQL_PARSE_FAILED" satisfies ErrorCode };
  return new GraphQLError("Cannot parse this document: nested too deeply", { extensions });
}
