import type { Engine, Published, Receipts, RoomDirectory, StreamLog } from "../core/engine.ts";
import type { Presence } from "../core/presence.ts";
import { RealtimeError } from "../core/errors.ts";
import type { MemoryCore } from "./memory_core.ts";

import type { MemorySubscription } from "./memory_subscription.ts";
import type { NodeShares } from "./room_members.ts";

export { createMemoryCore, type MemoryCore, type MemoryCoreOptions } from "./memory_core.ts";

/** What one node's handle needs. */
export interface MemoryEngineOptions {
  readonly core: MemoryCore;
  /** Names the node in errors. */
  readonly nodeId: string;
}

/**
 * One node's handle on a memory core.
 *
 * For one process: nothing outlives it. Several handles on one core behave like
 * several nodes, which is how tests have them.
 */
export function createMemoryEngine({ core, nodeId }: MemoryEngineOptions): Engine {
  const subscriptions = new Set<MemorySubscription>();
  const shares: NodeShares = new Set();
  let state: "new" | "open" | "closed" = "new";

  const requireOpen = (): void => {
    if (state === "open") return;
    const detail = state === "new" ? "not open yet" : "closed";
    throw new RealtimeError("ENGINE_UNAVAILABLE", `Cannot use the engine of node "${nodeId}": ${detail}`);
  };
  /** What happens at once, as a promise. */
  const promise = <T>(step: () => T): Promise<T> => {
    try {
      requireOpen();
      return Promise.resolve(step());
    } catch (error) {
      return Promise.reject(error);
    }
  };
  const forget = (subscription: MemorySubscription): void => {
    subscriptions.delete(subscription);
  };

  const log: StreamLog = {
    // Written out: the hot path makes no closure.
    publish(stream, text, options): Promise<Published> {
      try {
        requireOpen();
        return Promise.resolve(core.log.publish(stream, text, options));
      } catch (error) {
        return Promise.reject(error);
      }
    },
    subscribe: (stream, listener) =>
      promise(() => {
        const subscription = core.log.subscribe(stream, listener, forget);
        subscriptions.add(subscription);
        return subscription;
      }),
    read: (stream, range) => promise(() => core.log.read(stream, range)),
    top: (stream) => promise(() => core.log.top(stream)),
  };
  const presence: Presence = {
    enter: (room, userId, share, beginning) =>
      promise(() => core.presence.enter(shares, { room, userId }, share, beginning)),
    keep: (room, userId, share) => promise(() => core.presence.keep(shares, { room, userId }, share)),
    exit: (room, userId, event) => promise(() => core.presence.exit(shares, { room, userId }, event)),
    lease: (room, userId, lease, beginning) => promise(() => core.presence.lease({ room, userId }, lease, beginning)),
    endLease: (room, userId, sessionId, event) =>
      promise(() => core.presence.endLease({ room, userId }, sessionId, event)),
    remove: (room, userId, event) => promise(() => core.presence.remove({ room, userId }, event)),
    setState: (room, userId, state, change) => promise(() => core.presence.setState({ room, userId }, state, change)),
    member: (room, userId) => promise(() => core.presence.member({ room, userId })),
    members: (room, range) => promise(() => core.presence.members(room, range)),
    roomsOf: (userId) => promise(() => core.presence.roomsOf(userId)),
  };
  const directory: RoomDirectory = { rooms: (range) => promise(() => core.directory.rooms(range)) };
  const receipts: Receipts = {
    put: (written) => promise(() => core.receipts.put(written)),
    get: (operationId) => promise(() => core.receipts.get(operationId)),
    remove: (operationIds) => promise(() => core.receipts.remove(operationIds)),
  };
  return {
    name: "memory",
    log,
    presence,
    receipts,
    directory,
    open() {
      if (state !== "new") {
        return Promise.reject(new TypeError(`Cannot open the engine of node "${nodeId}": it is ${state}`));
      }
      state = "open";
      core.openNode();
      return Promise.resolve();
    },
    close() {
      const wasOpen = state === "open";
      state = "closed";
      if (wasOpen) {
        for (const subscription of subscriptions) subscription.close();
        core.presence.exitAll(shares);
        core.closeNode();
      }
      return Promise.resolve();
    },
  };
}
