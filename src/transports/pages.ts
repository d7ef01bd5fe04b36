import type { IncomingMessage, ServerResponse } from "node:http";
import type { Telemetry } from "../core/telemetry.ts";
import { loadClientScript } from "./client_script.ts";
import { loadConsole, loadConsoleScript, loadConsoleStyle } from "./console_page.ts";
import { loadGraphiql } from "./graphiql.ts";
import { Page, type PageContent, type PageOptions } from "./page.ts";
import { GRAPHQL_PATH } from "./paths.ts";

/** What a browser is shown. */
export interface Pages {
  /** Takes on a request for a page and answers it. False, and nothing done, when it is for none. */
  answer(request: IncomingMessage, response: ServerResponse): boolean;
}

/** Where the pages are; what is not in it is no page. */
const LOADERS: Readonly<Record<string, (options: PageOptions) => Promise<PageContent>>> = {
  "/": loadConsole,
  "/console.js": loadConsoleScript,
  "/console.css": loadConsoleStyle,
  "/client.js": loadClientScript,
  [GRAPHQL_PATH]: loadGraphiql,
};

/** The console at `/` with what it loads, the client's script, and GraphiQL on the API's own path. */
export function createPages(telemetry: Telemetry, options: PageOptions): Pages {
  const pages = new Map(
    Object.entries(LOADERS).map(([name, load]) => [name, new Page({ name, load: () => load(options), telemetry })]),
  );
  return {
    answer(request, response) {
      if (request.method !== "GET" && request.method !== "HEAD") return false;
      // Not parsed as a URL: a path like "//" would be none.
      const [path = "", search] = (request.url ?? "").split("?", 2);
      const page = pages.get(path);
      if (page === undefined) return false;
      if (path === GRAPHQL_PATH && (new URLSearchParams(search).has("query") || !isFromBrowser(request))) return false;
      void page.answer(request, response);
      return true;
    },
  };
}

/** Browsers name HTML when they open a page, and GraphQL clients never do. */
function isFromBrowser(request: IncomingMessage): boolean {
  return /\btext\/html\b/i.test(request.headers.accept ?? "");
}
