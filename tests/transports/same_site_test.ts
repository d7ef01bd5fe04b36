import type { IncomingMessage } from "node:http";
import { assertEquals } from "@std/assert";
import { isSentByForeignTag, provesItsPage } from "../../src/transports/same_site.ts";

const GET = "GET";
const POST = "POST";
const JSON_TYPE = { "content-type": "application/json" };
const WEB_SOCKET = { upgrade: "WebSocket", connection: "Upgrade" };
const NAVIGATION = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };

/** Requests with a cookie and no other token, and whether they prove that a page which may use it has sent them. */
const REQUESTS = [
  // An Origin that was let in.
  [GET, { origin: "https://app.example" }, true],
  [POST, { origin: "https://app.example", "content-type": "text/plain" }, true],
  [GET, { origin: "https://app.example", "sec-fetch-site": "cross-site" }, true],
  // What a browser says.
  [GET, { "sec-fetch-site": "same-origin" }, true],
  [POST, { "sec-fetch-site": "same-origin", ...JSON_TYPE }, true],
  [GET, { "sec-fetch-site": "same-site" }, false],
  [GET, { "sec-fetch-site": "cross-site" }, false],
  [GET, { "sec-fetch-site": "none" }, false],
  [GET, { "sec-fetch-site": "none", ...NAVIGATION }, true],
  [POST, { "sec-fetch-site": "none", ...NAVIGATION }, false],
  [GET, { "sec-fetch-site": "same-site", ...NAVIGATION }, false],
  [GET, { "sec-fetch-site": "cross-site", ...NAVIGATION }, false],
  [GET, { "sec-fetch-site": "" }, false],
  [GET, { "sec-fetch-site": "same-origin, cross-site" }, false],
  [GET, { "sec-fetch-site": "Same-Origin" }, false],
  // The browser's word counts more than a header that a page may have been allowed.
  [GET, { "sec-fetch-site": "cross-site", "x-session-id": "one" }, false],
  [POST, { "sec-fetch-site": "cross-site", ...JSON_TYPE }, false],
  // Nothing a browser says: headers that no foreign page sends unasked.
  [POST, JSON_TYPE, true],
  [POST, { "content-type": "application/json; charset=utf-8" }, true],
  [POST, { "content-type": "application/graphql+json" }, true],
  [POST, { "content-type": "text/plain; application/json" }, false],
  [POST, { "content-type": "application/jsonp" }, false],
  [POST, { "content-type": "multipart/form-data; boundary=application/json" }, false],
  [POST, {}, false],
  [GET, JSON_TYPE, false],
  [GET, { "x-session-id": "one" }, true],
  [GET, { "x-user-id": "ann" }, true],
  [GET, { "apollo-require-preflight": "true" }, true],
  [GET, { "apollo-require-preflight": "" }, true],
  // What any page sends with an EventSource, an image or a link.
  [GET, {}, false],
  [GET, { accept: "text/event-stream" }, false],
  [GET, { accept: "text/event-stream", "last-event-id": "1" }, false],
  [GET, { accept: "application/json", "accept-language": "en" }, false],
  [GET, { referer: "https://rooms.example/" }, false],
  [GET, { "x-forwarded-for": "10.0.0.1" }, false],
  // A WebSocket: its Origin or nothing.
  [GET, { ...WEB_SOCKET, origin: "https://app.example" }, true],
  [GET, WEB_SOCKET, false],
  [GET, { ...WEB_SOCKET, "sec-fetch-site": "same-origin" }, false],
  [GET, { ...WEB_SOCKET, "x-session-id": "one" }, false],
] as const;

for (const [method, headers, proves] of REQUESTS) {
  Deno.test(`a cookie alone is ${proves ? "enough" : "not enough"} on ${method} with ${JSON.stringify(headers)}`, () => {
    assertEquals(provesItsPage({ method, headers } as unknown as IncomingMessage), proves);
  });
}

const TAGS = [
  [{}, false],
  [{ "sec-fetch-site": "same-origin" }, false],
  [{ "sec-fetch-site": "none" }, false],
  [{ "sec-fetch-site": "same-site" }, true],
  [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }, true],
  [{ "sec-fetch-site": "cross-site", origin: "https://app.example" }, false],
] as const;

for (const [headers, isForeign] of TAGS) {
  Deno.test(`a tag of a foreign page has ${isForeign ? "" : "not "}sent ${JSON.stringify(headers)}`, () => {
    assertEquals(isSentByForeignTag({ headers } as unknown as IncomingMessage), isForeign);
  });
}
