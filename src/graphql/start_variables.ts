import { type FragmentDefinitionNode, type OperationDefinitionNode, visit } from "graphql";

/** Arguments of a live root field that say where to begin, and nothing of what is selected. */
const START_ARGUMENTS: ReadonlySet<string> = new Set(["after", "last", "join"]);

/**
 * The variables of a subscription that are used for nothing but where it begins.
 *
 * Two subscribers that differ only in these ask the same.
 */
export function startVariables(
  operation: OperationDefinitionNode,
  fragments: readonly FragmentDefinitionNode[],
): ReadonlySet<string> {
  const starting = new Set<string>();
  const other = new Set<string>();
  const startArguments = operation.selectionSet.selections
    .flatMap((root) => root.kind === "Field" ? root.arguments ?? [] : [])
    .filter(({ name }) => START_ARGUMENTS.has(name.value));
  for (const { value } of startArguments) {
    if (value.kind === "Variable") starting.add(value.name.value);
  }
  for (const definition of [operation, ...fragments]) {
    visit(definition, {
      VariableDefinition: () => false,
      Argument: (node) => startArguments.includes(node) ? false : undefined,
      Variable: (node) => void other.add(node.name.value),
    });
  }
  return new Set([...starting].filter((variable) => !other.has(variable)));
}
