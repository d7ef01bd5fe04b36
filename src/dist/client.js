// src/client.ts
var MAX_OPERATIONS = 200;
var KEEP_ALIVE_MS = 12e3;
var PONG_MS = 5e3;
var TERMINATED = {
  code: 4499,
  reason: "Terminated",
  wasClean: false
};
var FIRST_RETRY_MS = 1e3;
var LAST_RETRY_MS = 2e4;
function resumable(options = {}) {
  const ownSessionId = randomUuid();
  const operations = /* @__PURE__ */ new Map();
  const written = /* @__PURE__ */ new WeakSet();
  let socket = {};
  let pongTimer;
  function sent({ type, id, payload }) {
    if (type === "subscribe") remember({
      ...payload,
      operationId: String(id)
    });
    if (type === "complete") operations.delete(id);
  }
  function remember({ operationId, query, variables, operationName }) {
    if (!/\bsubscription\b/.test(query)) return;
    const operation = {
      operationId,
      query,
      variables,
      operationName
    };
    const known = operations.get(operationId);
    operations.delete(operationId);
    const told = new Set(known === void 0 ? [
      "onRecovered"
    ] : []);
    operations.set(operationId, {
      operation,
      cursor: known?.cursor,
      told
    });
    if (operations.size > MAX_OPERATIONS) operations.delete(operations.keys().next().value);
  }
  function received({ type, id, payload }) {
    if (type === "next") receivedFrame(id, asRecord(asRecord(payload).extensions));
    if (type === "ping") receivedPing(asRecord(payload));
    if (type === "complete" || type === "error") operations.delete(id);
  }
  function receivedFrame(id, { cursor, gap, recovered }) {
    move(id, cursor);
    if (gap === true || recovered === false) tell("onGap", id);
    if (recovered === true) tell("onRecovered", id);
    operations.get(id)?.told.delete("onGap");
  }
  function receivedPing({ rooms, gap, recovered }) {
    for (const [id, cursor] of Object.entries(asRecord(rooms))) move(id, cursor);
    for (const id of Object.values(asRecord(gap))) tell("onGap", id);
    for (const id of Object.values(asRecord(recovered))) tell("onRecovered", id);
  }
  function move(id, cursor) {
    const remembered = operations.get(id);
    if (remembered === void 0 || typeof cursor !== "string") return;
    operations.delete(id);
    operations.set(id, {
      ...remembered,
      cursor
    });
  }
  function tell(callback, id) {
    const remembered = operations.get(id);
    if (remembered === void 0 || remembered.told.has(callback)) return;
    remembered.told.add(callback);
    void call(options[callback], remembered.operation);
  }
  function awaitPong() {
    clearTimeout(pongTimer);
    pongTimer = setTimeout(giveUp, PONG_MS, socket);
  }
  function heard({ type }) {
    if (pongTimer === void 0) return;
    if (type === "pong") stopWaiting();
    else awaitPong();
  }
  function stopWaiting() {
    clearTimeout(pongTimer);
    pongTimer = void 0;
  }
  return {
    async connectionParams() {
      const given = options.connectionParams;
      const params = typeof given === "function" ? await given() : given;
      const resume = {};
      for (const { operation, cursor } of operations.values()) {
        if (cursor !== void 0) resume[operation.operationId] = cursor;
      }
      return {
        ...params,
        sessionId: params?.sessionId ?? ownSessionId,
        ...Object.keys(resume).length === 0 ? {} : {
          resume
        }
      };
    },
    on: {
      opened: (opened) => void (socket = asRecord(opened)),
      // Called when the operation's sink has returned: the app has the message.
      message(message) {
        heard(asRecord(message));
        received(asRecord(message));
      },
      ping: (fromServer) => fromServer === false && awaitPong(),
      closed() {
        stopWaiting();
        socket.onmessage = null;
      },
      error(error) {
        stopWaiting();
        if ("onclose" in asRecord(asRecord(error).target)) return;
        console.error("The connection is made anew, because of an error in the app:", error);
        unwire(socket);
      }
    },
    generateID: randomUuid,
    jsonMessageReplacer(key, value) {
      if (key === "" && !written.has(this)) sent(asRecord(value));
      if (typeof value === "object" && value !== null) written.add(value);
      return value;
    },
    keepAlive: KEEP_ALIVE_MS,
    retryAttempts: Infinity,
    shouldRetry: () => true,
    retryWait(retries) {
      const mostMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** retries);
      return new Promise((resolve) => setTimeout(resolve, mostMs * (0.25 + 0.75 * Math.random())));
    }
  };
}
function giveUp(socket) {
  const { onclose } = socket;
  unwire(socket);
  socket.close?.(TERMINATED.code, TERMINATED.reason);
  onclose?.(TERMINATED);
}
function unwire(socket) {
  socket.onmessage = null;
  socket.onclose = null;
  socket.onerror = () => {
  };
}
async function call(callback, operation) {
  try {
    await callback?.(operation);
  } catch (error) {
    console.error("A callback of resumable() has failed:", error);
  }
}
function randomUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = bytes[6] & 15 | 64;
  bytes[8] = bytes[8] & 63 | 128;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
function asRecord(value) {
  return typeof value === "object" && value !== null ? value : {};
}
export {
  resumable
};
