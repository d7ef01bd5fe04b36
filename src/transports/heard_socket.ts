import { WebSocket } from "ws";

/** Who hears a WebSocket. */
export interface SocketListener {
  onMessage(data: Uint8Array, isBinary: boolean): void;
  onPong(): void;
  /** A close frame is about to be sent, for whatever reason: what is to stand before it is sent now. */
  onClosing(): void;
  /** A Ping of the peer, which has been answered. */
  onPing(): void;
  /** A frame was broken, or the network is: the close comes behind it. */
  onError(error: Error): void;
  /** Called once, last of all. */
  onClose(code: number, reason: string): void;
}

/**
 * npm ws's WebSocket, which tells one listener, and without a list of listeners.
 *
 * A subclass, because that is what ws takes for the sockets of its server. Four functions
 * and the list of them would be half a kilobyte of each connection.
 */
export class HeardSocket extends WebSocket {
  #listener: SocketListener | undefined;
  #isDeaf = false;

  /** Begins to tell. Called once, in the turn of the upgrade: nothing has been missed. */
  tell(listener: SocketListener): void {
    this.#listener = listener;
  }

  /** Tells of no more messages. */
  deafen(): void {
    this.#isDeaf = true;
  }

  /** Called by ws too, when a frame was broken or the peer has said goodbye. */
  override close(code?: number, reason?: string): void {
    if (this.readyState === WebSocket.OPEN) this.#listener?.onClosing();
    super.close(code, reason);
  }

  override emit(event: string | symbol, ...[first, second]: unknown[]): boolean {
    const listener = this.#listener;
    if (listener === undefined) return false;
    switch (event) {
      case "message":
        // The default binaryType: every message comes as one Buffer.
        if (!this.#isDeaf) listener.onMessage(first as Uint8Array, second as boolean);
        return true;
      case "pong":
        listener.onPong();
        return true;
      case "ping":
        listener.onPing();
        return true;
      case "error":
        listener.onError(first as Error);
        return true;
      case "close":
        listener.onClose(first as number, String(second));
        return true;
      default:
        return false;
    }
  }
}
