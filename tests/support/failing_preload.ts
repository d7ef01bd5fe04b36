import { EventEmitter } from "node:events";
import process from "node:process";

/** Ways in which an error reaches nobody. */
const FAILURES: readonly (() => void)[] = [
  () => setTimeout(() => fail("in a timer")),
  () => setImmediate(() => fail("in an immediate")),
  () => queueMicrotask(() => fail("in a microtask")),
  () => process.nextTick(() => fail("in a next tick")),
  () => void Promise.reject(new Error("a floating rejection")),
  () => void (async () => await Promise.reject("a rejection with a text"))(),
  () => setTimeout(() => new EventEmitter().emit("error", new Error("an error event without a listener"))),
  () => {
    const emitter = new EventEmitter().on("event", () => fail("in a listener"));
    setTimeout(() => emitter.emit("event"));
  },
];

// For a server's process, before the program itself: each signal is a failure of another kind.
let next = 0;
Deno.addSignalListener("SIGUSR2", () => FAILURES[next++ % FAILURES.length]!());

function fail(where: string): never {
  throw new Error(`thrown ${where}`);
}
