import type { Cancel, Clock } from "../core/clock.ts";
import { silentTelemetry, type Telemetry } from "../core/telemetry.ts";
import { MemoryDirectory } from "./memory_directory.ts";
import { MemoryKeys } from "./memory_keys.ts";
import { MemoryLog, type MemoryLogBounds } from "./memory_log.ts";
import { MemoryPresence } from "./memory_presence.ts";
import { MemoryReceipts } from "./memory_receipts.ts";
import { createSteadyTime } from "./steady_time.ts";

/** How a memory core keeps what it keeps. Only `clock` and `history` have no default. */
export interface MemoryCoreOptions {
  readonly clock: Clock;
  /** How much each stream remembers. */
  readonly history: Pick<MemoryLogBounds, "count" | "ageMs" | "bytes">;
  /** Hears of listeners that throw. @default silentTelemetry */
  readonly telemetry?: Telemetry;
  /** Bytes of all streams together; the least recently written lose their oldest entries. @default 268_435_456 */
  readonly totalBytes?: number;
  /** How long an emptied stream keeps its epoch and offset, in milliseconds. @default 86_400_000 */
  readonly epochTtlMs?: number;
  /** Emptied streams that keep them; the one longest unused is forgotten first. @default 100_000 */
  readonly emptiedStreams?: number;
  /** Idempotency keys remembered; the oldest are forgotten first. @default 100_000 */
  readonly idempotencyKeys?: number;
  /** Receipts of operations kept; the one longest unwritten is forgotten first. @default 100_000 */
  readonly receipts?: number;
  /** Memberships of all rooms together; one more is `ROOM_LIMIT`. @default 1_000_000 */
  readonly members?: number;
  /** How often what has outlived its time is freed, in milliseconds. @default 5_000 */
  readonly sweepMs?: number;
}

/** How often it is looked for leases that have run out, in milliseconds: a leave may be so much late. */
const LEASE_SWEEP_MS = 1_000;

/**
 * What the handles of one memory engine share: streams, keys, members.
 *
 * Everything in it is bounded. It sweeps while at least one node has it open.
 */
export class MemoryCore {
  readonly log: MemoryLog;
  readonly presence: MemoryPresence;
  readonly receipts: MemoryReceipts;
  readonly directory: MemoryDirectory;
  readonly #keys: MemoryKeys;
  readonly #clock: Clock;
  readonly #sweepMs: number;
  #openNodes = 0;
  #cancelSweep: Cancel | undefined;
  #cancelLeases: Cancel | undefined;

  constructor(options: MemoryCoreOptions) {
    const { clock, history, telemetry = silentTelemetry } = options;
    const now = createSteadyTime(clock);
    this.#clock = clock;
    this.#sweepMs = options.sweepMs ?? 5_000;
    this.#keys = new MemoryKeys({ now, maxKeys: options.idempotencyKeys ?? 100_000 });
    this.log = new MemoryLog({
      clock,
      now,
      telemetry,
      keys: this.#keys,
      bounds: {
        ...history,
        totalBytes: options.totalBytes ?? 268_435_456,
        epochTtlMs: options.epochTtlMs ?? 86_400_000,
        emptiedStreams: options.emptiedStreams ?? 100_000,
      },
    });
    this.receipts = new MemoryReceipts({ now, maxReceipts: options.receipts ?? 100_000 });
    this.presence = new MemoryPresence({ clock, now, log: this.log, maxMembers: options.members ?? 1_000_000 });
    this.directory = new MemoryDirectory(this.log, this.presence);
  }

  /** Streams that are known: with entries, with a subscription, or remembered by their epoch. */
  get streamCount(): number {
    return this.log.streamCount;
  }

  get subscriptionCount(): number {
    return this.log.subscriptionCount;
  }

  /** What all entries kept cost: their texts and 256 bytes for each. */
  get storedBytes(): number {
    return this.log.storedBytes;
  }

  get idempotencyKeyCount(): number {
    return this.#keys.size;
  }

  /** Rooms that have a member. */
  get roomCount(): number {
    return this.presence.roomCount;
  }

  /** Members that have a lease. */
  get leaseCount(): number {
    return this.presence.leaseCount;
  }

  /** Says that one more node uses the core. */
  openNode(): void {
    if (this.#openNodes++ > 0) return;
    this.#cancelSweep = this.#clock.every(this.#sweepMs, () => {
      this.log.sweep();
      this.#keys.sweep();
      this.receipts.sweep();
    });
    this.#cancelLeases = this.#clock.every(LEASE_SWEEP_MS, () => this.presence.sweep());
  }

  /** Says that one node no longer does. */
  closeNode(): void {
    if (--this.#openNodes > 0) return;
    this.#cancelSweep?.();
    this.#cancelLeases?.();
  }
}

/** Makes the storage that one or more {@linkcode createMemoryEngine} handles share. */
export function createMemoryCore(options: MemoryCoreOptions): MemoryCore {
  return new MemoryCore(options);
}
