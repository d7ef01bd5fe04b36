import v8 from "node:v8";
import vm from "node:vm";

/** Bytes of the JavaScript heap that are still in use after a garbage collection. */
export function collectedHeapBytes(): number {
  v8.setFlagsFromString("--expose-gc");
  vm.runInNewContext("gc")();
  return Deno.memoryUsage().heapUsed;
}
