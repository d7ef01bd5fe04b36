import { ERROR_CODES } from "../../src/core/errors.ts";
import { type MutatedDocument, mutateDocument } from "./mutated_documents.ts";
import { openSchemaWorld } from "./schema_world.ts";
import { seeded } from "./seeded.ts";

/** What became of many mutated documents. */
export interface FuzzReport {
  /** How many answers had which codes; `RESULT` is one without errors. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** What was answered as nothing may be: with a code that is not listed, or with an internal error. */
  readonly wrong: readonly (MutatedDocument & { readonly codes: readonly unknown[] })[];
  /** The slowest one, from its text to its answer, in milliseconds: the best of four, when it is a slow one. */
  readonly slowestMs: number;
  readonly slowest: MutatedDocument | undefined;
  /** How many took longer than a turn of the event loop may. */
  readonly stalls: number;
}

/** The longest an accepted input may hold up the event loop, in milliseconds. */
const STALL_MS = 20;
/** Documents that one server gets: what they leave behind is part of the test. */
const DOCUMENTS_A_WORLD = 5_000;

/** Runs so many mutated documents, on servers without a transport. */
export async function fuzzDocuments(seed: number, count: number): Promise<FuzzReport> {
  const random = seeded(seed);
  const outcomes: Record<string, number> = {};
  const wrong: FuzzReport["wrong"][number][] = [];
  let slowestMs = 0;
  let slowest: MutatedDocument | undefined;
  let stalls = 0;
  for (let done = 0; done < count; done += DOCUMENTS_A_WORLD) {
    await using world = await openSchemaWorld();
    const viewer = world.connect("ann");
    for (let index = done; index < Math.min(count, done + DOCUMENTS_A_WORLD); index++) {
      const mutated = mutateDocument(random);
      const begun = performance.now();
      const codes = await world.ask(mutated.query, viewer, mutated.variables);
      let tookMs = performance.now() - begun;
      // The machine is busy with other things too: what is slow by itself is slow each time.
      for (let again = 0; again < 3 && tookMs > STALL_MS; again++) {
        const begunAgain = performance.now();
        // Not the text that may be remembered by now.
        await world.ask(`${mutated.query}\n#${again}`, viewer, mutated.variables);
        tookMs = Math.min(tookMs, performance.now() - begunAgain);
      }
      if (tookMs > STALL_MS) stalls++;
      if (tookMs > slowestMs) [slowestMs, slowest] = [tookMs, mutated];
      for (const code of codes.length === 0 ? ["RESULT"] : new Set(codes)) {
        outcomes[String(code)] = (outcomes[String(code)] ?? 0) + 1;
      }
      if (!codes.every(isExpected)) wrong.push({ ...mutated, codes });
    }
  }
  return { outcomes, wrong, slowestMs, slowest, stalls };
}

function isExpected(code: unknown): boolean {
  return code !== "INTERNAL_SERVER_ERROR" && (ERROR_CODES as readonly unknown[]).includes(code);
}
