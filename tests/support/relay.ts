/**
 * A TCP relay on this machine: its clients keep their URL while servers come and go.
 *
 * `await using` closes it.
 */
export class Relay implements AsyncDisposable {
  /** The port of the server that new connections go to. */
  targetPort: number;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.Conn>();
  readonly #relaying: Promise<void>;

  constructor(targetPort: number) {
    this.targetPort = targetPort;
    this.#relaying = this.#relay();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}/graphql`;
  }

  /** Ends every connection, without a word to either side. New ones are relayed. */
  cut(): void {
    for (const connection of this.#open) this.#close(connection);
  }

  async #relay(): Promise<void> {
    const connections: Promise<void>[] = [];
    for await (const near of this.#listener) connections.push(this.#connect(near));
    await Promise.all(connections);
  }

  async #connect(near: Deno.Conn): Promise<void> {
    this.#open.add(near);
    try {
      const far = await Deno.connect({ hostname: "127.0.0.1", port: this.targetPort });
      this.#open.add(far);
      await Promise.all([this.#copy(near, far), this.#copy(far, near)]);
    } catch {
      // No server listens there at the moment.
      this.#close(near);
    }
  }

  /** Copies until either side is gone, and then ends both. */
  async #copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(16_384);
    try {
      for (let size = await from.read(buffer); size !== null; size = await from.read(buffer)) {
        for (let sent = 0; sent < size;) sent += await to.write(buffer.subarray(sent, size));
      }
    } catch {
      // One side is gone, and with it the connection.
    }
    this.#close(from);
    this.#close(to);
  }

  #close(connection: Deno.Conn): void {
    if (this.#open.delete(connection)) connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut();
    await this.#relaying;
  }
}
