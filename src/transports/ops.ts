import type { ServerResponse } from "node:http";
import { answerJson } from "./http_error.ts";

/** Says that the process lives. */
export function answerHealth(response: ServerResponse): void {
  answerJson(response, 200, { status: "ok" });
}

/** Why no new clients should be sent here. */
export type NotReady = { readonly status: "stopping" } | { readonly status: "degraded"; readonly reason: string };

/** Says whether new clients should be sent here: 200, or 503 and why not. */
export function answerReady(response: ServerResponse, notReady: NotReady | undefined): void {
  if (notReady === undefined) answerJson(response, 200, { status: "ready" });
  else answerJson(response, 503, notReady);
}
