// For a server's process, before the program itself: at each signal it logs for how long
// the event loop has been held up at most since the last one.
let largestMs = 0;
let lastMs = performance.now();

const timer = setInterval(() => {
  const nowMs = performance.now();
  largestMs = Math.max(largestMs, nowMs - lastMs - 1);
  lastMs = nowMs;
}, 1);
// The program begins when nothing of this is waited for.
Deno.unrefTimer(timer);

Deno.addSignalListener("SIGUSR2", () => {
  console.log(JSON.stringify({ event: "probe.stall", level: "INFO", fields: { ms: largestMs } }));
  largestMs = 0;
  lastMs = performance.now();
});
