/** How to run a server on a port. */
export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly port: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** A running server. Disposing of it ends it and waits for its end. */
export interface ServerProcess extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
}

/** How long a server may take to accept connections. */
const START_MS = 20_000;
const POLL_MS = 50;
/** How long a server may take to end by itself; then it is killed. */
const STOP_MS = 2_000;

/** Starts a server; resolves when its port accepts connections. What it writes goes to stderr. */
export async function startServerProcess({ command, args, port, env = {} }: ServerCommand): Promise<ServerProcess> {
  const child = new Deno.Command(command, { args: [...args], env, stdin: "null", stdout: "piped", stderr: "piped" })
    .spawn();
  let hasEnded = false;
  const ended = child.status.then(() => {
    hasEnded = true;
  });
  const output = [child.stdout, child.stderr].map((stream) => showOnStderr(stream));
  const undoSignals = onSignals(() => child.kill("SIGKILL"));
  const stop = async () => {
    undoSignals();
    if (!hasEnded) child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(timer);
    await Promise.all(output);
  };
  try {
    await untilAccepting(port, () => hasEnded);
  } catch (error) {
    await stop();
    throw new Error(`Cannot start ${[command, ...args].join(" ")}`, { cause: error });
  }
  return { pid: child.pid, port, [Symbol.asyncDispose]: stop };
}

/** A TCP port that was free a moment ago. */
export function findFreePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Without this an interrupted bench would leave its server running. Returns the undo. */
function onSignals(end: () => void): () => void {
  const signals = [["SIGINT", 130], ["SIGTERM", 143]] as const;
  const listeners = signals.map(([signal, exitCode]) => {
    const listener = () => {
      end();
      Deno.exit(exitCode);
    };
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  return () => listeners.forEach((remove) => remove());
}

async function untilAccepting(port: number, hasEnded: () => boolean): Promise<void> {
  const deadline = performance.now() + START_MS;
  while (performance.now() < deadline) {
    if (hasEnded()) throw new Error("the server ended at once");
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
  throw new Error(`port ${port} accepts no connections after ${START_MS} ms`);
}

async function showOnStderr(stream: ReadableStream<Uint8Array>): Promise<void> {
  for await (const chunk of stream) Deno.stderr.writeSync(chunk);
}
