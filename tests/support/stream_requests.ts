/** The ways to subscribe over HTTP: what a client accepts for a stream, and what says that it is live. */
export const STREAM_REQUESTS = {
  "Server-Sent Events": { accept: "text/event-stream", live: /\nid: / },
  multipart: { accept: "multipart/mixed;boundary=graphql;subscriptionSpec=1.0", live: /--graphql/ },
} as const;

/** A request for a subscription over HTTP, byte for byte. */
export function streamRequest(kind: keyof typeof STREAM_REQUESTS, query: string): string {
  const { accept } = STREAM_REQUESTS[kind];
  return `GET /graphql?query=${encodeURIComponent(query)} HTTP/1.1\r\nHost: localhost\r\nAccept: ${accept}\r\n\r\n`;
}
