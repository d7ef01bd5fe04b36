/** What any document counts beside its characters: the shortest takes 0.2 ms. */
const LEAST_WEIGHT = 256;
/**
 * What a document counts at most. Its tokens are bounded, and it is they that take the
 * time: 240,000 characters of one string take no longer than 5,000 of short names.
 */
export const MOST_WEIGHT = 8 * 1024;

/** What it takes to parse, measure and validate a document: in characters, about 1 to 2 µs each. */
export function documentWeight(text: string): number {
  return Math.min(LEAST_WEIGHT + text.length, MOST_WEIGHT);
}
