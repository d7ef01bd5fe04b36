/** The second that was written last: of many messages it is the same. */
const second = { value: NaN, text: "" };

/**
 * A time in whole milliseconds since the Unix epoch as `Date.toISOString` writes it.
 *
 * @throws {RangeError} beyond the times a `Date` can hold
 */
export function isoText(timeMs: number): string {
  const value = Math.floor(timeMs / 1_000);
  if (value !== second.value) {
    // Up to the dot before the milliseconds.
    second.text = new Date(value * 1_000).toISOString().slice(0, -4);
    second.value = value;
  }
  const ms = timeMs - value * 1_000;
  return `${second.text}${ms < 10 ? "00" : ms < 100 ? "0" : ""}${ms}Z`;
}
