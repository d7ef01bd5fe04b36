const ROOT = new URL("../../", import.meta.url);

/** Lines of a file that the documentation shows. */
export interface Snippet {
  readonly path: string;
  readonly code: string;
}

/** Language and text of each code block of a page. */
export function codeBlocks(page: string): readonly (readonly [string, string])[] {
  return Array.from(page.matchAll(/^```(\w*)\n([^]*?)^```$/gm), ([, language, code]) => [language!, code!] as const);
}

/** The parts of a file between `#region <name>` and `#endregion`, by name. */
export function readSnippets(path: string): Map<string, Snippet> {
  const text = Deno.readTextFileSync(new URL(path, ROOT));
  const regions = text.matchAll(/^(?:\/\/|#) #region (\S+)\n([^]*?)^(?:\/\/|#) #endregion$/gm);
  return new Map(Array.from(regions, ([, name, code]) => [name!, { path, code: code! }]));
}
