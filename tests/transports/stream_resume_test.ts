import { assertEquals } from "@std/assert";
import { SEND } from "../support/documents.ts";
import { HttpStream } from "../support/http_stream.ts";
import { type LocalServer, startLocalServer } from "../support/local_server.ts";

const LOBBY = `subscription { messages(room: "lobby") { content } }`;
const OPENING = /^retry: 1000\nid: (.+)\n:\n\n/;
const EVENT = /event: next\ndata: (.*)\nid: (\S+)\n\n/;

function resume(server: LocalServer, lastEventId: string): Promise<HttpStream> {
  return HttpStream.subscribe(server.url, LOBBY, { headers: { "last-event-id": lastEventId } });
}

async function readEvent(stream: HttpStream) {
  const [, json, id] = await stream.read(EVENT);
  const { data, extensions } = JSON.parse(json!);
  return { id: id!, content: data.messages.content, extensions };
}

const send = (server: LocalServer, content: string) => server.query(SEND, { room: "lobby", content });

Deno.test("G5 Last-Event-ID brings what followed it, and the first event says that all was recovered", async () => {
  await using server = await startLocalServer();
  let id: string;
  {
    await using stream = await HttpStream.subscribe(server.url, LOBBY);
    await stream.read(OPENING);
    await send(server, "seen");
    ({ id } = await readEvent(stream));
  }
  await send(server, "missed 1");
  await send(server, "missed 2");

  await using again = await resume(server, id);
  const [, opened] = await again.read(OPENING);
  const [first, second] = [await readEvent(again), await readEvent(again)];
  await send(server, "live");

  // Not the head: a drop during catch-up would skip what was not sent yet.
  assertEquals(opened, id);
  assertEquals([first, second].map(({ content }) => content), ["missed 1", "missed 2"]);
  assertEquals([first, second].map(({ extensions }) => extensions.recovered), [true, undefined]);
  assertEquals((await readEvent(again)).content, "live");
});

Deno.test("G5 a drop before the first event resumes from the id of the opening", async () => {
  await using server = await startLocalServer();
  let id: string;
  {
    await using stream = await HttpStream.subscribe(server.url, LOBBY);
    id = (await stream.read(OPENING))[1]!;
  }
  await send(server, "missed");

  await using again = await resume(server, id);

  assertEquals((await readEvent(again)).content, "missed");
});

Deno.test("G5 a drop during catch-up resumes from the last event that came", async () => {
  await using server = await startLocalServer();
  let id: string;
  {
    await using stream = await HttpStream.subscribe(server.url, LOBBY);
    id = (await stream.read(OPENING))[1]!;
  }
  for (let sent = 0; sent < 100; sent++) await send(server, String(sent));
  const seen: string[] = [];

  while (seen.length < 100) {
    await using stream = await resume(server, id);
    for (let read = 0; read < 7 && seen.length < 100; read++) {
      const event = await readEvent(stream);
      seen.push(event.content);
      id = event.id;
    }
  }

  assertEquals(seen, Array.from({ length: 100 }, (_, index) => String(index)));
});

Deno.test("a Last-Event-ID that cannot be read counts as lost: events go on, and the first one says so", async () => {
  await using server = await startLocalServer();
  await using stream = await resume(server, "from another server");
  await stream.read(OPENING);

  await send(server, "live");

  const { content, extensions } = await readEvent(stream);
  assertEquals([content, extensions.recovered], ["live", false]);
});

Deno.test("the after argument and Last-Event-ID together: the client that comes back knows better", async () => {
  await using server = await startLocalServer();
  const { data } = await server.query(`{ room(room: "lobby") { head } }`);
  const after = data.room.head;
  const query = `subscription { messages(room: "lobby", after: "${after}") { content } }`;
  await send(server, "first");
  let id: string;
  {
    await using stream = await HttpStream.subscribe(server.url, query);
    const event = await readEvent(stream);
    assertEquals(event.content, "first");
    ({ id } = event);
  }
  await send(server, "second");

  await using again = await HttpStream.subscribe(server.url, query, { headers: { "last-event-id": id } });

  assertEquals((await readEvent(again)).content, "second");
});

Deno.test("G2 a loss that was found but never said is found again, also when nothing came in between", async () => {
  let id: string;
  {
    await using first = await startLocalServer();
    await using stream = await HttpStream.subscribe(first.url, LOBBY);
    id = (await stream.read(OPENING))[1]!;
  }
  await using server = await startLocalServer();

  for (let time = 0; time < 2; time++) {
    await using again = await resume(server, id);
    id = (await again.read(OPENING))[1]!;
  }
  await using last = await resume(server, id);
  await last.read(OPENING);
  await send(server, "live");

  assertEquals((await readEvent(last)).extensions.recovered, false);
});
