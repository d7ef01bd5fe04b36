import { toBase36 } from "./base36.ts";

/**
 * A short, stable, non-cryptographic hash of a text, in base 36.
 *
 * 53 bits (two 32-bit multiplicative lanes). Good for telling things apart that
 * were not made to collide; never for a secret or for somebody else's rights.
 */
export function shortHash(text: string): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 0x9e3779b1);
    low = Math.imul(low ^ unit, 0x5f356495);
  }
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  return toBase36(4294967296 * (high & 0x1fffff) + (low >>> 0));
}
