import { RealtimeError } from "../core/errors.ts";

/**
 * Where a client's operations left off, as it says itself when it connects.
 *
 * `connection_init` carries `resume: { "<operation id>": "<cursor>" }`. Each entry is for
 * the first operation of its id. How many there are is bounded by the message's size.
 */
export class ResumeEntries {
  readonly #cursors: Map<string, string>;

  private constructor(cursors: Map<string, string>) {
    this.#cursors = cursors;
  }

  /**
   * Reads what a client sent; undefined when that is nothing.
   *
   * A cursor that is none counts as lost, and is no error.
   *
   * @throws {RealtimeError} `BAD_USER_INPUT` when it is no object
   */
  static parse(resume: unknown): ResumeEntries | undefined {
    if (resume === undefined || resume === null) return undefined;
    if (typeof resume !== "object" || Array.isArray(resume)) {
      throw new RealtimeError("BAD_USER_INPUT", "Cannot use resume: must be an object of cursors by operation id");
    }
    const cursors = Object.entries(resume).map(([id, cursor]) =>
      [id, typeof cursor === "string" ? cursor : ""] as const
    );
    return new ResumeEntries(new Map(cursors));
  }

  /** The cursor of an operation, once; undefined when the client said none. */
  take(operationId: string): string | undefined {
    const cursor = this.#cursors.get(operationId);
    this.#cursors.delete(operationId);
    return cursor;
  }
}
