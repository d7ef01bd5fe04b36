import { Buffer } from "node:buffer";

/** How a frame is written around its body. */
export interface FrameKind {
  /** FIN, RSV1 when the payload is deflated, and the opcode of text (RFC 6455 section 5.2, RFC 7692 section 6). */
  readonly firstByte: number;
  readonly tail: Uint8Array;
}

/** What stands before a frame's body, and of which kind the frame is. */
export interface FrameHead {
  readonly kind: FrameKind;
  readonly bytes: Uint8Array;
}

const PLAIN = 0x81;
const DEFLATED = 0xc1;
/** The most bytes of a stored block. */
const MAX_STORED_BYTES = 65_535;
const NOTHING = new Uint8Array(0);
const CLOSING_BRACE = Buffer.from("}");
/**
 * The first byte of an empty stored block. Its other four are those that every deflated
 * message ends in, and that go without saying (RFC 7692 section 7.2.1).
 */
const LAST_BYTE = Buffer.of(0);

const PLAIN_KIND: FrameKind = { firstByte: PLAIN, tail: CLOSING_BRACE };
const DEFLATED_KIND: FrameKind = {
  firstByte: DEFLATED,
  tail: Buffer.concat([storedBlocks(CLOSING_BRACE), LAST_BYTE]),
};

/** Before a body that is the whole text. */
export const PLAIN_TEXT: FrameHead = { kind: { firstByte: PLAIN, tail: NOTHING }, bytes: NOTHING };
/** Before a body that is the whole text, deflated, with all but its last four bytes. */
export const DEFLATED_TEXT: FrameHead = { kind: { firstByte: DEFLATED, tail: NOTHING }, bytes: NOTHING };

/**
 * One operation's heads: the text before a body that many share, which a brace closes.
 *
 * No context is kept between messages, and blocks of deflate may be put one behind the
 * other. So a body that was deflated by itself stands between a head and a brace that
 * are stored as they are.
 */
export class FrameHeads {
  readonly plain: FrameHead;
  #deflated: FrameHead | undefined;

  constructor(text: string) {
    this.plain = { kind: PLAIN_KIND, bytes: Buffer.from(text) };
  }

  /** Before a deflated body, which ends in a sync flush. */
  get deflated(): FrameHead {
    return this.#deflated ??= { kind: DEFLATED_KIND, bytes: storedBlocks(this.plain.bytes) };
  }
}

/** Bytes as deflate stores what it does not compress, in blocks that are not the last (RFC 1951 section 3.2.4). */
function storedBlocks(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += MAX_STORED_BYTES) {
    const block = bytes.subarray(at, at + MAX_STORED_BYTES);
    const header = Buffer.alloc(5);
    header.writeUInt16LE(block.length, 1);
    header.writeUInt16LE(block.length ^ 0xffff, 3);
    parts.push(header, block);
  }
  return Buffer.concat(parts);
}
