/**
 * The most units of UTF-16 that one character in NFC can have come from: no character
 * is put together from more than four, and each has at most two units (UAX #15).
 */
const MAX_UNITS_PER_CHARACTER = 8;

/**
 * Makes NFC of a text; undefined when it is too long to become so few characters.
 *
 * Putting marks in order takes time that grows with the square of their number: a
 * minute for 120,000 of them, so a text from outside is never normalized unbounded.
 */
export function boundedNfc(text: string, maxCodePoints: number): string | undefined {
  return text.length > MAX_UNITS_PER_CHARACTER * maxCodePoints ? undefined : text.normalize("NFC");
}
