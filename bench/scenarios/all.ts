import { compression } from "./compression.ts";
import { connections } from "./connections.ts";
import { fanOut } from "./fan_out.ts";
import { growth } from "./growth.ts";
import { latency } from "./latency.ts";
import { publish } from "./publish.ts";
import type { Scenario } from "./scenario.ts";
import { sse } from "./sse.ts";

/** Every scenario by its name, in the order they run. */
export const SCENARIOS: ReadonlyMap<string, Scenario> = new Map(
  [fanOut, publish, latency, sse, compression, growth, connections].map((scenario) => [scenario.name, scenario]),
);
