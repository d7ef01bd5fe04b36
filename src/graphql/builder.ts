import SchemaBuilder from "@pothos/core";
import type { Context } from "./context.ts";
import { createCursorScalar, createDateTimeScalar, createJsonScalar } from "./scalars.ts";

/** What types and fields are added to. Exactly one schema is built from each. */
export type Builder = ReturnType<typeof createBuilder>;

/**
 * Makes a builder that knows the scalars and the three roots, and no other type.
 *
 * Nothing is kept beside it: two servers in one process have two builders. Fields are
 * non-null unless they say otherwise.
 */
export function createBuilder() {
  const builder = new SchemaBuilder<SchemaShapes>({ defaultFieldNullability: false });
  builder.addScalarType("DateTime", createDateTimeScalar());
  builder.addScalarType("JSON", createJsonScalar());
  builder.addScalarType("Cursor", createCursorScalar());
  builder.queryType();
  builder.mutationType();
  builder.subscriptionType();
  return builder;
}

interface SchemaShapes {
  Context: Context;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    JSON: { Input: unknown; Output: unknown };
    Cursor: { Input: string; Output: string };
  };
}
