/**
 * The dependency arrow as a lint rule: what each part of src may import.
 *
 * main → create_rooms → {transports, graphql, engines, auth, telemetry, limits} → core, and
 * transports → graphql. Siblings never meet. Each package has its folder. The console
 * and client.ts run in the browser: transports know the texts they are built into, and
 * nothing of their code. client.ts imports nothing at all.
 */
const plugin: Deno.lint.Plugin = {
  name: "arrow",
  rules: {
    "dependency-arrow": {
      create(context) {
        const path = context.filename.replaceAll("\\", "/").replace(/^(?!\/)/, "/");
        if (!path.startsWith(SRC)) return {};
        const file = path.slice(SRC.length);
        const judge = (node: Deno.lint.Node, specifier: string, typesOnly: boolean) => {
          const message = findFault({ file, specifier, typesOnly });
          if (message !== undefined) context.report({ node, message, hint: HINT });
        };
        return {
          ImportDeclaration: (node) => judge(node, node.source.value, importsTypesOnly(node)),
          ExportAllDeclaration: (node) => judge(node, node.source.value, node.exportKind === "type"),
          ExportNamedDeclaration(node) {
            if (node.source !== null) judge(node, node.source.value, node.exportKind === "type");
          },
          ImportExpression(node) {
            const specifier = literalText(node.source);
            if (specifier !== undefined) return judge(node, specifier, false);
            context.report({ node, message: "Cannot import what is known only at run time", hint: HINT });
          },
          TSImportType(node) {
            const argument: Deno.lint.Node = node.argument;
            const specifier = literalText(argument.type === "TSLiteralType" ? argument.literal : argument);
            if (specifier !== undefined) judge(node, specifier, true);
          },
          TSExternalModuleReference: (node) => judge(node, node.expression.value, false),
        };
      },
    },
  },
};

export default plugin;

const HINT = "See the layout in ARCHITECTURE.md; the rule is tools/lint/arrow.ts";
const SRC = decodeURIComponent(new URL("../../src/", import.meta.url).pathname);

/** The folders between the top and core, and what each imports beside itself and core. */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  engines: [],
  auth: [],
  telemetry: [],
  limits: [],
  graphql: [],
  transports: ["graphql"],
  console: [],
};

/** The top's files, and what each imports. */
const OPTIONS = ["options.ts", "check_options.ts"];
const PARTS = [
  "core",
  "engines",
  "auth",
  "telemetry",
  "limits",
  "graphql",
  "transports",
  "console",
  ...OPTIONS,
  "version.ts",
];
const SETTINGS = ["settings.ts", "setting_kinds.ts", "help.ts"];
const TOP: Readonly<Record<string, readonly string[]>> = {
  "main.ts": [...PARTS, ...SETTINGS, "create_rooms.ts", "last_resort.ts"],
  "mod.ts": [...PARTS, "create_rooms.ts"],
  "create_rooms.ts": PARTS,
  "settings.ts": ["core", "telemetry", ...OPTIONS, ...SETTINGS],
  "setting_kinds.ts": ["core", ...OPTIONS],
  "help.ts": SETTINGS,
  "options.ts": ["core", ...OPTIONS],
  "check_options.ts": ["core", ...OPTIONS],
  "last_resort.ts": ["core"],
  "version.ts": [],
  "client.ts": [],
};

/** Parts that run without the rest of the server: in a browser, or with nothing but the language. */
const ALONE: ReadonlySet<string> = new Set(["core", "console", "client.ts"]);

/** What transports serve of the console and the client: texts, not code to be run here. */
const TEXTS = /^\/src\/(?:console\/.+\.(?:html|css|js)|dist\/client\.js)$/;

/** Where a package may be imported. */
interface Package {
  /** The folder it belongs to. */
  readonly folder: string;
  /** Folders that may import its types too. */
  readonly types?: readonly string[];
  /** What the browser's side may import, which for the rest stands alone. */
  readonly browser?: string;
}

const PACKAGES: Readonly<Record<string, Package>> = {
  "graphql": { folder: "graphql", types: ["transports"] },
  "graphql-scalars": { folder: "graphql" },
  "@pothos/core": { folder: "graphql" },
  "graphql-yoga": { folder: "transports" },
  "@graphql-yoga/render-graphiql": { folder: "transports" },
  "graphql-ws": { folder: "transports", browser: "graphql-ws/client" },
  "ws": { folder: "transports" },
  "@logtape/logtape": { folder: "telemetry" },
  "jose": { folder: "auth" },
  "@redis/client": { folder: "engines" },
  "rate-limiter-flexible": { folder: "limits" },
};

interface Import {
  /** The importing file's path in src. */
  readonly file: string;
  readonly specifier: string;
  readonly typesOnly: boolean;
}

/** What is wrong with an import; undefined when nothing is. */
function findFault(found: Import): string | undefined {
  const { file, specifier } = found;
  if (/^\.{0,2}\//.test(specifier) || specifier.startsWith("file:")) return findFileFault(found);
  if (!/^[a-z]+:/i.test(specifier)) return findPackageFault(found);
  if (!specifier.startsWith("node:")) {
    return `Cannot import "${specifier}": packages have bare names in code and their versions in deno.json`;
  }
  return ALONE.has(partOf(file)) ? cannotImport(found, "imports nothing outside itself") : undefined;
}

function findFileFault(found: Import): string | undefined {
  const { file, specifier } = found;
  if (file === "version.ts" && specifier === "../deno.json") return undefined;
  const target = new URL(specifier, `file:///src/${encodeURI(file)}`).pathname;
  if (!specifier.startsWith(".") || !target.startsWith("/src/")) {
    return cannotImport(found, "imports nothing outside src");
  }
  const [from, to] = [partOf(file), partOf(target.slice("/src/".length))];
  if (from === to || (from === "transports" && TEXTS.test(target))) return undefined;
  const top = TOP[from];
  if (top !== undefined) {
    return top.includes(to) ? undefined : cannotImport(
      found,
      top.length === 0 ? "imports nothing outside itself" : `imports of src only ${top.join(", ")}`,
    );
  }
  const folder = FOLDERS[from];
  if (folder === undefined) {
    return `Cannot import "${specifier}": src/${from} has no place in the dependency arrow yet, give it one`;
  }
  if (ALONE.has(from)) return cannotImport(found, "imports nothing outside itself");
  const allowed = [...folder, "core"];
  return allowed.includes(to) ? undefined : cannotImport(found, `imports of src only ${[from, ...allowed].join(", ")}`);
}

function findPackageFault(found: Import): string | undefined {
  const { file, specifier, typesOnly } = found;
  const part = partOf(file);
  const name = specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
  const known = PACKAGES[name];
  if (part === "console" && known?.browser === specifier) return undefined;
  if (ALONE.has(part)) return cannotImport(found, "imports nothing outside itself");
  if (name.startsWith("@std/")) return undefined;
  if (known === undefined) {
    return `Cannot import "${specifier}": the package has no folder in the dependency arrow yet, give it one`;
  }
  const { folder, types = [] } = known;
  if (part === folder || (typesOnly && types.includes(part))) return undefined;
  const exception = types.length === 0 ? "" : `, and its types also to src/${types.join(", src/")}`;
  return `Cannot import "${specifier}" in src/${file}: the package belongs to src/${folder}${exception}`;
}

function cannotImport({ file, specifier }: Import, rule: string): string {
  return `Cannot import "${specifier}" in src/${file}: src/${partOf(file)} ${rule}`;
}

/** The first folder of a path in src, or the file itself. */
function partOf(path: string): string {
  return path.split("/", 1)[0] ?? path;
}

function importsTypesOnly({ importKind, specifiers }: Deno.lint.ImportDeclaration): boolean {
  if (importKind === "type") return true;
  return specifiers.length > 0 &&
    specifiers.every((specifier) => specifier.type === "ImportSpecifier" && specifier.importKind === "type");
}

function literalText(node: Deno.lint.Node): string | undefined {
  if (node.type === "Literal" && typeof node.value === "string") return node.value;
  if (node.type === "TemplateLiteral" && node.expressions.length === 0) return node.quasis[0]?.cooked;
  return undefined;
}
