/** What a client may do next, right or wrong. */
export type Command =
  | { readonly kind: "query" | "live" | "refused" | "refusedLater" | "complete"; readonly id: string }
  | { readonly kind: Exclude<keyof typeof PLAIN_COMMANDS, never> };

/** Commands that are not about an operation, and the close each gets at once; undefined when none. */
export const PLAIN_COMMANDS = {
  init: undefined,
  ping: undefined,
  pong: undefined,
  controlPing: undefined,
  badInit: "close 4400",
  badSubscribe: "close 4400",
  unknownType: "close 4400",
  serverType: "close 4400",
  noJson: "close 4400",
  binary: "close 4400",
  brokenFrame: "close 1002",
  goodbye: "close 1000",
} as const;

/**
 * graphql-transport-ws as a state machine: what must come of commands, told in the words of a wire client.
 *
 * What is sent in one chunk is read in one go: answers come when it is over. If the
 * connection ends within the chunk, they may come or not.
 */
export class ProtocolModel {
  /** What has come for certain, by what it is about: an operation, or nothing. */
  readonly said = new Map<string, string[]>();
  /** The close that ends it. */
  end: string | undefined;
  /** Subscriptions that are followed. */
  readonly live = new Set<string>();
  /** What may have come beside: answers of the chunk in which it ended. */
  readonly perhaps = new Map<string, string[]>();
  #initiated = false;
  #acknowledged = false;
  /** Operations whose id is taken, and what is to come of each. */
  readonly #running = new Map<string, "query" | "live" | "refusedLater">();
  /** What the chunk's messages are answered with when it is over. */
  #answers: string[] = [];

  /** Takes what a client sends in one go. */
  take(chunk: readonly Command[]): void {
    for (const command of chunk) if (this.end === undefined) this.#take(command);
    for (const [id, kind] of this.#running) {
      if (kind === "query") this.#answers.push(`next ${id}`, `complete ${id}`);
      if (kind === "refusedLater") this.#answers.push(`error ${id} BAD_USER_INPUT`);
      if (kind === "live") this.live.add(id);
      else this.#running.delete(id);
    }
    if (this.#initiated && !this.#acknowledged) this.#answers.push("ack");
    this.#acknowledged = this.#initiated;
    for (const answer of this.#answers) add(this.end === undefined ? this.said : this.perhaps, answer);
    this.#answers = [];
  }

  /** A message is sent to everybody who follows. */
  publish(): void {
    for (const id of this.live) add(this.said, `next ${id}`);
  }

  #take(command: Command): void {
    switch (command.kind) {
      case "init":
        if (this.#initiated) this.end = "close 4429";
        this.#initiated = true;
        return;
      case "ping":
        this.#answers.push("pong");
        return;
      case "controlPing":
        return add(this.said, "pong frame here");
      case "complete":
        this.#running.delete(command.id);
        this.live.delete(command.id);
        return;
      case "query":
      case "live":
      case "refused":
      case "refusedLater":
        return this.#subscribe(command.kind, command.id);
      default:
        this.end = PLAIN_COMMANDS[command.kind];
    }
  }

  #subscribe(kind: "query" | "live" | "refused" | "refusedLater", id: string): void {
    if (!this.#acknowledged) this.end = "close 4401";
    else if (this.#running.has(id)) this.end = "close 4409";
    else if (kind === "refused") add(this.said, `error ${id} GRAPHQL_PARSE_FAILED`);
    else this.#running.set(id, kind);
  }
}

/** Adds what has come to what has come before about the same. */
export function add(said: Map<string, string[]>, text: string): void {
  const about = /^(?:next|complete|error) (\S+)/.exec(text)?.[1] ?? text;
  const before = said.get(about);
  if (before === undefined) said.set(about, [text]);
  else before.push(text);
}
