import { assertEquals } from "@std/assert";
import { isLoopbackHost } from "../../src/core/loopback.ts";

for (const host of ["localhost", "LOCALHOST", "127.0.0.1", "127.0.0.53", "127.255.255.254", "::1", "[::1]"]) {
  Deno.test(`isLoopbackHost() takes "${host}" for this machine`, () => {
    assertEquals(isLoopbackHost(host), true);
  });
}

const FOREIGN = ["0.0.0.0", "::", "", "10.0.0.1", "128.0.0.1", "127.0.0.1.example.com", "localhost.example.com"];
for (const host of [...FOREIGN, "notlocalhost", "127.0.0", "::11", "[::1].example.com", "127.0.0.1\n"]) {
  Deno.test(`isLoopbackHost() does not take ${JSON.stringify(host)} for this machine`, () => {
    assertEquals(isLoopbackHost(host), false);
  });
}
