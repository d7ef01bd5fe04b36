/** Preloaded into the server's process: at each SIGUSR1 it tries to read a file, and logs what came of it. */
Deno.addSignalListener("SIGUSR1", () => {
  const outcome = ["/etc/hostname", "deno.json"].map((path) => {
    try {
      return Deno.readTextFileSync(path);
    } catch (error) {
      return error instanceof Error ? error.name : error;
    }
  });
  console.log(JSON.stringify({ level: "info", event: "probe.read", fields: { outcome } }));
});
