const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz";
const PAIRS = Array.from({ length: 36 * 36 }, (_, value) => DIGITS[Math.floor(value / 36)]! + DIGITS[value % 36]!);
const PAIR = 36 ** 2;
const FOUR = 36 ** 4;
const FIVE = 36 ** 5;

/** What stands before the last five digits: of a time in microseconds it is the same for a minute. */
const lead = { value: 0, text: "" };

/**
 * A whole number from 0 to 2^53 - 1 as `toString(36)` writes it.
 *
 * V8 takes ten times as long for numbers above 2^31, and every message writes some.
 */
export function toBase36(value: number): string {
  if (value < FIVE) return value.toString(36);
  const high = Math.floor(value / FIVE);
  if (high !== lead.value) {
    lead.value = high;
    lead.text = high.toString(36);
  }
  const low = value - high * FIVE;
  const four = low % FOUR;
  return lead.text + DIGITS[Math.floor(low / FOUR)]! + PAIRS[Math.floor(four / PAIR)]! + PAIRS[four % PAIR]!;
}
