import { RawSocket, UPGRADE } from "./raw_socket.ts";
import { STREAM_REQUESTS, streamRequest } from "./stream_requests.ts";

/** What a reader that stalls speaks. */
export type StalledKind = "WebSocket" | keyof typeof STREAM_REQUESTS;

/** All of them. */
export const STALLED_KINDS: readonly StalledKind[] = ["WebSocket", "Server-Sent Events", "multipart"];

/** Subscribes, and once it is live reads nothing any more. */
export async function stalledReader(
  kind: StalledKind,
  port: number,
  query: string,
  host = "127.0.0.1",
): Promise<RawSocket> {
  const socket = await RawSocket.connect(port, { host });
  if (kind === "WebSocket") {
    await socket.send(UPGRADE, { type: "connection_init" });
    await socket.until(/"connection_ack"/);
    await socket.send({ id: "1", type: "subscribe", payload: { query } });
    // Once a question has been answered twice, it is live.
    for (const id of ["2", "3"]) {
      await socket.send({ id, type: "subscribe", payload: { query: "{ viewer { userId } }" } });
      await socket.until(new RegExp(`"id":"${id}","type":"complete"`));
    }
  } else {
    await socket.send(streamRequest(kind, query));
    await socket.until(STREAM_REQUESTS[kind].live);
  }
  socket.stall();
  return socket;
}
