import type { StreamEvent } from "../../src/core/event.ts";

/** An event in a few words: `joined ann`, `left ann LEFT`. */
export function describeEvent(event: StreamEvent): string {
  switch (event.kind) {
    case "message":
      return `message ${event.content}`;
    case "joined":
      return `joined ${event.userId}`;
    case "left":
      return `left ${event.userId} ${event.reason}`;
    case "updated":
      return `updated ${event.member.userId} ${event.member.state}`;
  }
}
