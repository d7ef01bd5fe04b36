/** Says in words what went wrong: errors of an operation, the event of a close, or whatever was thrown. */
export function failureText(failure: unknown): string {
  if (Array.isArray(failure)) return failure.map(failureText).join("; ");
  if (hasText(failure, "message")) return failure.message;
  if (hasText(failure, "reason")) return failure.reason;
  return "The connection to the server was lost";
}

function hasText<Name extends string>(value: unknown, name: Name): value is Record<Name, string> {
  const text = (value as Partial<Record<Name, unknown>> | null)?.[name];
  return typeof text === "string" && text !== "";
}
