/** A line for a terminal that sends a message to the room, with the shell's `$TOKEN` where one is needed. */
export function sendCommand(url: string, room: string, { needsToken }: { readonly needsToken: boolean }): string {
  const query = 'mutation ($room: ID!) { sendMessage(room: $room, content: "Hello") { success } }';
  const body = JSON.stringify({ query, variables: { room } });
  const token = needsToken ? [`-H "authorization: Bearer $TOKEN"`] : [];
  return [`curl ${url}`, ...token, "-H 'content-type: application/json'", `-d ${quote(body)}`].join(" \\\n  ");
}

/** For a POSIX shell, in which nothing but a quote ends a quoted text. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
