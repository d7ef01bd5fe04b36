/** An HTTP proxy as Debian packages it, that passes requests on over connections it keeps. */
export type ProxyKind = "nginx" | "haproxy";

/** A proxy in a process of its own, in front of a server of this machine. */
export interface ProxyProcess extends AsyncDisposable {
  readonly port: number;
}

/** How long it may take to listen, in milliseconds. */
const START_MS = 10_000;

/** Whether it is installed. */
export function isInstalled(kind: ProxyKind): boolean {
  return ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"].some((folder) => {
    try {
      return Deno.statSync(`${folder}/${kind}`).isFile;
    } catch {
      return false;
    }
  });
}

/** Starts a proxy in front of the server at this port of 127.0.0.1. */
export async function startProxy(kind: ProxyKind, serverPort: number): Promise<ProxyProcess> {
  const folder = await Deno.makeTempDir({ prefix: `${kind}-` });
  const port = freePort();
  const file = `${folder}/proxy.conf`;
  await Deno.writeTextFile(file, CONFIGS[kind]({ port, serverPort, folder }));
  const args = kind === "nginx" ? ["-p", folder, "-c", file, "-e", "/dev/null"] : ["-q", "-f", file];
  const child = new Deno.Command(kind, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
  const stop = async (): Promise<void> => {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended by itself.
    }
    await child.status;
    await Deno.remove(folder, { recursive: true });
  };
  try {
    await listens(port);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, [Symbol.asyncDispose]: stop };
}

interface ProxyConfig {
  readonly port: number;
  readonly serverPort: number;
  readonly folder: string;
}

/** Kept connections to the server are what a smuggled request needs to reach somebody else. */
const CONFIGS: Readonly<Record<ProxyKind, (config: ProxyConfig) => string>> = {
  nginx: ({ port, serverPort, folder }) => `
    daemon off; worker_processes 1; pid ${folder}/pid; error_log /dev/null;
    events { worker_connections 256; }
    http {
      access_log off; client_header_timeout 2s; client_body_timeout 2s; large_client_header_buffers 4 32k;
      client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
      uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
      upstream rooms { server 127.0.0.1:${serverPort}; keepalive 1; }
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://rooms; proxy_http_version 1.1; proxy_read_timeout 3s; proxy_request_buffering off;
          proxy_set_header Connection ""; proxy_set_header Host $http_host;
        }
      }
    }`,
  haproxy: ({ port, serverPort }) => `
global
  maxconn 256
  tune.bufsize 65536
defaults
  mode http
  timeout connect 2s
  timeout client 3s
  timeout server 3s
  timeout http-request 2s
  http-reuse always
frontend front
  bind 127.0.0.1:${port}
  default_backend rooms
backend rooms
  server one 127.0.0.1:${serverPort} pool-max-conn 1
`,
};

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function listens(port: number): Promise<void> {
  const endMs = performance.now() + START_MS;
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (performance.now() > endMs) throw error;
    }
  }
}
