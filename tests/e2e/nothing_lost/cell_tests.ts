import { type Break, CELLS, type Kind, KINDS } from "./cells.ts";

/** Registers a row of the table: one test for each kind of client, named after its cell. */
export function cellTests(row: Break, run: (kind: Kind) => Promise<void>): void {
  for (const kind of KINDS) Deno.test(`${kind}, ${row}: ${CELLS[row][kind]}`, () => run(kind));
}
