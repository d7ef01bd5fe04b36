// Runs in GraphiQL's page, behind the package's script and the constants WORKERS, TABS, NEEDS_TOKEN and INTROSPECTION.

const RETRY_MS = 2_000;
const FIRST_TRY_MS = 3_000;
// Where the console has it too (tab_token.ts).
const TOKEN_KEY = "graphql-rooms-token";
const NO_TOKEN = "Bearer PUT-YOUR-TOKEN-HERE";
// With a schema of null GraphiQL does not ask for it, and its plugins show nothing else.
const NO_SCHEMA = { schema: null, plugins: [], referencePlugin: null };

// One client run for each page load: requests and subscriptions name the same session. Not
// crypto.randomUUID(), which a page from another machine does not have without TLS.
const sessionId = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");

self.MonacoEnvironment = {
  globalAPI: false,
  getWorkerUrl: (_module, label) => URL.createObjectURL(new Blob([WORKERS[label]], { type: "text/javascript" })),
};

// Taken out of the address in any case: everybody could read it there.
const givenToken = takeTokenFromAddress();
const authorization = NEEDS_TOKEN && tabToken() ? `Bearer ${tabToken()}` : null;

// First the session: a guest without a cookie gets it with this connection, so that the requests come
// from the same guest. Nobody's is ended by the server: such a page holds one once it has a token.
let held;
/** What was last put into a Headers tab. It counts in those, too, where nothing has been put. */
let lastAuthorization = NO_TOKEN;
hold(authorization).then((isSomebody) => render(authorization ?? (isSomebody || !NEEDS_TOKEN ? null : NO_TOKEN)));
if (NEEDS_TOKEN) watchTokens();
if (!INTROSPECTION) document.documentElement.dataset.noSchema = "";

function takeTokenFromAddress() {
  const address = new URL(location.href);
  const given = address.searchParams.get("token");
  if (given === null) return null;
  address.searchParams.delete("token");
  history.replaceState(history.state, "", address);
  return given;
}

// This browser tab's: it is in no other, and gone when the tab is closed.
function tabToken() {
  try {
    if (givenToken) sessionStorage.setItem(TOKEN_KEY, givenToken);
    return sessionStorage.getItem(TOKEN_KEY);
  } catch {
    return givenToken;
  }
}

function keepForTab(authorization) {
  try {
    sessionStorage.setItem(TOKEN_KEY, authorization.replace(/^bearer +/i, ""));
  } catch {
    // Storage may be forbidden; then it is asked for anew.
  }
}

// Holds the session with this `Authorization`, and no longer with the one before. Resolves at the end of the
// first try, good or bad, or when it takes too long: with whether somebody is known by it.
function hold(authorization) {
  if (held?.authorization === authorization) return held.tried;
  const before = held;
  const now = { authorization };
  now.tried = Promise.race([
    new Promise((resolve) => connect(now, resolve)),
    new Promise((resolve) => setTimeout(resolve, FIRST_TRY_MS, false)),
  ]);
  held = now;
  // Not before the new one is there: the session is to go on.
  if (before !== undefined) now.tried.then(() => before.socket.close());
  return now.tried;
}

// GraphiQL connects for a subscription alone, and a change of the tab cuts it. A membership needs a
// session that stays.
function connect(one, onTried) {
  const socket = new WebSocket(location.origin.replace(/^http/, "ws") + location.pathname, "graphql-transport-ws");
  const payload = { sessionId, ...(one.authorization === null ? {} : { authorization: one.authorization }) };
  one.socket = socket;
  socket.onopen = () => socket.send(JSON.stringify({ type: "connection_init", payload }));
  socket.onmessage = ({ data }) => {
    const { type, payload } = JSON.parse(data);
    if (type === "ping") socket.send(JSON.stringify({ type: "pong" }));
    if (type !== "connection_ack") return;
    onTried(payload.userId !== null);
    if (payload.userId === null) socket.close(4400);
  };
  socket.onclose = ({ code }) => {
    onTried(false);
    // From 4400 on it is refused who we are; to ask again would change nothing.
    if (code < 4400 && held === one) setTimeout(() => held === one && connect(one, onTried), RETRY_MS);
  };
}

// What is in a Headers tab is seen when it is sent. The package has taken hold of WebSocket by now, and calls
// fetch anew each time.
function watchTokens() {
  const { fetch } = globalThis;
  globalThis.fetch = async (input, init) => {
    const headers = { ...init?.headers };
    await useToken(headers);
    return await fetch(input, { ...init, headers });
  };
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (text) {
    const message = JSON.parse(text);
    // Changed before it returns; nobody waits for the rest.
    if (message.type === "subscribe") void useToken(message.payload.extensions?.headers ?? {});
    send.call(this, JSON.stringify(message));
  };
}

// Puts the last token into headers that have none yet, and holds the session with it.
async function useToken(headers) {
  const name = Object.keys(headers).find((one) => one.toLowerCase() === "authorization");
  if (!headers[name]) return;
  if (headers[name] === NO_TOKEN) headers[name] = lastAuthorization;
  if (headers[name] === NO_TOKEN) return;
  lastAuthorization = headers[name];
  if (await hold(lastAuthorization)) keepForTab(headers[name]);
}

function render(authorization) {
  const headers = JSON.stringify(
    { ...(authorization === null ? {} : { authorization }), "x-session-id": sessionId },
    null,
    2,
  );
  YogaGraphiQL.renderYogaGraphiQL(document.querySelector("#root"), {
    title: "graphql-rooms",
    ...lastTab(),
    defaultTabs: TABS.map((query) => ({ query, headers })),
    headers,
    ...(INTROSPECTION ? {} : NO_SCHEMA),
    // A token does not belong in the browser's storage, and a session not in the next page load.
    shouldPersistHeaders: false,
    subscriptionsProtocol: "WS",
    connectionParams: { sessionId },
    // Its own writes each edit into the address, where a reload sends it as a request.
    onEditQuery() {},
  });
}

// What stood in the tab that was last open. GraphiQL keeps its tabs from one page load to the next,
// and adds an empty one unless it is told what it should show.
function lastTab() {
  try {
    const { tabs, activeTabIndex } = JSON.parse(localStorage.getItem("graphiql:tabState"));
    const { query, variables } = tabs[activeTabIndex];
    return { query: query ?? "", variables: variables ?? "" };
  } catch {
    return { query: TABS[0] };
  }
}
