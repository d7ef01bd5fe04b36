/** A line for a terminal that sends a message to the room. */
export function sendCommand(url: string, room: string): string {
  const query = 'mutation ($room: ID!) { sendMessage(room: $room, content: "Hello") { success } }';
  const body = JSON.stringify({ query, variables: { room } });
  return `curl ${url} -H 'content-type: application/json' -d ${quote(body)}`;
}

/** For a POSIX shell, in which nothing but a quote ends a quoted text. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
