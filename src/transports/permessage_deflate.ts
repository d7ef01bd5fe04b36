import type { IncomingMessage } from "node:http";
import type { Transform, TransformOptions } from "node:stream";
import zlib, { type ZlibOptions } from "node:zlib";
import type { PerMessageDeflateOptions } from "ws";

/** What zlib inflates into, kept with each connection that has sent something compressed. By default it is 16 KiB. */
const INFLATE_CHUNK_BYTES = 4_096;

/**
 * What ws agrees to, and how it inflates.
 *
 * It compresses nothing: what is sent goes past it, because an event is compressed once
 * for all its readers (`deflater.ts`). That needs messages without a context, of their
 * own or of earlier ones.
 */
export const PERMESSAGE_DEFLATE: PerMessageDeflateOptions = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  zlibInflateOptions: inflateOptions(),
};

/** An offer in which the client allows the server a smaller window than 15 bits (RFC 7692 section 7.1.2.1). */
const SMALL_WINDOW = /server_max_window_bits=(?!"?15)/;

/**
 * Leaves out the offers that allow the server less than the whole window: what is
 * compressed for all is compressed with that. ws would refuse the upgrade if none were
 * left, where RFC 7692 section 5.1 has it go on without.
 */
export function dropSmallWindows({ headers }: IncomingMessage): void {
  const offers = headers["sec-websocket-extensions"]?.split(",").filter((offer) => !SMALL_WINDOW.test(offer));
  if (offers === undefined) return;
  if (offers.length > 0) headers["sec-websocket-extensions"] = offers.join(",").trim();
  else delete headers["sec-websocket-extensions"];
}

/**
 * On Deno a stream of node:zlib calls back after an error too, before it tells of the
 * error. ws then resets what is closed, and its throw would end the process: anybody
 * could send that. So no callback comes from a stream that has ended, as on Node.
 */
function inflateOptions(): ZlibOptions & TransformOptions {
  // A stream takes its method from its options; the type of zlib's classes does not say that they have it.
  const { _transform: inflate } = zlib.InflateRaw.prototype as unknown as Transform;
  return {
    chunkSize: INFLATE_CHUNK_BYTES,
    transform(chunk, encoding, callback) {
      inflate.call(this, chunk, encoding, (error, data) => {
        if (!this.destroyed) callback(error, data);
      });
    },
  };
}
