/**
 * A copy of JSON-like data that shares no object or array with it.
 *
 * Instances of classes stay what and where they are.
 */
export function ownCopy<Data>(data: Data): Data {
  return copyOf(data) as Data;
}

function copyOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOf);
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  // Spread first: it makes a key "__proto__" the copy's own, as JSON.parse does, and then it can be assigned to.
  const copy: Record<string, unknown> = prototype === null ? { __proto__: null, ...value } : { ...value };
  for (const [key, part] of Object.entries(copy)) {
    if (typeof part === "object" && part !== null) copy[key] = copyOf(part);
  }
  return copy;
}
