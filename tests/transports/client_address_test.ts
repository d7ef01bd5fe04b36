import { assertEquals } from "@std/assert";
import { ClientAddresses, networkOf } from "../../src/transports/client_address.ts";
import { startLocalServer } from "../support/local_server.ts";

function addressOf(trusted: readonly string[], remoteAddress: string | undefined, forwardedFor?: string): string {
  const headers = forwardedFor === undefined ? {} : { "x-forwarded-for": forwardedFor };
  return new ClientAddresses(trusted).of({ socket: { remoteAddress }, headers });
}

const PROXY = ["10.0.0.1"];
const TOLD: readonly (readonly [
  what: string,
  trusted: readonly string[],
  peer: string,
  header: string | undefined,
  address: string,
])[] = [
  ["nobody is trusted", [], "10.0.0.1", "192.0.2.7", "10.0.0.1"],
  ["the peer is not trusted, whatever it says", PROXY, "198.51.100.9", "192.0.2.7", "198.51.100.9"],
  ["the proxy says nothing", PROXY, "10.0.0.1", undefined, "10.0.0.1"],
  ["the proxy names its client", PROXY, "10.0.0.1", "192.0.2.7", "192.0.2.7"],
  ["the client invented one before it", PROXY, "10.0.0.1", "127.0.0.1, 203.0.113.5, 192.0.2.7", "192.0.2.7"],
  ["the client invented the proxy itself", PROXY, "10.0.0.1", "192.0.2.7, 10.0.0.1", "192.0.2.7"],
  ["two proxies are trusted", ["10.0.0.0/8"], "10.0.0.1", "203.0.113.5, 192.0.2.7, 10.200.1.2", "192.0.2.7"],
  ["all that are named are proxies", ["10.0.0.0/8"], "10.0.0.1", "10.1.1.1, 10.2.2.2", "10.1.1.1"],
  ["the peer comes as IPv4-mapped IPv6", PROXY, "::ffff:10.0.0.1", "192.0.2.7", "192.0.2.7"],
  ["the client comes as IPv4-mapped IPv6", PROXY, "10.0.0.1", "::ffff:192.0.2.7", "192.0.2.7"],
  ["the client comes as IPv4-mapped IPv6, in hexadecimal", PROXY, "10.0.0.1", "::FFFF:c000:207", "192.0.2.7"],
  ["there is a port", PROXY, "10.0.0.1", "192.0.2.7:50123", "192.0.2.7"],
  ["there are brackets", PROXY, "10.0.0.1", "[2001:DB8::1]", "2001:db8::1"],
  ["there are brackets and a port", PROXY, "10.0.0.1", "[2001:db8:0:0::1]:443", "2001:db8::1"],
  ["there is a zone", ["fe80::/10"], "fe80::1%eth0", "192.0.2.7", "192.0.2.7"],
  ["IPv6 is dotted", PROXY, "10.0.0.1", "64:ff9b::192.0.2.7", "64:ff9b::c000:207"],
  ["there is garbage", PROXY, "10.0.0.1", "192.0.2.7, unknown", "10.0.0.1"],
  ["there is garbage behind a proxy", ["10.0.0.0/8"], "10.0.0.1", "<script>, 10.2.2.2", "10.2.2.2"],
  ["there is nothing", PROXY, "10.0.0.1", "", "10.0.0.1"],
  ["there is nothing between commas", PROXY, "10.0.0.1", "192.0.2.7,,", "10.0.0.1"],
  ["there is an octet too large", PROXY, "10.0.0.1", "192.0.2.700", "10.0.0.1"],
  ["there is a network and no address", PROXY, "10.0.0.1", "192.0.2.0/24", "10.0.0.1"],
  ["the proxy is named as IPv6", ["2001:db8::/32"], "2001:db8::5", "192.0.2.7", "192.0.2.7"],
];

for (const [what, trusted, peer, header, address] of TOLD) {
  Deno.test(`a client's address is found when ${what}`, () => {
    assertEquals(addressOf(trusted, peer, header), address);
  });
}

Deno.test("a client whose connection has gone has no address", () => {
  assertEquals(addressOf([], undefined, "192.0.2.7"), "");
  assertEquals(addressOf(["0.0.0.0/0"], undefined, "192.0.2.7"), "");
});

Deno.test("a long header is read from its end alone", () => {
  const invented = "203.0.113.5,".repeat(1_000);

  assertEquals(addressOf(PROXY, "10.0.0.1", `${invented}192.0.2.7`), "192.0.2.7");
});

Deno.test("networkOf() counts IPv4 by address, and IPv6 by its first 64 bits", () => {
  assertEquals(networkOf("192.0.2.7"), "192.0.2.7");
  assertEquals(networkOf("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  assertEquals(networkOf("2001:db8:1:2::9"), "2001:db8:1:2::/64");
  assertEquals(networkOf("2001:db8::1"), "2001:db8:0:0::/64");
  assertEquals(networkOf("::1"), "0:0:0:0::/64");
  assertEquals(networkOf(""), "");
});

Deno.test("a request that is refused is logged with its client's address, not with the trusted proxy's", async () => {
  await using server = await startLocalServer({ server: { trustedProxies: ["127.0.0.1"] } });

  const headers = { origin: "http://evil.example", "x-forwarded-for": "198.51.100.7" };
  const { status, body } = await fetch(server.url, { headers });
  await body?.cancel();

  const refused = server.telemetry.records.find(({ event }) => event === "request.refused");
  assertEquals([status, refused?.fields["remoteAddress"]], [403, "198.51.100.7"]);
});
