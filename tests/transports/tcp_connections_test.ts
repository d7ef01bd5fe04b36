import { EventEmitter } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { assertEquals } from "@std/assert";
import { AddressCounts } from "../../src/transports/address_counts.ts";
import { TcpConnections, type TcpConnectionsDeps } from "../../src/transports/tcp_connections.ts";
import { ManualClock } from "../support/manual_clock.ts";

/** How often it is seen whether an answer is read. */
const LOOK_MS = 30_000;
/** How fast what waits must be read, in bytes a millisecond. */
const READ_RATE = 32;
/** Of a page, what waits at a time. */
const CHUNK = 65_536;
/** From the first look to the next. */
const PATIENCE_MS = LOOK_MS + CHUNK / READ_RATE;

Deno.test("a reader of a page that takes 32 KB/s for hours is left alone", () => {
  const reading = begin({ hasLength: true, waiting: CHUNK });

  for (let looks = 0; looks < 200; looks++) {
    reading.takes(READ_RATE * PATIENCE_MS);
    reading.clock.advance(PATIENCE_MS);
  }

  assertEquals(reading.isOpen, true);
});

Deno.test("a reader of a page that takes a little less than 32 KB/s is cut", () => {
  const reading = begin({ hasLength: true, waiting: CHUNK });

  reading.takes(READ_RATE * PATIENCE_MS - 1);
  reading.clock.advance(PATIENCE_MS - 1);
  assertEquals(reading.isOpen, true);
  reading.clock.advance(1);

  assertEquals(reading.isOpen, false);
});

Deno.test("a reader of an answer that has been written in whole is held to 32 KB/s too", () => {
  const reading = begin({ ended: true, waiting: 10 * CHUNK });

  reading.takes(CHUNK, -CHUNK);
  reading.clock.advance(LOOK_MS + 10 * CHUNK / READ_RATE);

  assertEquals(reading.isOpen, false);
});

Deno.test("a stream that says little and whose reader takes what waited is left alone", () => {
  const reading = begin({ waiting: CHUNK });

  for (let looks = 0; looks < 200; looks++) {
    // All that waited; as much waits again.
    reading.takes(CHUNK);
    reading.clock.advance(PATIENCE_MS);
  }

  assertEquals(reading.isOpen, true);
});

Deno.test("a stream whose reader takes some of what waited, and not all, is cut", () => {
  const reading = begin({ waiting: CHUNK });

  reading.takes(CHUNK - 1);
  reading.clock.advance(PATIENCE_MS);

  assertEquals(reading.isOpen, false);
});

/** What is known of an answer at its first look. */
interface Answer {
  readonly hasLength?: boolean;
  readonly ended?: boolean;
  readonly waiting: number;
}

/** An answer that is being read, just behind its first look. */
function begin({ hasLength = false, ended = false, waiting }: Answer) {
  const clock = new ManualClock();
  const socket = Object.assign(new EventEmitter(), {
    bytesWritten: waiting,
    destroyed: false,
    destroy: () => void (socket.destroyed = true),
  });
  const response = Object.assign(new EventEmitter(), {
    writableLength: waiting,
    writableEnded: ended,
    hasHeader: (name: string) => hasLength && name === "content-length",
  });
  const deps = { clock, maxConnections: 1, networks: new AddressCounts(0) } as unknown as TcpConnectionsDeps;
  const request = { socket: socket as unknown as Socket, complete: true } as IncomingMessage;
  new TcpConnections(createServer(), deps).serve(request, response as unknown as ServerResponse, () => {});
  clock.advance(LOOK_MS);
  return {
    clock,
    get isOpen() {
      return !socket.destroyed;
    },
    /** Its reader takes bytes; as many are written, or so many more. */
    takes(bytes: number, more = 0): void {
      socket.bytesWritten += bytes + more;
      response.writableLength += more;
    },
  };
}
