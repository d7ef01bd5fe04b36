/** Prints a room's messages, one line each: `deno task listen [room] [--url <url>] [--token <token>]`. */
import { parseArgs } from "@std/cli/parse-args";
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";

const { _: [room = "lobby"], url = "http://127.0.0.1:4000/graphql", token } = parseArgs(Deno.args, {
  string: ["_", "url", "token"],
  unknown: (arg, flag) => flag === undefined || fail(`there is no flag ${arg}`),
});
if (!/^(?:http|ws)s?:/.test(String(url)) || !URL.canParse(String(url))) fail(`"${url}" is not a URL of http or ws`);

const client = createClient({
  url: String(url).replace(/^http/, "ws"),
  webSocketImpl: WebSocket,
  ...(token === undefined ? {} : { connectionParams: { token } }),
  // By its own rules a client gives up for good when a connection is refused, as by a server that is
  // just starting again, and after five attempts, each twice as late as the one before.
  shouldRetry: () => true,
  retryAttempts: Infinity,
  async retryWait() {
    console.error(`No connection to ${url}, trying again`);
    await new Promise((resolve) => setTimeout(resolve, 1_000 + 1_000 * Math.random()));
  },
});
client.subscribe<{ messages: { senderId: string; content: string } }>({
  query: "subscription ($room: ID!) { messages(room: $room) { senderId content } }",
  variables: { room },
}, {
  next({ data, errors }) {
    if (errors) fail(errors);
    // A terminal would obey control characters; one message is one line.
    console.log(`${data?.messages.senderId}: ${data?.messages.content}`.replace(/\p{Cc}+/gu, " "));
  },
  error: fail,
  complete: () => fail("the server ended the subscription"),
});
// Answered on the same socket, so once the answer is here the subscription is live.
client.subscribe({ query: "query ($room: ID!) { room(room: $room) { id } }", variables: { room } }, {
  next: ({ errors }) => errors ? fail(errors) : console.log(`listening to ${room}`),
  error: fail,
  complete() {},
});

/** Takes what graphql-ws hands out: an operation's errors, or the event of a close that is final. */
function fail(why: unknown): never {
  const [first] = Array.isArray(why) ? why : [why];
  console.error(`Cannot listen: ${first.message || first.reason || first.code || first}`);
  Deno.exit(1);
}
