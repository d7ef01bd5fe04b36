import type { ServerResponse } from "node:http";
import { answerJson } from "./http_error.ts";

/** Says that the process lives. */
export function answerHealth(response: ServerResponse): void {
  answerJson(response, 200, { status: "ok" });
}

/** Says whether new clients should be sent here: 200, or 503 from the moment a stop begins. */
export function answerReady(response: ServerResponse, ready: boolean): void {
  answerJson(response, ready ? 200 : 503, { status: ready ? "ready" : "stopping" });
}
