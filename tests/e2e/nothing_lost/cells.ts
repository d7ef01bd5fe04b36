/** The kinds of client: the columns of README's table. */
export const KINDS = ["stock", "one option", "resumable()", "SSE", "curl"] as const;

/** A kind of client. */
export type Kind = (typeof KINDS)[number];

const ONCE = "comes back: all, once";
const AGAIN = "comes back: all, the last second again";
const NEW = "comes back: from now on, not told";
const KEPT = "comes back: what is kept, `recovered: false`";
const KEPT_TOLD = "comes back: what is kept, `onGap`";
const SLOW = "1013, comes back: all, once; late: some again";

/**
 * README's table, as data: what each kind of client sees of each way to break.
 *
 * Every cell is the name of a test: {@linkcode cellTests} registers a row.
 */
export const CELLS = {
  "dropped socket": {
    "stock": AGAIN,
    "one option": AGAIN,
    "resumable()": ONCE,
    "SSE": ONCE,
    "curl": "exits with 56; then all, once",
  },
  "frame lost in flight": {
    "stock": AGAIN,
    "one option": AGAIN,
    "resumable()": ONCE,
    "SSE": ONCE,
    "curl": "exits with 56; then all, once",
  },
  "server restart": {
    "stock": NEW,
    "one option": NEW,
    "resumable()": KEPT_TOLD,
    "SSE": KEPT,
    "curl": "exits with 18, or 0 at a stop; then what is kept, `recovered: false`",
  },
  "refused reconnect": {
    "stock": "gives up: an error in its sink",
    "one option": "tries 5 times: all, the last second again",
    "resumable()": "tries on: all, once",
    "SSE": "tries on: all, once",
    "curl": "exits with 7; at last all, once",
  },
  "slow reader": {
    "stock": SLOW,
    "one option": SLOW,
    "resumable()": "1013, comes back: all, once",
    "SSE": "cut off, comes back: all, once",
    "curl": "exits with 18; then all, once",
  },
  "expired history": {
    "stock": KEPT,
    "one option": KEPT,
    "resumable()": KEPT_TOLD,
    "SSE": KEPT,
    "curl": "exits with 56; then what is kept, `recovered: false`",
  },
} as const satisfies Readonly<Record<string, Readonly<Record<Kind, string>>>>;

/** A way in which a connection breaks: a row of the table. */
export type Break = keyof typeof CELLS;
