import { type GraphQLSchema, lexicographicSortSchema, printSchema } from "graphql";
import { createSchema } from "./schema.ts";

/** Where the printed schema is kept. */
export const SCHEMA_FILE = new URL("../../schema.graphql", import.meta.url);

/** The schema as `schema.graphql` holds it: sorted, so that it depends on nothing but its content. */
export function printSortedSchema(schema: GraphQLSchema): string {
  return printSchema(lexicographicSortSchema(schema)) + "\n";
}

if (import.meta.main) {
  const printed = printSortedSchema(createSchema());
  if (!Deno.args.includes("--check")) {
    Deno.writeTextFileSync(SCHEMA_FILE, printed);
  } else if (readSchemaFile() !== printed) {
    console.error("schema.graphql is stale: run deno task schema");
    Deno.exit(1);
  }
}

/** Undefined when there is no such file, which is as stale as can be. */
function readSchemaFile(): string | undefined {
  try {
    return Deno.readTextFileSync(SCHEMA_FILE);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
