/** An id nobody else makes. Not `crypto.randomUUID()`: pages from another machine lack it without TLS. */
export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");
}
