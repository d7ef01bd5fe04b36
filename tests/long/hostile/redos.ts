import { assert, assertEquals } from "@std/assert";
import recheck from "recheck";

/** The package's pure JavaScript has no types of its own. */
const check: (pattern: string, flags: string) => { readonly status: string } = recheck.checkSync;
const SRC = new URL("../../../src/", import.meta.url);

/** A regular expression in the source. */
interface Found {
  readonly file: string;
  readonly pattern: string;
  readonly flags: string;
}

Deno.test("ReDoS: every regular expression of src takes linear time, and none is made of a text", async () => {
  const found: Found[] = [];
  const constructed: string[] = [];
  for await (const file of sources(SRC)) await collect(file, found, constructed);

  assert(found.length > 20, "the search finds them");
  assertEquals(constructed, []);
  for (const { file, pattern, flags } of found) {
    assertEquals(check(pattern, flags).status, "safe", `${file}: ${pattern}`);
  }
});

Deno.test("ReDoS: what looks for them finds one that is bad", () => {
  assertEquals(check("^(a+)+$", "").status, "vulnerable");
});

/** All of it that is written by hand. */
async function* sources(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory && name !== "dist") yield* sources(new URL(`${name}/`, folder));
    else if (/\.[jt]s$/.test(name)) yield new URL(name, folder);
  }
}

/** Reads a file as `deno lint` does. */
async function collect(file: URL, found: Found[], constructed: string[]): Promise<void> {
  const isRegExp = (node: Deno.lint.Node): boolean => node.type === "Identifier" && node.name === "RegExp";
  const plugin: Deno.lint.Plugin = {
    name: "regular-expressions",
    rules: {
      find: {
        create: () => ({
          Literal(node) {
            // Other literals have the property too, with nothing in it.
            if (typeof node.raw === "string" && "regex" in node && typeof node.regex?.pattern === "string") {
              found.push({ file: file.pathname, pattern: node.regex.pattern, flags: node.regex.flags });
            }
          },
          NewExpression: ({ callee }) => void (isRegExp(callee) && constructed.push(file.pathname)),
          CallExpression: ({ callee }) => void (isRegExp(callee) && constructed.push(file.pathname)),
        }),
      },
    },
  };
  Deno.lint.runPlugin(plugin, file.pathname, await Deno.readTextFile(file));
}
