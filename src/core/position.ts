import { toBase36 } from "./base36.ts";

/**
 * Where something stands in a stream.
 *
 * `epoch` names one life of the stream's log: it changes when the log was lost, so
 * that an old offset is never mistaken for a new one. Within an epoch offsets count
 * 1, 2, 3 … without a hole; 0 is the position before the first entry. `timeUs` is
 * when the entry at that offset was appended, in microseconds since the Unix epoch,
 * never falling within an epoch (0 before the first entry).
 */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
  readonly timeUs: number;
}

/** The last one written: a message's position is written in its id and in its cursor. */
const last: { position: Position | undefined; text: string } = { position: undefined, text: "" };

/** One position as text: letters, digits, `.` and `-` only. */
export function formatPosition(position: Position): string {
  if (position !== last.position) {
    last.position = position;
    last.text = `${position.epoch}.${toBase36(position.timeUs)}-${toBase36(position.offset)}`;
  }
  return last.text;
}

const POSITION = /^([0-9a-z]{1,32})\.([0-9a-z]{1,11})-([0-9a-z]{1,11})$/;

/** Reads what {@linkcode formatPosition} wrote; undefined when it is nothing of the kind. */
export function parsePosition(text: string): Position | undefined {
  const match = POSITION.exec(text);
  if (match === null) return undefined;
  const timeUs = parseInt(match[2]!, 36);
  const offset = parseInt(match[3]!, 36);
  if (!Number.isSafeInteger(timeUs) || !Number.isSafeInteger(offset)) return undefined;
  return { epoch: match[1]!, offset, timeUs };
}

/** Whether both name the same entry of the same life of the log. */
export function samePosition(a: Position, b: Position): boolean {
  return a.offset === b.offset && a.timeUs === b.timeUs && a.epoch === b.epoch;
}

/**
 * A new epoch name: 41 random bits as eight lower-case letters and digits.
 *
 * Short, because every frame carries it. Two streams share one only by a chance that
 * the time in a position makes smaller still.
 */
export function createEpoch(): string {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  return ((high! & 0x1ff) * 2 ** 32 + low!).toString(36).padStart(8, "0");
}
