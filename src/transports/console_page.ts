import style from "../console/console.css" with { type: "text" };
import script from "../console/dist/console.js" with { type: "text" };
import page from "../console/page.html" with { type: "text" };
import type { PageContent, PageOptions } from "./page.ts";

/**
 * Its own script and style, its own server, and nothing else. No text becomes markup:
 * browsers that know trusted types refuse every such way.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/** The console: the page at `/`. Whether it asks for a token stands in it, as `data-needs-token`. */
export function loadConsole({ needsToken }: PageOptions): Promise<PageContent> {
  const text = needsToken ? page.replace('<html lang="en">', '<html lang="en" data-needs-token>') : page;
  return Promise.resolve({ type: "text/html; charset=utf-8", text, policy: POLICY });
}

/** The console's script, as `deno task build:console` writes it. */
export function loadConsoleScript(): Promise<PageContent> {
  return Promise.resolve({ type: "text/javascript; charset=utf-8", text: script, policy: POLICY });
}

/** The console's style sheet. */
export function loadConsoleStyle(): Promise<PageContent> {
  return Promise.resolve({ type: "text/css; charset=utf-8", text: style, policy: POLICY });
}
