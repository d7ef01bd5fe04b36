const FILE = new URL("../BENCHMARKS.md", import.meta.url).pathname;

/** One part of the file. */
export interface Section {
  /** Names its markers. */
  readonly name: string;
  readonly title: string;
  /** Markdown, without the title. */
  readonly text: string;
}

const INTRODUCTION = `# Benchmarks

This server beside others, each a process of its own, under one load generator that checks every delivery.
[bench/README.md](bench/README.md) says what is done, what is checked and what is not measured.

    deno task bench --write          # everything, and this file
    deno task bench --quick          # a first look, two minutes
    deno task bench --only fan-out --peers graphql-rooms,socket.io

**How to read it.** Figures are medians over the repeats. The first column of figures is what servers are compared by,
nearly always _per CPU-second_ of the server's process and its children, user and system, so that it does not matter who
else keeps the machine busy. _x Socket.IO_ is the median of the ratios within each repeat: trust it before the figure.
_frame_ is one delivery on the wire; _server CPU_, _generator CPU_ and _other CPU_ are shares of one core. Each section
was measured when it says.

**Who they are.** Socket.IO, _ws_ (rooms of its own, each message made into text once) and _C_ (epoll, one \`send\` for
each delivery, nothing else) do no GraphQL: what they do is a limit, not an equal. _Yoga_ is graphql-yoga with graphql-ws
as its pages have it, Mercurius fastify's GraphQL server. Under latency, memory and CPU of a connection less is better.
In the first table _floor_ is what must hold and _goal_ what is aimed at; connections and growth are measured once.
`;

/** Writes the sections into BENCHMARKS.md: in place of those of the same names, the others stay. */
export async function writeSections(sections: readonly Section[]): Promise<void> {
  let text = await read();
  for (const section of sections) text = put(text, section);
  await Deno.writeTextFile(FILE, text);
  const { success } = await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", FILE] }).output();
  if (!success) throw new Error(`Cannot format ${FILE}`);
}

async function read(): Promise<string> {
  try {
    return await Deno.readTextFile(FILE);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return INTRODUCTION;
    throw error;
  }
}

function put(text: string, { name, title, text: body }: Section): string {
  const [begin, end] = [`<!-- bench: ${name} -->`, `<!-- end of bench: ${name} -->`];
  const section = `${begin}\n\n## ${title}\n\n${body}\n\n${end}`;
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 && to < 0) return `${text.trimEnd()}\n\n${section}\n`;
  if (from < 0 || to < from) throw new Error(`Cannot write ${FILE}: the markers of "${name}" do not match`);
  return text.slice(0, from) + section + text.slice(to + end.length);
}
