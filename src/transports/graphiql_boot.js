// Runs in GraphiQL's page, behind the package's script and the constants WORKERS and TABS.

const RETRY_MS = 2_000;
const FIRST_TRY_MS = 3_000;

// One client run for each page load: requests and subscriptions name the same session. Not
// crypto.randomUUID(), which a page from another machine does not have without TLS.
const sessionId = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");

self.MonacoEnvironment = {
  globalAPI: false,
  getWorkerUrl: (_module, label) => URL.createObjectURL(new Blob([WORKERS[label]], { type: "text/javascript" })),
};

// First the session: a guest without a cookie gets it with this connection, so that the requests come
// from the same guest.
Promise.race([holdSession(), new Promise((resolve) => setTimeout(resolve, FIRST_TRY_MS))]).then(render);

// GraphiQL connects for a subscription alone, and a change of the tab cuts it. A membership needs a
// session that stays. Resolves when the first try has come to an end, good or bad.
function holdSession() {
  return new Promise((resolve) => {
    const socket = new WebSocket(location.origin.replace(/^http/, "ws") + location.pathname, "graphql-transport-ws");
    socket.onopen = () => socket.send(JSON.stringify({ type: "connection_init", payload: { sessionId } }));
    socket.onmessage = ({ data }) => {
      const { type } = JSON.parse(data);
      if (type === "connection_ack") resolve();
      if (type === "ping") socket.send(JSON.stringify({ type: "pong" }));
    };
    socket.onclose = ({ code }) => {
      resolve();
      // From 4400 on it is refused who we are; to ask again would change nothing.
      if (code < 4400) setTimeout(holdSession, RETRY_MS);
    };
  });
}

function render() {
  const headers = JSON.stringify({ "x-session-id": sessionId }, null, 2);
  YogaGraphiQL.renderYogaGraphiQL(document.querySelector("#root"), {
    title: "graphql-rooms",
    ...lastTab(),
    defaultTabs: TABS.map((query) => ({ query, headers })),
    headers,
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
