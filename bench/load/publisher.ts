import type { Peer, Publishing } from "../peers/peer.ts";
import { Connection } from "./connection.ts";

/** Who hears of a publisher. */
export interface PublisherOptions {
  readonly peer: Peer;
  readonly port: number;
  /** Called each time the server has accepted a message. */
  readonly onAnswer: () => void;
  readonly onFailure: (error: Error) => void;
}

/** The connection that publishes; every publish must be answered with success. */
export class Publisher {
  readonly #connection: Connection;
  readonly #dialogue: Publishing;

  private constructor(connection: Connection, dialogue: Publishing) {
    this.#connection = connection;
    this.#dialogue = dialogue;
  }

  /** Connects; resolves when the server has let it in. */
  static async open({ peer, port, onAnswer, onFailure }: PublisherOptions): Promise<Publisher> {
    const connection = await Connection.open({ ...peer, port });
    const dialogue = peer.publish();
    const ready = Promise.withResolvers<void>();
    connection.listen({
      onMessage: (message) => {
        const heard = dialogue.hear(message.toText());
        for (const text of heard.reply ?? []) connection.send(text);
        if (heard.kind === "ready") ready.resolve();
        if (heard.kind === "published") onAnswer();
      },
      onFailure: (error) => {
        ready.reject(error);
        onFailure(error);
      },
    });
    if (dialogue.opening !== undefined) connection.send(dialogue.opening);
    await ready.promise;
    return new Publisher(connection, dialogue);
  }

  /** Publishes one message. */
  publish(room: string, content: string): void {
    this.#connection.send(this.#dialogue.send(room, content));
  }

  /** Ends the connection. Safe to call twice. */
  close(): void {
    this.#connection.close();
  }
}
