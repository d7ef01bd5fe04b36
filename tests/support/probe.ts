import { FencedClient } from "./fenced_client.ts";

const LOBBY = `subscription { messages(room: "lobby") { content } }`;
const SEND = `mutation ($content: String!) { sendMessage(room: "lobby", content: $content) { success } }`;

/** What a probe has seen: times in milliseconds from a message's sending to its coming back. */
export interface Probing {
  readonly sent: number;
  readonly inOrder: boolean;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** A user who sends to a room and reads it: what floods do to others is seen by it. */
export class Probe implements AsyncDisposable {
  readonly #client: FencedClient;
  readonly #heard: string[];
  readonly #arrivals: Map<string, () => void>;

  private constructor(client: FencedClient, heard: string[], arrivals: Map<string, () => void>) {
    this.#client = client;
    this.#heard = heard;
    this.#arrivals = arrivals;
  }

  static async open(url: string, userId: string): Promise<Probe> {
    const heard: string[] = [];
    const arrivals = new Map<string, () => void>();
    const client = await FencedClient.open(url, {
      init: { userId },
      answers: true,
      onMessage({ type, payload }) {
        if (type !== "next") return;
        const { content } = payload.data.messages;
        if (!content.startsWith(`${userId} `)) return;
        heard.push(content);
        arrivals.get(content)?.();
      },
    });
    client.subscribe("lobby", LOBBY);
    await client.fence();
    return new Probe(client, heard, arrivals);
  }

  /** Sends so many messages, one each so many milliseconds, and waits for each. Throws when one is refused. */
  async run(
    userId: string,
    { count, everyMs }: { readonly count: number; readonly everyMs: number },
  ): Promise<Probing> {
    const times: number[] = [];
    const sent: string[] = [];
    this.#heard.length = 0;
    for (let index = 0; index < count; index++) {
      const content = `${userId} ${index} ${crypto.randomUUID()}`;
      sent.push(content);
      const beganMs = performance.now();
      this.#arrivals.set(content, () => times.push(performance.now() - beganMs));
      const answer = await this.#client.run(SEND, { content });
      if (answer.errors !== undefined) throw new Error(`Refused: ${JSON.stringify(answer.errors)}`);
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    await this.#client.fence();
    times.sort((one, other) => one - other);
    const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? NaN;
    const inOrder = JSON.stringify(this.#heard) === JSON.stringify(sent);
    this.#arrivals.clear();
    return { sent: count, inOrder, p50Ms: at(0.5), p99Ms: at(0.99) };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client[Symbol.asyncDispose]();
  }
}
