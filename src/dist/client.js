// src/client.ts
var MAX_OPERATIONS = 200;
var FIRST_RETRY_MS = 1e3;
var LAST_RETRY_MS = 2e4;
function resumable(options = {}) {
  const ownSessionId = randomUuid();
  const operations = /* @__PURE__ */ new Map();
  let socket = {};
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
    const cursor = operations.get(operationId)?.cursor;
    operations.delete(operationId);
    operations.set(operationId, {
      operation,
      cursor,
      told: /* @__PURE__ */ new Set()
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
      message: (message) => received(asRecord(message)),
      // `terminate()` leaves the old socket wired while it closes, and npm's ws delivers until then.
      // What comes has no sink any more, and would count as handed over.
      closed: () => void (socket.onmessage = null),
      // When the app throws, graphql-ws closes the socket and retries. A close that comes late would end
      // the retry, and for good.
      error: (error) => {
        if (error instanceof Error) socket.onclose = null;
      }
    },
    generateID: randomUuid,
    jsonMessageReplacer(key, value) {
      if (key === "") sent(asRecord(value));
      return value;
    },
    retryAttempts: Infinity,
    shouldRetry: () => true,
    retryWait(retries) {
      const mostMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** retries);
      return new Promise((resolve) => setTimeout(resolve, mostMs * (0.25 + 0.75 * Math.random())));
    }
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
