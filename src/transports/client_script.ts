import script from "../dist/client.js" with { type: "text" };
import type { PageContent } from "./page.ts";

/**
 * `resumable()` for browsers, as `deno task build:client` writes it.
 *
 * A page of another origin imports it under the rule for all requests: when its origin is let in.
 */
export function loadClientScript(): Promise<PageContent> {
  return Promise.resolve({
    type: "text/javascript; charset=utf-8",
    text: script,
    // As a script it goes by its page's own policy; opened by itself it may do nothing.
    policy: "default-src 'none'; frame-ancestors 'none'",
  });
}
