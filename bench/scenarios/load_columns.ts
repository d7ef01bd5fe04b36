import type { Measurement } from "../load/measurement.ts";
import type { Column } from "./scenario.ts";
import { formatBytes, formatCount, formatShare } from "./units.ts";

/** The columns that every scenario under load has besides its own. */
export const LOAD_COLUMNS: readonly Column[] = [
  { key: "frameBytes", head: "frame", format: formatBytes },
  { key: "perRead", head: "per read", format: (value) => value.toFixed(1) },
  { key: "serverShare", head: "server CPU", format: formatShare },
  { key: "generatorShare", head: "generator CPU", format: formatShare },
  { key: "otherShare", head: "other CPU", format: formatShare },
];

/** Deliveries by CPU-seconds of the server. */
export const PER_CPU_SECOND: Column = { key: "perCpuSecond", head: "deliveries per CPU-s", format: formatCount };

/** Deliveries by the clock. */
export const PER_SECOND: Column = { key: "perSecond", head: "deliveries per s", format: formatCount };

/** Published messages by CPU-seconds of the server. */
export const MESSAGES_PER_CPU_SECOND: Column = {
  key: "messagesPerCpuSecond",
  head: "messages per CPU-s",
  format: formatCount,
};

/** What a measurement says, by the keys of all these columns. */
export function toValues(measurement: Measurement): Record<string, number> {
  const { deliveries, messages, reads, elapsedSeconds, frameBytes } = measurement;
  const { serverCpuSeconds, generatorCpuSeconds, machineCpuSeconds } = measurement;
  return {
    perCpuSecond: deliveries / serverCpuSeconds,
    messagesPerCpuSecond: messages / serverCpuSeconds,
    perSecond: deliveries / elapsedSeconds,
    frameBytes,
    perRead: deliveries / reads,
    serverShare: serverCpuSeconds / elapsedSeconds,
    generatorShare: generatorCpuSeconds / elapsedSeconds,
    // Ticks are coarser than what is known of the server.
    otherShare: Math.max(0, machineCpuSeconds - serverCpuSeconds - generatorCpuSeconds) / elapsedSeconds,
  };
}
