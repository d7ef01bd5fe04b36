import { deadline } from "@std/async/deadline";
import type { CutClientKind } from "./cut_client.ts";
import { CutSubject } from "./cut_subject.ts";
import { type CutName, CUTS, cutsFor } from "./cuts.ts";
import { HistoryChecker, type HistoryVerdict } from "./history_checker.ts";
import { PacedSender } from "./paced_sender.ts";
import { seeded } from "./seeded.ts";
import { ServerProcess } from "./server_process.ts";

/** What a run of cuts is to be. */
export interface CutRunOptions {
  readonly kind: CutClientKind;
  /** How many connections are ended at least, all clients together. */
  readonly cuts: number;
  readonly seed: number;
  /** Clients that run at once, each on a network of its own. */
  readonly clients: number;
  /** Of the server. */
  readonly flags?: readonly string[];
  /** Called with each more that are done, of all clients together. */
  readonly onCuts?: (cuts: number) => void;
}

/** What a run of cuts comes to. */
export interface CutRunResult {
  /** Whether nothing was lost without a word, repeated wrongly, or given up. */
  readonly ok: boolean;
  readonly verdict: HistoryVerdict;
  /** Connections ended. */
  readonly cuts: number;
  /** How often each way to break was chosen; some end two connections. */
  readonly chosen: Partial<Record<CutName, number>>;
  /** Subscriptions that went on over a new connection. */
  readonly returns: number;
  readonly messages: number;
  readonly deliveries: number;
  readonly announcedLosses: number;
  readonly unannouncedLosses: number;
  /** Messages that came again after a reconnect. */
  readonly repeats: number;
  readonly seconds: number;
  /** What a failing assertion shows: all that is needed to run it again. */
  readonly summary: string;
}

const ROOMS = ["lobby", "attic"];
/** Between two cuts a client gets fewer messages than these. */
const REST_MESSAGES = 6;
/** Before one cut in so many the client is told where it is: about once a second, or it would never be. */
const TOLD = 4;
/** How long one cut may take, until the client is back, in milliseconds. */
const PATIENCE_MS = 20_000;

/**
 * Cuts clients of one kind off, again and again, while messages are sent.
 *
 * The server is a process of its own. Every other client follows two rooms over its one
 * connection. What happens follows from the seed; when exactly, from the machine.
 */
export async function runCuts({ kind, cuts, seed, clients, flags = [], onCuts }: CutRunOptions): Promise<CutRunResult> {
  await using server = await ServerProcess.start(...flags);
  const checker = new HistoryChecker();
  const sender = new PacedSender({ server, checker, rooms: ROOMS, random: seeded(seed * 1_000 - 1) });
  await using stack = new AsyncDisposableStack();
  const subjects: CutSubject[] = [];
  for (let at = 0; at < clients; at++) {
    const rooms = at % 2 === 0 ? [ROOMS[at / 2 % ROOMS.length]!] : ROOMS;
    const random = seeded(seed * 1_000 + at);
    const deps = { name: `user-${at + 1}`, kind, port: server.port, rooms, checker, sender, random };
    subjects.push(stack.use(await CutSubject.start(deps)));
  }
  const startMs = performance.now();
  sender.start();
  const chosen: Partial<Record<CutName, number>> = {};
  const total = () => subjects.reduce((sum, subject) => sum + subject.cuts, 0);
  const troubles = await Promise.all(
    subjects.map((subject) =>
      breakOften(subject, Math.ceil(cuts / clients), (name) => {
        chosen[name] = (chosen[name] ?? 0) + 1;
        onCuts?.(total());
      })
    ),
  );
  // A message that does not come is the checker's to tell of, with all it knows.
  const back = subjects.filter((_, at) => troubles[at] === undefined);
  const finished = deadline(Promise.all(back.map((subject) => subject.finished())), PATIENCE_MS / 2);
  await Promise.all([sender.finish(), finished.catch(() => {})]);

  const verdict = checker.verdict();
  const { ok, counts: { loss = 0, undelivered = 0 }, repeats, sent, delivered, announcedLosses } = verdict;
  const failures = troubles.filter((trouble) => trouble !== undefined);
  return {
    ok: ok && failures.length === 0,
    verdict,
    cuts: total(),
    chosen,
    returns: subjects.reduce((sum, { returns }) => sum + returns, 0),
    messages: sent,
    deliveries: delivered,
    announcedLosses,
    unannouncedLosses: loss + undelivered,
    repeats: repeats[kind.name] ?? 0,
    seconds: (performance.now() - startMs) / 1_000,
    summary: [`${kind.name}: ${clients} clients, ${cuts} cuts, seed ${seed}`, ...failures, verdict.summary].join("\n"),
  };
}

/** Breaks a client's connections so often; what went wrong, when something did. */
async function breakOften(
  subject: CutSubject,
  cuts: number,
  onDone: (name: CutName) => void,
): Promise<string | undefined> {
  const names = cutsFor(subject.kind);
  const within = (step: Promise<void>) => deadline(Promise.race([step, subject.gone]), PATIENCE_MS);
  let doing = "start";
  try {
    await within(subject.live());
    while (subject.cuts < cuts) {
      const name = names[subject.upTo(names.length)]!;
      doing = `cut ${subject.cuts + 1}, ${name}`;
      if (subject.kind.isTold && subject.upTo(TOLD) === 0) await within(subject.told());
      await within(subject.delivered(subject.upTo(REST_MESSAGES)));
      await within(CUTS[name](subject));
      onDone(name);
    }
  } catch (error) {
    return `${subject.name} failed at ${doing}: ${Deno.inspect(error)}`;
  }
}
