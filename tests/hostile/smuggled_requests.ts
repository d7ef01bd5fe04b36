/** A raw request, one byte a character, and what comes back for it. */
export interface SmuggledRequest {
  readonly text: string;
  /**
   * The statuses of all answers, when `MARKER` comes behind it in the same bytes.
   *
   * One that is refused has one answer, and the marker none: the connection is closed.
   */
  readonly statuses: readonly number[];
}

/** What the marker sends behind a request: an answer of its own shows that the two were told apart. */
export const MARKER = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
/** The room that every smuggled mutation sends to. */
export const ROOM = "smuggled";

const BODY = `{"query":"mutation{sendMessage(room:\\"${ROOM}\\",content:\\"x\\"){success}}"}`;
const SIZE = BODY.length.toString(16);
const LENGTH = `Content-Length: ${BODY.length}`;
const CODING = "Transfer-Encoding: chunked";
const CHUNKS = `${SIZE}\r\n${BODY}\r\n0\r\n\r\n`;
/** A whole request, in place of a body. */
const INNER = `POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${LENGTH}\r\n\r\n${BODY}`;
const UPGRADE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Protocol: graphql-transport-ws",
];
const KEY = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==";

/** Refused, and the connection closed. */
const BAD = [400];
const TOO_LARGE = [431];
/** Closed without an answer. */
const CUT: readonly number[] = [];
/** Answered, and the marker as well. */
const OK = [200, 200];

/** By what is wrong with them, or looks wrong. */
export const SMUGGLED: Readonly<Record<string, Readonly<Record<string, SmuggledRequest>>>> = {
  "two lengths": {
    "length and chunks": post([LENGTH, CODING], CHUNKS, BAD),
    "chunks and length": post([CODING, "Content-Length: 4"], CHUNKS, BAD),
    "length 0 and chunks": post(["Content-Length: 0", CODING], CHUNKS, BAD),
    "length and chunks that hold a request": post(["Content-Length: 5", CODING], `0\r\n\r\n${INNER}`, BAD),
    "two lengths that agree": post([LENGTH, LENGTH], BODY, BAD),
    "two lengths that do not": post([LENGTH, "Content-Length: 3"], BODY, BAD),
    "two lengths, the shorter first": post(["Content-Length: 0", LENGTH], INNER, BAD),
    "length and an empty coding": post(["Transfer-Encoding: ", LENGTH], BODY, BAD),
    "length and the coding identity": post(["Transfer-Encoding: identity", LENGTH], BODY, BAD),
    "length and an unknown coding": post([LENGTH, "Transfer-Encoding: cow"], BODY, BAD),
  },
  "a length that is none": {
    "a list": post([`Content-Length: ${BODY.length}, ${BODY.length}`], BODY, BAD),
    "a plus sign": post([`Content-Length: +${BODY.length}`], BODY, BAD),
    "a minus sign": post(["Content-Length: -1"], BODY, BAD),
    "hexadecimal": post(["Content-Length: 0x10"], BODY, BAD),
    "hexadecimal digits": post(["Content-Length: 1f"], BODY, BAD),
    "nothing": post(["Content-Length: "], BODY, BAD),
    "two numbers": post(["Content-Length: 1 0"], BODY, BAD),
    "over 64 bits": post(["Content-Length: 99999999999999999999"], BODY, BAD),
    "an exponent": post(["Content-Length: 1e1"], BODY, BAD),
    "a fraction": post([`Content-Length: ${BODY.length}.0`], BODY, BAD),
    "a quoted number": post([`Content-Length: "${BODY.length}"`], BODY, BAD),
    "a number and a comment": post([`Content-Length: ${BODY.length} (bytes)`], BODY, BAD),
    "a space before the colon": post([`Content-Length : ${BODY.length}`], BODY, BAD),
    "a tab before the colon": post([`Content-Length\t: ${BODY.length}`], BODY, BAD),
    "leading zeros, which are digits": post([`Content-Length: 000${BODY.length}`], BODY, OK),
    "a tab behind it": post([`Content-Length: ${BODY.length}\t`], BODY, BAD),
    "spaces and a tab before it, a space behind": post([`Content-Length: \t ${BODY.length} `], BODY, OK),
  },
  "a coding that is none": {
    "xchunked": post(["Transfer-Encoding: xchunked"], CHUNKS, BAD),
    "chunkedx": post(["Transfer-Encoding: chunkedx"], CHUNKS, BAD),
    "identity": post(["Transfer-Encoding: identity"], CHUNKS, BAD),
    "nothing": post(["Transfer-Encoding: "], CHUNKS, BAD),
    "chunked, then identity": post(["Transfer-Encoding: chunked, identity"], CHUNKS, BAD),
    "identity, then chunked": post(["Transfer-Encoding: identity, chunked"], CHUNKS, BAD),
    "gzip, then chunked": post(["Transfer-Encoding: gzip, chunked"], CHUNKS, BAD),
    "chunked twice in one header": post(["Transfer-Encoding: chunked, chunked"], CHUNKS, BAD),
    "chunked twice in two": post([CODING, CODING], CHUNKS, BAD),
    "identity, then chunked in another": post(["Transfer-Encoding: identity", CODING], CHUNKS, BAD),
    "chunked, then identity in another": post([CODING, "Transfer-Encoding: identity"], CHUNKS, BAD),
    "a quoted word": post(['Transfer-Encoding: "chunked"'], CHUNKS, BAD),
    "a parameter": post(["Transfer-Encoding: chunked;q=1"], CHUNKS, BAD),
    "a comma behind it": post(["Transfer-Encoding: chunked,"], CHUNKS, BAD),
    "a comma before it": post(["Transfer-Encoding: ,chunked"], CHUNKS, BAD),
    "a vertical tab": post(["Transfer-Encoding:\x0bchunked"], CHUNKS, BAD),
    "a form feed": post(["Transfer-Encoding:\x0cchunked"], CHUNKS, BAD),
    "a no-break space": post(["Transfer-Encoding: chunked\xa0"], CHUNKS, BAD),
    "a NUL": post(["Transfer-Encoding: chunked\0"], CHUNKS, BAD),
    "a folded line": post(["Transfer-Encoding:\r\n chunked"], CHUNKS, BAD),
    "a space before the colon": post(["Transfer-Encoding : chunked"], CHUNKS, BAD),
    "a space before the name": post(["X-A: b", " Transfer-Encoding: chunked"], CHUNKS, BAD),
    "behind a bare LF": post(["X-A: b\nTransfer-Encoding: chunked"], CHUNKS, BAD),
    "behind a bare CR": post(["X-A: b\rTransfer-Encoding: chunked"], CHUNKS, BAD),
    "an HTTP/1.0 request": { text: post([CODING], CHUNKS, BAD).text.replace("HTTP/1.1", "HTTP/1.0"), statuses: BAD },
    "capital letters": post(["TRANSFER-ENCODING: ChUnKeD"], CHUNKS, OK),
    "a tab before it": post(["Transfer-Encoding:\tchunked"], CHUNKS, OK),
    "another header with an underscore": post(["Transfer_Encoding: chunked", LENGTH], BODY, OK),
  },
  "chunks": {
    "no number": post([CODING], "zz\r\nab\r\n0\r\n\r\n", BAD),
    "a negative size": post([CODING], "-5\r\nabcde\r\n0\r\n\r\n", BAD),
    "a size with 0x": post([CODING], "0x5\r\nabcde\r\n0\r\n\r\n", BAD),
    "a size over 64 bits": post([CODING], "fffffffffffffffff\r\nab\r\n0\r\n\r\n", BAD),
    "an empty size": post([CODING], `\r\n${BODY}\r\n0\r\n\r\n`, BAD),
    "a space before the size": post([CODING], ` ${CHUNKS}`, BAD),
    "a space behind the size": post([CODING], `${SIZE} \r\n${BODY}\r\n0\r\n\r\n`, BAD),
    "more data than its size": post([CODING], `5\r\n${BODY}\r\n0\r\n\r\n`, BAD),
    "no line end behind the data": post([CODING], `${SIZE}\r\n${BODY}0\r\n\r\n`, BAD),
    "bare LF throughout": post([CODING], `${SIZE}\n${BODY}\n0\n\n`, BAD),
    "a bare LF behind the size": post([CODING], `${SIZE}\n${BODY}\r\n0\r\n\r\n`, BAD),
    "a bare LF behind the data": post([CODING], `${SIZE}\r\n${BODY}\n0\r\n\r\n`, BAD),
    "a bare CR behind the size": post([CODING], `${SIZE}\r${BODY}\r\n0\r\n\r\n`, BAD),
    "a bare LF in an extension": post([CODING], `${SIZE};a\nb\r\n${BODY}\r\n0\r\n\r\n`, BAD),
    "a NUL in the size": post([CODING], `${SIZE}\0\r\n${BODY}\r\n0\r\n\r\n`, BAD),
    "a trailer that names a length": post([CODING], `${SIZE}\r\n${BODY}\r\n0\r\nContent-Length: 5\r\n\r\n`, BAD),
    "a trailer with a space in its name": post([CODING], `${SIZE}\r\n${BODY}\r\n0\r\nX T: y\r\n\r\n`, BAD),
    "5,000 trailers": post([CODING], `${SIZE}\r\n${BODY}\r\n0\r\n${"X-T: y\r\n".repeat(5_000)}\r\n`, TOO_LARGE),
    "an extension": post([CODING], `${SIZE};a=b\r\n${BODY}\r\n0\r\n\r\n`, OK),
    "a trailer": post([CODING], `${SIZE}\r\n${BODY}\r\n0\r\nX-T: y\r\n\r\n`, OK),
    "capital digits and leading zeros": post([CODING], `000${SIZE.toUpperCase()}\r\n${BODY}\r\n0\r\n\r\n`, OK),
  },
  "line ends and characters": {
    "a folded line": get(["X-A: a\r\n b"], BAD),
    "a folded first line": get([" X-A: a"], BAD),
    "a tab before a name": get(["X-A: a", "\tX-B: b"], BAD),
    "bare LF throughout": { text: "GET /health HTTP/1.1\nHost: localhost\n\n", statuses: BAD },
    "one bare LF": get(["X-A: a\nX-B: b"], BAD),
    "a bare LF behind the request line": { text: "GET /health HTTP/1.1\nHost: localhost\r\n\r\n", statuses: BAD },
    "a bare LF at the end": { text: "GET /health HTTP/1.1\r\nHost: localhost\r\n\n", statuses: BAD },
    "a bare CR between headers": { text: "GET /health HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n", statuses: BAD },
    "a bare CR in a value": get(["X-A: a\rb"], BAD),
    "a NUL in a name": get(["X\0A: a"], BAD),
    "a NUL in a value": get(["X-A: a\0b"], BAD),
    "a NUL in the path": line("GET /hea\0lth HTTP/1.1", BAD),
    "a DEL in a value": get(["X-A: a\x7fb"], BAD),
    "an ESC in a value": get(["X-A: \x1b[2J"], BAD),
    "a bell in a name": get(["X\x07A: a"], BAD),
    "no colon": get(["XA"], BAD),
    "no name": get([": a"], BAD),
    "a space in a name": get(["X A: a"], BAD),
    "brackets in a name": get(["X(A): a"], BAD),
    "a letter outside ASCII in a name": get(["X\xe9: a"], BAD),
    "letters outside ASCII in a value": get(["X-A: \xe9\xff"], OK),
    "empty lines before the request": { text: `\r\n\r\n${get([], OK).text}`, statuses: OK },
    "text before the request": { text: `xx\r\n${get([], BAD).text}`, statuses: BAD },
  },
  "the Host": {
    "none": { text: "GET /health HTTP/1.1\r\n\r\n", statuses: BAD },
    "none in HTTP/1.0": { text: "GET /health HTTP/1.0\r\n\r\n", statuses: BAD },
    "two that agree": get(["Host: localhost"], BAD),
    "two, the second foreign": get(["Host: evil.example"], BAD),
    "two, the first foreign": host("evil.example\r\nHost: localhost", BAD),
    "two in capitals": get(["HOST: localhost"], BAD),
    "an empty one": host("", BAD),
    "a list": host("localhost, evil.example", BAD),
    "two words": host("local host", BAD),
    "half an address": host("[::1", BAD),
    "a port over 65535": host("localhost:99999", BAD),
    "a port that is a word": host("localhost:http", BAD),
    "two ports": host("localhost:80:81", BAD),
    "a user": host("user@localhost", BAD),
    "a path": host("localhost/path", BAD),
    "a query": host("localhost?x", BAD),
    "a hash": host("localhost#x", BAD),
    "a backslash": host("localhost\\x", BAD),
    "an encoded NUL": host("localhost%00", BAD),
    "a scheme": host("http://localhost", BAD),
    "a space before the colon": { text: "GET /health HTTP/1.1\r\nHost : localhost\r\n\r\n", statuses: BAD },
    "a foreign name": host("evil.example", [403, 200]),
    "a foreign name that begins like ours": host("localhost.evil.example", [403, 200]),
    "a port that is empty": host("localhost:", OK),
    "capital letters": host("LOCALHOST:1", OK),
  },
  "headers that say one thing": {
    "two content types": post(["Content-Type: text/plain", LENGTH], BODY, BAD),
    "two content types that agree": post(["content-type: application/json", LENGTH], BODY, BAD),
    "two authorizations": get(["Authorization: Bearer a", "Authorization: Bearer b"], BAD),
    "two Origins": get(["Origin: http://localhost", "Origin: https://evil.example"], [403, 200]),
  },
  "the request line": {
    "no version": line("GET /health", BAD),
    "HTTP/0.9": line("GET /health HTTP/0.9", BAD),
    "HTTP/1.2": line("GET /health HTTP/1.2", BAD),
    "HTTP/2.0": line("GET /health HTTP/2.0", BAD),
    "HTTP/3": line("GET /health HTTP/3", BAD),
    "HTTP/11": line("GET /health HTTP/11", BAD),
    "HTTP/1.10": line("GET /health HTTP/1.10", BAD),
    "small letters": line("GET /health http/1.1", BAD),
    "another protocol": line("GET /health HTTQ/1.1", BAD),
    "a space behind it": line("GET /health HTTP/1.1 ", BAD),
    "a space in the path": line("GET /hea lth HTTP/1.1", BAD),
    "tabs": line("GET\t/health\tHTTP/1.1", BAD),
    "a method in small letters": line("get /health HTTP/1.1", BAD),
    "an unknown method": line("FOO /health HTTP/1.1", BAD),
    "a method with a bracket": line("G(T /health HTTP/1.1", BAD),
    "no method": line(" /health HTTP/1.1", BAD),
    "a method of 10,000 letters": line(`${"A".repeat(10_000)} /health HTTP/1.1`, BAD),
    "no slash": line("GET health HTTP/1.1", BAD),
    "an authority": line("GET localhost:80 HTTP/1.1", BAD),
    "CONNECT": line("CONNECT localhost:80 HTTP/1.1", CUT),
    "CONNECT to a path": line("CONNECT /graphql HTTP/1.1", CUT),
    "TRACE": line("TRACE /health HTTP/1.1", [405, 200]),
    "TRACE of the API": line("TRACE /graphql HTTP/1.1", [405, 200]),
    "a method of WebDAV": line("PROPFIND /graphql HTTP/1.1", [405, 200]),
    "QUERY": line("QUERY /graphql HTTP/1.1", [405, 200]),
    "an HTTP/2 preface": { text: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", statuses: BAD },
    "a TLS greeting": { text: `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${"\0".repeat(100)}`, statuses: BAD },
    "bytes": { text: "\xff\xfe\xfd\0\0\0", statuses: BAD },
    // Not refused: the parser takes them, and says nothing of it.
    "two spaces": line("GET  /health HTTP/1.1", OK),
    "RTSP, as HTTP/1.0": line("GET /health RTSP/1.0", [200]),
    "ICE by its method, as HTTP/1.0": line("SOURCE /health ICE/1.0", [405]),
  },
  "sizes": {
    "200 headers": get(Array(199).fill("X: y"), OK),
    "201 headers": get(Array(200).fill("X: y"), TOO_LARGE),
    "3,000 headers, the Host behind them": {
      text: `GET /health HTTP/1.1\r\n${"X: y\r\n".repeat(3_000)}Host: localhost\r\n\r\n`,
      statuses: BAD,
    },
    "2,500 headers, a foreign Origin behind them": get(
      [...Array(2_500).fill("X: y"), "Origin: https://evil.example"],
      TOO_LARGE,
    ),
    "200,000 headers": get(Array(200_000).fill("X: y"), TOO_LARGE),
    "a header of 15,000 bytes": get([`X: ${"y".repeat(15_000)}`], OK),
    "a header of 17,000 bytes": get([`X: ${"y".repeat(17_000)}`], TOO_LARGE),
    "a header of 1 MB": get([`X: ${"y".repeat(1_000_000)}`], TOO_LARGE),
    "a name of 17,000 bytes": get([`${"X".repeat(17_000)}: y`], TOO_LARGE),
    "a path of 15,000 bytes": line(`GET /${"y".repeat(15_000)} HTTP/1.1`, [404, 200]),
    "a path of 17,000 bytes": line(`GET /${"y".repeat(17_000)} HTTP/1.1`, TOO_LARGE),
    "a path of 1 MB": line(`GET /${"y".repeat(1_000_000)} HTTP/1.1`, TOO_LARGE),
  },
  "bodies that hold a request": {
    "a GET with a length": get([`Content-Length: ${INNER.length}`], OK, INNER),
    "a GET with chunks": get([CODING], OK, `${INNER.length.toString(16)}\r\n${INNER}\r\n0\r\n\r\n`),
    "a GET of length 0": get(["Content-Length: 0"], OK),
    "a body of another type": post([`Content-Length: ${INNER.length}`], INNER, [415, 200], "text/plain"),
    "a body that is not JSON": post([`Content-Length: ${INNER.length}`], INNER, [400, 200]),
    "a path that is not there": {
      text: post([`Content-Length: ${INNER.length}`], INNER, []).text.replace("/graphql", "/nothing"),
      statuses: [404, 200],
    },
    "a foreign Host": {
      text: post([`Content-Length: ${INNER.length}`], INNER, []).text.replace("localhost", "evil.example"),
      statuses: [403, 200],
    },
    "an expectation": post([LENGTH, "Expect: 100-continue"], BODY, [100, 200, 200]),
    "an unknown expectation": post([LENGTH, "Expect: 200-ok"], BODY, [417, 200]),
  },
  "upgrades": {
    "two Hosts": upgrade([KEY, "Host: evil.example"], BAD),
    "a length and chunks": upgrade([KEY, "Content-Length: 4", CODING], BAD),
    "a POST with a body": {
      text: upgrade([KEY, `Content-Length: ${BODY.length}`], []).text.replace("GET", "POST") + BODY,
      statuses: [405],
    },
    "HTTP/1.0, which has none": {
      text: upgrade([KEY], []).text.replace("HTTP/1.1", "HTTP/1.0"),
      statuses: [200],
    },
    "another path": { text: upgrade([KEY], []).text.replace("/graphql", "/graphql/"), statuses: [404] },
    "an absolute path": {
      text: upgrade([KEY], []).text.replace("/graphql", "http://localhost/graphql"),
      statuses: [404],
    },
    "a foreign Host": { text: upgrade([KEY], []).text.replace("localhost", "evil.example"), statuses: [403] },
    "h2c": get(["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"], [200]),
    "TLS": get(["Connection: Upgrade", "Upgrade: TLS/1.2"], [200]),
    "websocket and h2c": get(["Connection: Upgrade", "Upgrade: websocket, h2c"], [200]),
  },
};

function line(requestLine: string, statuses: readonly number[]): SmuggledRequest {
  return { text: `${requestLine}\r\nHost: localhost\r\n\r\n`, statuses };
}

function get(fields: readonly string[], statuses: readonly number[], body = ""): SmuggledRequest {
  return { text: ["GET /health HTTP/1.1", "Host: localhost", ...fields].join("\r\n") + "\r\n\r\n" + body, statuses };
}

function host(value: string, statuses: readonly number[]): SmuggledRequest {
  return { text: `GET /health HTTP/1.1\r\nHost: ${value}\r\n\r\n`, statuses };
}

function post(
  fields: readonly string[],
  body: string,
  statuses: readonly number[],
  type = "application/json",
): SmuggledRequest {
  const head = ["POST /graphql HTTP/1.1", "Host: localhost", `Content-Type: ${type}`, ...fields];
  return { text: head.join("\r\n") + "\r\n\r\n" + body, statuses };
}

function upgrade(fields: readonly string[], statuses: readonly number[]): SmuggledRequest {
  return {
    text: ["GET /graphql HTTP/1.1", "Host: localhost", ...UPGRADE, ...fields].join("\r\n") + "\r\n\r\n",
    statuses,
  };
}
