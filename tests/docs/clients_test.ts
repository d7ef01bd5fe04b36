import { assert, assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { startLocalServer } from "../support/local_server.ts";
import { requestRaw } from "../support/raw_http.ts";
import { codeBlocks, readSnippets } from "../support/snippets.ts";

const ROOT = new URL("../../", import.meta.url);
const PAGE = read("docs/clients.md");
const SNIPPETS = new Map(
  Array.from(Deno.readDirSync(new URL("docs/clients/", ROOT)), ({ name }) => [...readSnippets(`docs/clients/${name}`)])
    .flat(),
);

Deno.test("docs/clients.md shows every region of docs/clients as it is, and no other code", () => {
  const shown = codeBlocks(PAGE);

  const written = Array.from(SNIPPETS.values(), ({ path, code }) => [path.endsWith(".sh") ? "sh" : "ts", code]);
  assertEquals(shown.map(String).sort(), written.map(String).sort());
});

Deno.test("docs/clients.md names for each client the packages that its lines import, pinned in deno.json", () => {
  const imports: Readonly<Record<string, string>> = config.imports;
  const installed = tableOf(PAGE).slice(2).map((row) => /`([^`]+)`/.exec(row[1] ?? "")?.[1]?.split(" ") ?? []);

  // The rows are in the order of the page's code blocks; curl's import nothing.
  const needed = codeBlocks(PAGE).map(([, code]) => packagesOf(code));
  for (const [index, packages] of installed.entries()) {
    for (const name of needed[index] ?? []) assert(packages.includes(name), `Row ${index + 1} lacks ${name}`);
    for (const name of packages) assert(imports[name] !== undefined, `deno.json does not pin ${name}`);
  }
});

Deno.test("docs/clients.md says how to get graphql-rooms: by a task that is there, and from a path that is served", async () => {
  await using server = await startLocalServer();
  const [, task] = /`deno task ([a-z:]+)` writes the package/.exec(PAGE) ?? [];
  const [, path] = /`http:\/\/127\.0\.0\.1:4000(\/[^`]+)`, on any page/.exec(PAGE.replace(/\s+/g, " ")) ?? [];

  assert(Object.hasOwn(config.tasks, task!), task);
  assertEquals((await requestRaw(server.port, path!)).headers["content-type"], "text/javascript; charset=utf-8");
});

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

/** The cells of the first table. */
function tableOf(text: string): readonly (readonly string[])[] {
  const rows = /(?:^\|.*\|\n)+/m.exec(text)?.[0].trim().split("\n") ?? [];
  return rows.map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim().replace(/^-+$/, "-")));
}

/** The packages to install. Ours is not published: the page says how to get it. */
function packagesOf(code: string): readonly string[] {
  return Array.from(
    code.matchAll(/ from "([^"]+)"/g),
    ([, name]) => name!.split("/").slice(0, name!.startsWith("@") ? 2 : 1).join("/"),
  ).filter((name) => name !== "graphql-rooms");
}
