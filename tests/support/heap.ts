import v8 from "node:v8";
import vm from "node:vm";

/** Bytes of the JavaScript heap that are still in use after a garbage collection. */
export function collectedHeapBytes(): number {
  v8.setFlagsFromString("--expose-gc");
  vm.runInNewContext("gc")();
  return Deno.memoryUsage().heapUsed;
}

/** How many objects of each of these classes are still in use. Takes a moment: it looks at the whole heap. */
export async function countObjects(classNames: readonly string[]): Promise<Record<string, number>> {
  const path = await Deno.makeTempFile();
  try {
    v8.writeHeapSnapshot(path);
    const { snapshot: { meta }, nodes, strings }: HeapSnapshot = JSON.parse(await Deno.readTextFile(path));
    const [type, name] = ["type", "name"].map((field) => meta.node_fields.indexOf(field)) as [number, number];
    const object = meta.node_types[0].indexOf("object");
    const counts = Object.fromEntries(classNames.map((className) => [className, 0]));
    for (let at = 0; at < nodes.length; at += meta.node_fields.length) {
      const className = strings[nodes[at + name]!]!;
      if (nodes[at + type] === object && Object.hasOwn(counts, className)) counts[className]!++;
    }
    return counts;
  } finally {
    await Deno.remove(path);
  }
}

/** A heap snapshot as V8 writes it, as far as it is read here: nodes are rows of numbers, one after the other. */
interface HeapSnapshot {
  readonly snapshot: {
    readonly meta: { readonly node_fields: readonly string[]; readonly node_types: readonly [readonly string[]] };
  };
  readonly nodes: readonly number[];
  readonly strings: readonly string[];
}
