import { assertEquals, assertInstanceOf } from "@std/assert";
import { SEND } from "../support/documents.ts";
import { ServerProcess } from "../support/server_process.ts";
import { Refused, type TestedClient } from "../support/tested_clients.ts";

/** A client, and what sets it apart. */
export interface ClientCase {
  readonly name: string;
  /** Makes one that is this user, in a session of its own. */
  create(url: string, userId: string): TestedClient;
  /**
   * What it shows of a refused subscription.
   *
   * @default {"BAD_USER_INPUT"}
   */
  readonly refusal?: unknown;
}

const PATIENCE_MS = 10_000;

/** What every client of docs/clients.md can do. */
export function clientContract({ name, create, refusal = "BAD_USER_INPUT" }: ClientCase): void {
  Deno.test(`${name} gets what somebody else sends, in order and with its sender`, async () => {
    await using server = await ServerProcess.start();
    using ann = create(server.url, "ann");
    const received = ann.follow("lobby");
    await subscriptionsAre(server, 1);
    const sent = [["bob", 'line\n"é" 🎉'], ["carl", "second"], ["bob", "third"]] as const;

    for (const [sender, content] of sent) await server.post(SEND, { room: "lobby", content }, { "x-user-id": sender });

    for (const message of sent) {
      const { senderId, content } = await received.nextField();
      assertEquals([senderId, content], [...message]);
    }
    received.stop();
    await subscriptionsAre(server, 0);
  });

  Deno.test(`${name} sends as the user it follows as, and hears itself`, async () => {
    await using server = await ServerProcess.start();
    using ann = create(server.url, "ann");
    const received = ann.follow("lobby");
    await subscriptionsAre(server, 1);

    const { success, message } = await ann.send({ room: "lobby", content: "hello" });

    assertEquals([success, message.senderId, message.content], [true, "ann", "hello"]);
    const heard = await received.nextField();
    assertEquals([heard.senderId, heard.content], ["ann", "hello"]);
    received.stop();
    await subscriptionsAre(server, 0);
  });

  Deno.test(`${name} sends and follows in one session: excludeSelf spares it, not the user's other one`, async () => {
    await using server = await ServerProcess.start();
    using tab = create(server.url, "ann");
    using otherTab = create(server.url, "ann");
    const [own, other] = [tab.follow("lobby"), otherTab.follow("lobby")];
    await subscriptionsAre(server, 2);

    await tab.send({ room: "lobby", content: "not to me", excludeSelf: true });
    await tab.send({ room: "lobby", content: "to all" });

    assertEquals((await other.nextField()).content, "not to me");
    assertEquals((await own.nextField()).content, "to all");
    for (const received of [own, other]) received.stop();
    await subscriptionsAre(server, 0);
  });

  Deno.test(`${name} shows why it is refused`, async () => {
    await using server = await ServerProcess.start();
    using ann = create(server.url, "ann");

    const subscription = ann.follow(" ");
    const refused = await subscription.failure();
    const mutation = await ann.send({ room: " ", content: "hello" }).catch((error: unknown) => error);

    assertInstanceOf(refused, Refused);
    assertInstanceOf(mutation, Refused);
    assertEquals([refused.shown, mutation.shown], [refusal, "BAD_USER_INPUT"]);
    subscription.stop();
  });

  Deno.test(`${name} frees a subscription when it ends it, and that one alone`, async () => {
    await using server = await ServerProcess.start();
    using ann = create(server.url, "ann");
    const [stays, goes] = [ann.follow("lobby"), ann.follow("attic")];
    await subscriptionsAre(server, 2);

    goes.stop();
    await subscriptionsAre(server, 1);
    await server.post(SEND, { room: "lobby", content: "one left" });

    assertEquals((await stays.nextField()).content, "one left");
    assertEquals(goes.results, []);
    stays.stop();
    await subscriptionsAre(server, 0);
    await serverHas(server, { connections: 0, rooms: 0 });
  });
}

/** Resolves once the server has so many subscriptions: what is live is live, what is gone is gone. */
export function subscriptionsAre(server: ServerProcess, subscriptions: number): Promise<void> {
  return serverHas(server, { subscriptions });
}

async function serverHas(server: ServerProcess, counts: Readonly<Record<string, number>>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const { body } = await server.post(`{ server { ${Object.keys(counts).join(" ")} } }`);
    if (Object.entries(counts).every(([what, count]) => body.data.server[what] === count)) return;
    if (performance.now() > end) return assertEquals(body.data.server, counts);
  }
}
