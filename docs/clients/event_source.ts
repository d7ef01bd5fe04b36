// #region event-source
import { EventSource } from "eventsource";

/** Follows a room; `close()` of what it returns ends that. In a browser leave out the import and `fetch`. */
export function followRoom(
  url: string,
  room: string,
  headers: Record<string, string>,
  onMessage: (message: { senderId: string; content: string }) => void,
): EventSource {
  const query = `subscription ($room: ID) { messages(room: $room) { senderId content } }`;
  const source = new EventSource(`${url}?${new URLSearchParams({ query, variables: JSON.stringify({ room }) })}`, {
    fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...headers } }),
  });
  source.addEventListener("next", ({ data: json }) => {
    const { data } = JSON.parse(json);
    if (data) onMessage(data.messages); // else it has errors, and ends
  });
  source.addEventListener("complete", () => source.close()); // else it comes back after the end
  return source;
}
// #endregion
