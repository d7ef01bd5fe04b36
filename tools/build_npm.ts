/** Writes the npm package `graphql-rooms`, with `resumable()`, into dist/npm or the folder that is named. */
import { parseArgs } from "@std/cli/parse-args";
import ts from "typescript";
import config from "../deno.json" with { type: "json" };
import { VERSION } from "../src/version.ts";

const ROOT = new URL("../", import.meta.url);

const MANIFEST = {
  name: "graphql-rooms",
  version: VERSION,
  description: "Exactly once over GraphQL subscriptions: resumable() for graphql-ws, with a graphql-rooms server",
  license: config.license,
  type: "module",
  sideEffects: false,
  exports: { "./client": { types: "./client.d.ts", default: "./client.js" } },
  engines: { node: ">=20" },
  peerDependencies: { "graphql-ws": "^6.0.0" },
  // Its types are described, not imported; and a page may have it from elsewhere.
  peerDependenciesMeta: { "graphql-ws": { optional: true } },
};

const README = `# graphql-rooms

\`resumable()\`: options for [graphql-ws](https://the-guild.dev/graphql/ws) with which a client of a graphql-rooms
server loses and repeats nothing when its connection breaks. In browsers and on Node 20 or later, also under Apollo
Client and urql.

\`\`\`js
import { createClient } from "graphql-ws";
import { resumable } from "graphql-rooms/client";

const client = createClient({
  url: "ws://127.0.0.1:4000/graphql", // on Node before 22 also: webSocketImpl, from the package ws
  ...resumable({
    connectionParams: { userId: "ann" },
    onGap: ({ variables }) => console.warn("Messages are missing for good:", variables),
  }),
});
\`\`\`

\`client.d.ts\` says what can be set. The license is MIT.
`;

const [folder = "dist/npm"] = parseArgs(Deno.args)._.map(String);
const output = new URL(`${folder}/`, ROOT);
await Deno.mkdir(output, { recursive: true });
await Promise.all([
  Deno.copyFile(new URL("src/dist/client.js", ROOT), new URL("client.js", output)),
  Deno.copyFile(new URL("LICENSE", ROOT), new URL("LICENSE", output)),
  Deno.writeTextFile(new URL("client.d.ts", output), declare(await Deno.readTextFile(new URL("src/client.ts", ROOT)))),
  Deno.writeTextFile(new URL("package.json", output), JSON.stringify(MANIFEST, null, 2) + "\n"),
  Deno.writeTextFile(new URL("README.md", output), README),
]);

/** The declarations of a source, of which it names every type. */
function declare(source: string): string {
  const { outputText, diagnostics = [] } = ts.transpileDeclaration(source, {
    fileName: "client.ts",
    reportDiagnostics: true,
    compilerOptions: { isolatedDeclarations: true, declaration: true, strict: true },
  });
  const [first] = diagnostics;
  if (first === undefined) return outputText;
  throw new Error(`Cannot declare src/client.ts: ${ts.flattenDiagnosticMessageText(first.messageText, "\n")}`);
}
