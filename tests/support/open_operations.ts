import { Documents } from "../../src/graphql/documents.ts";
import { Operations, type OperationsDeps } from "../../src/graphql/operations.ts";
import { DEFAULTS } from "../../src/options.ts";

/** Operations that are checked as the server does by default. */
export function openOperations(
  deps: Omit<OperationsDeps, "documents" | "maxNodes"> & Partial<Pick<OperationsDeps, "documents">>,
): Operations {
  const { limits } = DEFAULTS;
  const documents = new Documents(deps.schema, { limits, introspection: true });
  return new Operations({ documents, ...deps, maxNodes: limits.answerNodes });
}
