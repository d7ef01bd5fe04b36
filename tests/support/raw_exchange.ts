import { Buffer } from "node:buffer";
import { awaited } from "./patience.ts";

/** One answer, as it came. */
export interface RawResponse {
  readonly status: number;
  /** By their names in small letters; of two with one name, both. */
  readonly headers: Readonly<Record<string, string>>;
  /** What stood behind the head: of the last answer, or of an open one, all that had come. */
  readonly body: string;
}

/** What came back on a connection. */
export interface RawExchange {
  readonly responses: readonly RawResponse[];
  /** Whether the server ended the connection, or the test did, which had seen enough. */
  readonly isClosed: boolean;
}

/**
 * Sends these bytes (one for each character) on a connection of their own, and reads what comes back.
 *
 * Until the server ends the connection, or until what has come is enough.
 */
export async function exchange(
  port: number,
  text: string,
  isEnough: (received: string) => boolean = () => false,
): Promise<RawExchange> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const sent = send(connection, Buffer.from(text, "latin1"));
  let received = "";
  let isClosed = false;
  try {
    const chunk = new Uint8Array(65_536);
    while (!isClosed && !isEnough(received)) {
      const read = connection.read(chunk).catch(() => null);
      const count = await awaited(read, () => `the end of ${JSON.stringify(received.slice(-500))}`);
      if (count === null) isClosed = true;
      else received += Buffer.from(chunk.subarray(0, count)).toString("latin1");
    }
  } finally {
    connection.close();
    await sent;
  }
  return { responses: parse(received), isClosed };
}

/** A server that has refused does not read the rest. */
async function send(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  } catch {
    // The exchange tells by what has come back.
  }
}

function parse(received: string): RawResponse[] {
  return received.split(/(?=HTTP\/1\.1 \d{3} )/).filter((text) => text !== "").map((text) => {
    const end = text.indexOf("\r\n\r\n");
    const [line = "", ...fields] = text.slice(0, end).split("\r\n");
    const headers: Record<string, string> = {};
    for (const field of fields) {
      const [name, value] = [
        field.slice(0, field.indexOf(":")).toLowerCase(),
        field.slice(field.indexOf(":") + 1).trim(),
      ];
      headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
    }
    return { status: Number(line.split(" ")[1]), headers, body: text.slice(end + 4) };
  });
}
