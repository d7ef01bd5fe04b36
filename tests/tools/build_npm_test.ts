import { assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };

const ROOT = new URL("../../", import.meta.url);

const RUN = `
import { createClient } from "graphql-ws";
import { resumable } from "graphql-rooms/client";

const options = resumable({ connectionParams: { userId: "ann" } });
class WebSocketImpl { static CONNECTING = 0; static OPEN = 1; static CLOSING = 2; static CLOSED = 3; }
createClient({ url: "ws://127.0.0.1/graphql", webSocketImpl: WebSocketImpl, ...options });
console.log(JSON.stringify(await options.connectionParams()));
`;

/** What a program does with it; the last line is an error, so that the types are there and say something. */
const CONSUMER = `
import { createClient } from "graphql-ws";
import { resumable, type ResumableOperation } from "graphql-rooms/client";

const url = "ws://127.0.0.1/graphql";
const gaps: ResumableOperation[] = [];
export const clients = [
  createClient({ url, ...resumable() }),
  createClient({ url, lazy: false, ...resumable({ connectionParams: { userId: "ann" } }) }),
  createClient({
    url,
    ...resumable({
      connectionParams: () => Promise.resolve(null),
      onGap: (operation) => void gaps.push(operation),
      onRecovered: async ({ operationId, query, variables, operationName }) =>
        console.log(operationId.length, query.length, variables?.["room"], operationName?.length),
    }),
  }),
];
// @ts-expect-error there is no such option
resumable({ onLoss() {} });
`;

/** `skipLibCheck` stays off: the declarations themselves are checked too. */
const COMPILER_OPTIONS = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  isolatedModules: true,
  module: "nodenext",
  target: "es2022",
  lib: ["es2022", "esnext.disposable", "dom", "dom.iterable", "dom.asynciterable"],
  types: [],
  noEmit: true,
  preserveSymlinks: true,
};

Deno.test("the npm package holds what its manifest names, in the version of this server", async () => {
  await using project = await installPackage();

  const names = Array.from(Deno.readDirSync(project.packagePath), ({ name }) => name).sort();
  const manifest = JSON.parse(await Deno.readTextFile(`${project.packagePath}/package.json`));
  const script = await Deno.readTextFile(`${project.packagePath}/client.js`);

  assertEquals(names, ["LICENSE", "README.md", "client.d.ts", "client.js", "package.json"]);
  assertEquals([manifest.name, manifest.version, manifest.license], ["graphql-rooms", config.version, "MIT"]);
  assertEquals(manifest.exports["./client"], { types: "./client.d.ts", default: "./client.js" });
  assertEquals(script, await Deno.readTextFile(new URL("src/dist/client.js", ROOT)));
});

Deno.test("Node imports resumable() from the npm package, and graphql-ws takes its options", async () => {
  await using project = await installPackage();
  await Deno.writeTextFile(`${project.path}/run.mjs`, RUN);

  const { code, text } = await run("node", ["--preserve-symlinks", "run.mjs"], project.path);

  assertEquals(code, 0, text);
  const { userId, sessionId } = JSON.parse(text);
  assertEquals([userId, sessionId.length], ["ann", 36]);
});

Deno.test("TypeScript finds the types of the npm package, and they fit graphql-ws in its strictest mode", async () => {
  await using project = await installPackage();
  await Deno.writeTextFile(`${project.path}/consumer.ts`, CONSUMER);
  const settings = { compilerOptions: COMPILER_OPTIONS, files: ["consumer.ts"] };
  await Deno.writeTextFile(`${project.path}/tsconfig.json`, JSON.stringify(settings));

  const { code, text } = await run("node", [`${await folderOf("typescript")}/bin/tsc`], project.path);

  assertEquals([code, text], [0, ""]);
});

/** A project with the package, as a fresh build writes it, and what its users have beside it. */
async function installPackage() {
  const path = await Deno.makeTempDir();
  const packagePath = `${path}/node_modules/graphql-rooms`;
  const [program, ...args] = config.tasks["build:npm"].command.replaceAll("dist/npm", packagePath).split(" ");
  const { code, text } = await run(program === "deno" ? Deno.execPath() : program!, [...args, packagePath], ROOT);
  assertEquals(code, 0, text);
  await Deno.writeTextFile(`${path}/package.json`, `{ "type": "module" }`);
  for (const name of ["graphql", "graphql-ws"]) {
    await Deno.symlink(await folderOf(name), `${path}/node_modules/${name}`);
  }
  return { path, packagePath, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Where Deno keeps a package. */
async function folderOf(name: string): Promise<string> {
  for (
    let folder = new URL("./", import.meta.resolve(name));
    folder.pathname !== "/";
    folder = new URL("../", folder)
  ) {
    const isTop = await Deno.stat(new URL("package.json", folder)).then(({ isFile }) => isFile, () => false);
    if (isTop) return decodeURIComponent(folder.pathname).replace(/\/$/, "");
  }
  throw new Error(`Cannot find the package "${name}"`);
}

async function run(program: string, args: readonly string[], cwd: string | URL) {
  const { code, stdout, stderr } = await new Deno.Command(program, { args: [...args], cwd, env: { NO_COLOR: "1" } })
    .output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}
