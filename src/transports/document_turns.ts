import { Fifo } from "../core/fifo.ts";
import { documentWeight, MOST_WEIGHT } from "../graphql/document_weight.ts";

/** What new documents may weigh that are checked for somebody in one turn: about 10 ms. */
const TURN_WEIGHT = MOST_WEIGHT;

/** Of whoever has had a new document checked in this turn, or has some that wait. */
interface Line {
  spent: number;
  readonly waiting: Fifo<{ readonly text: string; readonly go: () => void }>;
}

/**
 * Lets everybody have only so many new documents checked in a turn of the event loop.
 *
 * Two hundred in one chunk held the loop for a second and more. What somebody asks is
 * begun in its order: what comes behind a document that waits waits too. Whoever asks
 * nothing new has no line, so idle connections cost nothing.
 */
export class DocumentTurns {
  readonly #isKnown: (text: string) => boolean;
  readonly #lines = new Map<unknown, Line>();

  /** `isKnown` says whether a document needs no checking. */
  constructor(isKnown: (text: string) => boolean) {
    this.#isKnown = isKnown;
  }

  /** Comes in with a document: at once, which is undefined, or when the promise resolves. */
  enter(who: unknown, text: string): Promise<void> | undefined {
    const weight = this.#weigh(text);
    const line = this.#lines.get(who) ?? (weight === 0 ? undefined : this.#open(who));
    if (line === undefined) return undefined;
    const { waiting } = line;
    if (waiting.length > 0 || line.spent + weight > TURN_WEIGHT) {
      return new Promise((go) => waiting.push({ text, go }));
    }
    line.spent += weight;
    return undefined;
  }

  #weigh(text: string): number {
    return this.#isKnown(text) ? 0 : documentWeight(text);
  }

  #open(who: unknown): Line {
    const line: Line = { spent: 0, waiting: new Fifo() };
    const { waiting } = line;
    this.#lines.set(who, line);
    const next = (): void => {
      line.spent = 0;
      for (let first = waiting.at(0); first !== undefined; first = waiting.at(0)) {
        const weight = this.#weigh(first.text);
        if (line.spent + weight > TURN_WEIGHT) break;
        line.spent += weight;
        waiting.shift();
        first.go();
      }
      if (line.spent > 0) setImmediate(next);
      else this.#lines.delete(who);
    };
    setImmediate(next);
    return line;
  }
}
