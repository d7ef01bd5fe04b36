import { Buffer } from "node:buffer";
import { type IncomingHttpHeaders, request } from "node:http";

/** An answer as it came over the network: nothing is decoded, no redirect followed. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What a request is made with. */
export interface RawRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The machine's address it is sent from. */
  readonly localAddress?: string;
  readonly body?: string;
}

/** Sends a request for a path exactly as it is written, with no header but those given. */
export function requestRaw(
  port: number,
  path: string,
  { method = "GET", headers = {}, localAddress, body }: RawRequest = {},
) {
  return new Promise<RawAnswer>((resolve, reject) => {
    const sent = request(
      {
        port,
        host: "127.0.0.1",
        path,
        method,
        headers: { ...headers },
        agent: false,
        ...(localAddress === undefined ? {} : { localAddress }),
      },
      (response) => {
        const chunks: Uint8Array[] = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const bytes = new Uint8Array(Buffer.concat(chunks));
          resolve({ status: response.statusCode!, headers: response.headers, bytes });
        });
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}
