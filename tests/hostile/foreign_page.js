// Runs in a page of another origin, in Chromium: tries everything a page can to act on the server at TARGET
// or to read from it, with the user's cookie, and says what came of each.

(async () => {
  const send = `mutation { sendMessage(room: "browser", content: "from a page") { success } }`;
  const follow = `subscription { messages(room: "browser", join: true) { content } }`;
  const read = `${TARGET}/graphql?query=${encodeURIComponent("{ viewer { userId } }")}`;
  const subscribe = `${TARGET}/graphql?query=${encodeURIComponent(follow)}`;
  const json = JSON.stringify({ query: send });
  const credentials = "include";

  const fetched = async (url, init) => {
    try {
      const response = await fetch(url, { credentials, ...init });
      return response.type === "opaque" ? "opaque" : await response.json();
    } catch (error) {
      return error.name;
    }
  };
  const loaded = (tag, attributes) =>
    new Promise((resolve) => {
      const element = Object.assign(document.createElement(tag), attributes);
      element.onload = () => resolve("loaded");
      element.onerror = () => resolve("error");
      document.body.append(element);
    });
  const posted = (method, enctype, fields, url = `${TARGET}/graphql`) => {
    const name = `frame-${Math.random()}`;
    const form = Object.assign(document.createElement("form"), { method, enctype, action: url, target: name });
    for (const [key, value] of Object.entries(fields)) {
      form.append(Object.assign(document.createElement("input"), { name: key, value }));
    }
    const answered = loaded("iframe", { name });
    document.body.append(form);
    return answered.then(() => {
      const frame = document.querySelector(`iframe[name="${name}"]`);
      const navigated = new Promise((resolve) => frame.onload = resolve);
      form.submit();
      return navigated;
    }).then(() => {
      try {
        return document.querySelector(`iframe[name="${name}"]`).contentDocument === null ? "unreadable" : "readable";
      } catch {
        return "unreadable";
      }
    });
  };
  const streamed = (withCredentials) =>
    new Promise((resolve) => {
      const source = new EventSource(subscribe, { withCredentials });
      source.onopen = () => (source.close(), resolve("open"));
      source.onerror = () => {
        resolve(source.readyState === EventSource.CLOSED ? "refused" : "tries again");
        source.close();
      };
    });
  const connected = () =>
    new Promise((resolve) => {
      const socket = new WebSocket(`${TARGET.replace("http", "ws")}/graphql`, "graphql-transport-ws");
      socket.onopen = () => socket.send(JSON.stringify({ type: "connection_init" }));
      socket.onmessage = ({ data }) => (socket.close(1000), resolve(JSON.parse(data).type));
      socket.onclose = ({ code }) => resolve(`closed ${code}`);
    });
  const imported = () => import(`${TARGET}/client.js`).then((module) => typeof module.resumable, (error) => error.name);

  const plain = { "content-type": "text/plain" };
  const typed = { "content-type": "application/json" };
  return {
    "fetch GET": await fetched(read),
    "fetch GET, opaque": await fetched(read, { mode: "no-cors" }),
    "fetch a subscription, opaque": await fetched(subscribe, { mode: "no-cors" }),
    "fetch plain text": await fetched(`${TARGET}/graphql`, { method: "POST", headers: plain, body: json }),
    "fetch plain text, opaque": await fetched(`${TARGET}/graphql`, {
      method: "POST",
      mode: "no-cors",
      headers: plain,
      body: json,
    }),
    "fetch JSON": await fetched(`${TARGET}/graphql`, { method: "POST", headers: typed, body: json }),
    "fetch JSON, opaque": await fetched(`${TARGET}/graphql`, {
      method: "POST",
      mode: "no-cors",
      headers: typed,
      body: json,
    }),
    "form": await posted("post", "application/x-www-form-urlencoded", { query: send }),
    "form with files": await posted("post", "multipart/form-data", { operations: json, map: "{}" }),
    "form as text": await posted("post", "text/plain", { '{"x":"': `","query":${JSON.stringify(send)}}` }),
    "form by GET": await posted("get", "application/x-www-form-urlencoded", { query: follow }),
    "frame of a subscription": await loaded("iframe", { src: subscribe }),
    "EventSource": await streamed(false),
    "EventSource with credentials": await streamed(true),
    "WebSocket": await connected(),
    "image": await loaded("img", { src: subscribe }),
    "script": await loaded("script", { src: read }),
    "script of the console": await loaded("script", { src: `${TARGET}/console.js` }),
    "module": await imported(),
    "frame of /": await loaded("iframe", { src: `${TARGET}/`, name: "console" }),
    "frame of /graphql": await loaded("iframe", { src: `${TARGET}/graphql`, name: "graphiql" }),
  };
})();
