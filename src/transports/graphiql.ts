import boot from "./graphiql_boot.js" with { type: "text" };
import style from "./graphiql.css" with { type: "text" };
import { graphiqlTabs } from "./graphiql_tabs.ts";
import { hashSource, type PageContent, type PageOptions } from "./page.ts";

/**
 * GraphiQL in one page that loads nothing from anywhere.
 *
 * The package's own `renderGraphiQL` takes options that are JSON. This page runs a few
 * lines of its own before (`graphiql_boot.js`), so it is put together here, of the same
 * parts. They are 9 MB, hence loaded when somebody asks for them.
 */
export async function loadGraphiql(options: PageOptions): Promise<PageContent> {
  const { css, js, editorWorkerService, graphqlWorker, jsonWorker } = await import(
    "@graphql-yoga/render-graphiql/graphiql"
  );
  const workers = { editorWorkerService, graphql: graphqlWorker, json: jsonWorker };
  const constants = Object.entries({
    WORKERS: workers,
    TABS: graphiqlTabs(options),
    NEEDS_TOKEN: options.needsToken,
    INTROSPECTION: options.introspection,
  }).map(([name, value]) => `const ${name} = ${toScript(value)};\n`);
  const script = `${js};\n${constants.join("")}${boot}`;
  return {
    type: "text/html; charset=utf-8",
    text: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>GraphiQL · graphql-rooms</title>
<link rel="icon" href="data:,">
<style>${css}\n${style}</style>
</head>
<body>
<noscript>GraphiQL needs JavaScript.</noscript>
<div id="root"></div>
<script>${script}</script>
</body>
</html>
`,
    policy: policyFor(script),
  };
}

/** The editor writes style elements, and runs its workers from blobs; nothing else is let in. */
function policyFor(script: string): string {
  return [
    "default-src 'none'",
    `script-src ${hashSource(script)}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** JSON that cannot end the script it stands in. */
function toScript(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}
