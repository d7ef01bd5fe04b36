import { readContent, type RoomOperation } from "./graphql_transport_ws.ts";
import type { Streaming } from "./peer.ts";

/** A subscription with a field `content`, by GET as Server-Sent Events: `next` events, each with a result. */
export function streamWith(
  path: string,
  { query, field }: RoomOperation,
  { room, token }: { readonly room: string; readonly token?: string },
): Streaming {
  const parameters = new URLSearchParams({ query, variables: JSON.stringify({ room }) });
  return {
    request: [
      `GET ${path}?${parameters} HTTP/1.1`,
      "Host: 127.0.0.1",
      "Accept: text/event-stream",
      ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
      "\r\n",
    ].join("\r\n"),
    mark: "",
    hear(event) {
      const lines = event.split("\n");
      const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice("data:".length)).join(
        "\n",
      );
      // Comments keep the connection open; an id without data says where the stream stands.
      if (data === "") return { kind: "nothing" };
      if (!lines.some((line) => line.trimEnd() === "event: next")) {
        throw new Error(`Cannot accept what the server said: ${event}`);
      }
      return { kind: "delivery", content: readContent(JSON.parse(data), field) };
    },
  };
}
