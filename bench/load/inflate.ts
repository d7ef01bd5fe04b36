import { Buffer } from "node:buffer";
import { inflateRawSync } from "node:zlib";

/**
 * What a compressed message goes without (RFC 7692, section 7.2.2), and a last block without
 * content: behind it zlib knows that all has come, and throws when it has not.
 */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff, 0x01, 0x00, 0x00, 0xff, 0xff]);

/** The text of a compressed message that needs no earlier one. */
export function inflate(payload: Uint8Array): string {
  return inflateRawSync(Buffer.concat([payload, TAIL])).toString();
}
