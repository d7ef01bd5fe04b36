import type { IncomingMessage } from "node:http";
import { BlockList, isIPv4, isIPv6 } from "node:net";

/** Where proxies name the client (older than RFC 7239, and what they all write). */
const FORWARDED_FOR = "x-forwarded-for";
/** `192.0.2.1:443`, `[2001:db8::1]:443`, `[2001:db8::1]`: an address with what a proxy may put around it. */
const WITH_PORT = /^(?:\[([^\]]+)\]|([\d.]+))(?::\d{1,5})?$/;
const MAPPED = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/;
/** The first 64 bits of an IPv6 address, in groups of 16: whoever has one address has all that begin alike. */
const NETWORK_GROUPS = 4;

/**
 * Tells where clients come from, also behind proxies.
 *
 * The header is believed only from a proxy that is trusted, and is read from its end:
 * each proxy adds whom it heard at the end, and what stands before the first one that is
 * not trusted may be anybody's invention.
 */
export class ClientAddresses {
  readonly #trusted = new BlockList();
  readonly #trustsAny: boolean;

  /** Addresses of proxies, or networks of them as `10.0.0.0/8`. */
  constructor(trustedProxies: readonly string[]) {
    this.#trustsAny = trustedProxies.length > 0;
    for (const proxy of trustedProxies) {
      const [address = "", bits] = proxy.split("/");
      const [family, all] = isIPv4(address) ? ["ipv4", 32] as const : ["ipv6", 128] as const;
      this.#trusted.addSubnet(address, bits === undefined ? all : Number(bits), family);
    }
  }

  /** The address of whoever sent the request; empty when the network does not tell any more. */
  of({ socket, headers }: Pick<IncomingMessage, "headers"> & { readonly socket: RemoteEnd }): string {
    const peer = this.ofPeer(socket);
    if (!this.#trustsAny || !this.trusts(peer)) return peer;
    const header = headers[FORWARDED_FOR];
    const forwarded = (Array.isArray(header) ? header.join() : header ?? "").split(",");
    let nearest = peer;
    for (const text of forwarded.toReversed()) {
      const address = parseAddress(text.trim());
      // What cannot be read tells of nobody: the last one that could be counts.
      if (address === undefined) return nearest;
      nearest = address;
      if (!this.trusts(address)) return address;
    }
    return nearest;
  }

  /** The address at the other end of a connection, client or proxy; empty when it has none any more. */
  ofPeer({ remoteAddress }: RemoteEnd): string {
    return parseAddress(remoteAddress ?? "") ?? "";
  }

  /** Whether it is a proxy's, which speaks for many. */
  trusts(address: string): boolean {
    if (!this.#trustsAny || address === "") return false;
    return this.#trusted.check(address, isIPv4(address) ? "ipv4" : "ipv6");
  }
}

interface RemoteEnd {
  readonly remoteAddress?: string | undefined;
}

/** The name under which an address is counted: of IPv6 the network of 64 bits, which is one household's or host's. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  // As the URL standard writes it: at most one run of zeros is left out, and nothing is dotted.
  const [head = "", tail] = address.split("::", 2);
  const before = head === "" ? [] : head.split(":");
  const behind = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? [] : Array<string>(8 - before.length - behind.length).fill("0");
  return [...before, ...zeros, ...behind].slice(0, NETWORK_GROUPS).join(":") + "::/64";
}

/** An address without port, brackets and zone; an IPv4 one that comes as IPv6 (RFC 4291 section 2.5.5.2) as what it is. */
function parseAddress(text: string): string | undefined {
  const [, bracketed, dotted] = WITH_PORT.exec(text) ?? [];
  const address = (bracketed ?? dotted ?? text).split("%", 1)[0]!.toLowerCase();
  if (isIPv4(address)) return address;
  if (!isIPv6(address)) return undefined;
  const written = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [, high, low] = MAPPED.exec(written) ?? [];
  if (high === undefined || low === undefined) return written;
  const [first, second] = [parseInt(high, 16), parseInt(low, 16)];
  return [first >> 8, first & 255, second >> 8, second & 255].join(".");
}
