import { assertEquals } from "@std/assert";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** What a headless Chromium needs to run in a container, and to ask nobody for anything by itself. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const PATIENCE_MS = 10_000;

/** How a page is looked at: its window, its colours, its language. */
export type PageOptions = BrowserContextOptions;

/** A page, and everything that went wrong in it or out of it. */
export interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  /** URLs of every request and WebSocket, those of workers too. */
  readonly urls: readonly string[];
  /** Errors and warnings of the console, uncaught exceptions, violations of the page's policy. */
  readonly problems: readonly string[];
}

/** The Chromium on PATH; undefined when there is none. */
export function findChromium(): string | undefined {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    const path = `${folder}/chromium`;
    try {
      if (Deno.statSync(path).isFile) return path;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

/** Starts Chromium with a new, empty profile. */
export async function launchChromium(executablePath: string): Promise<Browser> {
  return await chromium.launch({ executablePath, args: FLAGS, headless: true });
}

/** Opens a page in a context of its own: no cookie and no storage of another. */
export async function openPage(
  browser: Browser,
  url: string,
  options: PageOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const urls: string[] = [];
  const problems: string[] = [];
  context.on("request", (request) => urls.push(request.url()));
  context.on("weberror", (error) => problems.push(String(error.error())));
  context.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") problems.push(message.text());
  });
  const page = await context.newPage();
  page.on("websocket", (socket) => urls.push(socket.url()));
  await page.goto(url);
  return { page, urls, problems, [Symbol.asyncDispose]: () => context.close() };
}

/** Fails when a request has left this machine, or the page has complained of anything. */
export function assertClean({ urls, problems }: WatchedPage, port: number): void {
  const strangers = urls.filter((url) => new URL(url.replace(/^blob:/, "")).host !== `127.0.0.1:${port}`);
  assertEquals({ strangers, problems }, { strangers: [], problems: [] });
}

/**
 * Registers a test that has a Chromium to itself.
 *
 * Without a Chromium on PATH the test is ignored and its name says so; with
 * `REQUIRE_CHROMIUM=1` it fails instead.
 */
export function browserTest(name: string, run: (browser: Browser, t: Deno.TestContext) => Promise<void>): void {
  const path = findChromium();
  if (path === undefined && Deno.env.get("REQUIRE_CHROMIUM") !== "1") {
    return Deno.test.ignore(`${name} (not run: there is no chromium on PATH)`, () => {});
  }
  Deno.test(name, async (t) => {
    if (path === undefined) throw new Error("Cannot run this test: no chromium on PATH, and REQUIRE_CHROMIUM is 1");
    const browser = await launchChromium(path);
    try {
      await run(browser, t);
    } finally {
      await browser.close();
    }
  });
}
