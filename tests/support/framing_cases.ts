import { Buffer } from "node:buffer";
import { clientFrameOf, closeFrame, FIN, type FrameOptions, OPCODES, RSV1, textFrame } from "./client_frame.ts";
import type { WireCase } from "./outcomes.ts";

const { continuation, text, binary, close, ping, pong } = OPCODES;
const DATA = { text, binary } as const;
const CONTROL = { close, ping, pong } as const;
/** The bound of one message, and so of one frame. */
const FRAME_BYTES = 262_144;
const MAX_FRAGMENTS = 256;
const HELLO = echoText(40);
const HELLO_ECHO = echoOf(HELLO);

/** What has been agreed on. */
export interface Framing {
  /** Whether RSV1 of a data frame says that it is compressed (RFC 7692). */
  readonly deflates: boolean;
}

/** Framing, right and wrong: what sections 1 to 7 and 9 of the Autobahn suite mean, and more that is refused. */
export function framingCases({ deflates }: Framing): Readonly<Record<string, readonly WireCase[]>> {
  return {
    "text and binary messages of every length": lengths(),
    "masks and ways to write a length": headers(),
    "pings and pongs": pings(),
    "reserved bits": reservedBits(deflates),
    "reserved opcodes": reservedOpcodes(),
    "fragments": fragments(),
    "UTF-8": utf8(),
    "closes": closes(),
    "frames that are not masked": unmasked(),
    "sizes at and over the bounds": sizes(),
  };
}

function lengths(): WireCase[] {
  const cases: WireCase[] = [];
  for (const length of [40, 125, 126, 127, 128, 1_000, 16_384, 65_535, 65_536, 131_072, FRAME_BYTES]) {
    const message = echoText(length);
    for (const chop of [length, 997, 1_460].filter((size, at) => at === 0 || size < length)) {
      cases.push({
        name: `a text of ${length} bytes in chunks of ${chop}`,
        chunks: chopped(textFrame(message), chop),
        outcome: [echoOf(message), "lives"],
      });
    }
    cases.push({
      name: `a binary message of ${length} bytes`,
      chunks: [clientFrameOf(FIN | binary, message)],
      outcome: ["close 4400"],
    });
  }
  cases.push({ name: "an empty text", chunks: [textFrame("")], outcome: ["close 4400"] });
  cases.push({ name: "an empty binary message", chunks: [clientFrameOf(FIN | binary)], outcome: ["close 4400"] });
  cases.push({ name: "a text byte by byte", chunks: chopped(textFrame(HELLO), 1), outcome: [HELLO_ECHO, "lives"] });
  cases.push({
    name: "many texts in one chunk",
    chunks: [Buffer.concat(Array.from({ length: 50 }, () => textFrame(HELLO)))],
    outcome: [...Array.from({ length: 50 }, () => HELLO_ECHO), "lives"],
  });
  return cases;
}

function headers(): WireCase[] {
  const masks = [[0, 0, 0, 0], [255, 255, 255, 255], [1, 2, 3, 4], [0, 0, 0, 1], [0x80, 0, 0, 0], [
    0x7b,
    0x22,
    0x7d,
    0,
  ]];
  const options: [string, FrameOptions][] = masks.map((mask) => [`the mask ${mask}`, { mask }]);
  // Longer than need be: RFC 6455 section 5.2 asks for the shortest, and no server is harmed by another.
  options.push(["a length in 16 bits that fits in 7", { lengthBits: 16 }]);
  options.push(["a length in 64 bits that fits in 7", { lengthBits: 64 }]);
  return options.flatMap(([what, one]) =>
    [1, 1_000_000].map((chop) => ({
      name: `${what}, in chunks of ${chop}`,
      chunks: chopped(textFrame(HELLO, one), chop),
      outcome: [HELLO_ECHO, "lives"],
    }))
  );
}

function pings(): WireCase[] {
  const cases: WireCase[] = [];
  for (const length of [0, 1, 60, 124, 125]) {
    const payload = "p".repeat(length);
    const answer = `pong frame ${length > 60 ? `${length} characters` : payload}`.trim();
    for (const chop of [1_000, 1]) {
      cases.push({
        name: `a ping of ${length} bytes in chunks of ${chop}`,
        chunks: chopped(clientFrameOf(FIN | ping, payload), chop),
        outcome: [answer, "lives"],
      });
    }
    cases.push({
      name: `a pong of ${length} bytes that nobody asked for`,
      chunks: [clientFrameOf(FIN | pong, payload)],
      outcome: ["lives"],
    });
  }
  cases.push({
    name: "a ping of bytes that are no text",
    chunks: [clientFrameOf(FIN | ping, Buffer.of(0, 255, 254, 253, 252, 251, 0, 255))],
    outcome: ["pong frame \x00\xff\xfe\xfd\xfc\xfb\x00\xff", "lives"],
  });
  for (const [name, opcode] of Object.entries(CONTROL)) {
    for (const length of [126, 127, 65_535, 65_536]) {
      cases.push({
        name: `a ${name} of ${length} bytes`,
        chunks: [clientFrameOf(FIN | opcode, Buffer.alloc(length, 3))],
        outcome: ["close 1002"],
      });
    }
  }
  for (const chop of [1_000_000, 1]) {
    const ten = Array.from({ length: 10 }, (_, at) => clientFrameOf(FIN | ping, `payload ${at}`));
    cases.push({
      name: `ten pings in chunks of ${chop}`,
      chunks: chopped(Buffer.concat(ten), chop),
      outcome: [...ten.map((_, at) => `pong frame payload ${at}`), "lives"],
    });
  }
  cases.push({
    name: "a pong, a ping and a pong",
    chunks: [Buffer.concat([
      clientFrameOf(FIN | pong, "a"),
      clientFrameOf(FIN | ping, "b"),
      clientFrameOf(FIN | pong, "c"),
    ])],
    outcome: ["pong frame b", "lives"],
  });
  return cases;
}

function reservedBits(deflates: boolean): WireCase[] {
  const opcodes = { ...DATA, ...CONTROL, continuation };
  return Object.entries(opcodes).flatMap(([name, opcode]) =>
    [1, 2, 3, 4, 5, 6, 7].flatMap((bits): WireCase[] => {
      const frame = clientFrameOf(FIN | (bits << 4) | opcode, opcode === text ? HELLO : "");
      const isCompressed = deflates && bits << 4 === RSV1;
      // A text that is no deflate, and an empty binary message.
      const end = isCompressed && opcode === text ? 1007 : isCompressed && opcode === binary ? 4400 : 1002;
      return [
        { name: `reserved bits ${bits} in a ${name} frame`, chunks: [frame], outcome: [`close ${end}`] },
        {
          name: `reserved bits ${bits} in a ${name} frame behind a text and a ping`,
          chunks: [Buffer.concat([textFrame(HELLO), clientFrameOf(FIN | ping), frame, textFrame(HELLO)])],
          outcome: ["pong frame", HELLO_ECHO, `close ${end}`],
        },
      ];
    })
  );
}

function reservedOpcodes(): WireCase[] {
  return [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode): WireCase[] => [
    { name: `opcode ${opcode}`, chunks: [clientFrameOf(FIN | opcode)], outcome: ["close 1002"] },
    { name: `opcode ${opcode} with a payload`, chunks: [clientFrameOf(FIN | opcode, HELLO)], outcome: ["close 1002"] },
    {
      name: `opcode ${opcode} without FIN`,
      chunks: [clientFrameOf(opcode, HELLO)],
      outcome: ["close 1002"],
    },
    {
      name: `opcode ${opcode} between two fragments`,
      chunks: [clientFrameOf(text, "{"), clientFrameOf(FIN | opcode, "x"), clientFrameOf(FIN | continuation, "}")],
      outcome: ["close 1002"],
    },
    {
      name: `opcode ${opcode} behind a text, byte by byte`,
      chunks: [textFrame(HELLO), ...chopped(clientFrameOf(FIN | opcode, "x"), 1)],
      outcome: [HELLO_ECHO, "close 1002"],
    },
  ]);
}

function fragments(): WireCase[] {
  const cases: WireCase[] = [];
  for (const [name, opcode] of Object.entries(CONTROL)) {
    cases.push(
      { name: `a ${name} in fragments`, chunks: [clientFrameOf(opcode, "xx")], outcome: ["close 1002"] },
      {
        name: `a ${name} in fragments between fragments of a text`,
        chunks: [clientFrameOf(text, HELLO.slice(0, 5)), clientFrameOf(opcode, "xx")],
        outcome: ["close 1002"],
      },
    );
  }
  for (const count of [2, 3, 10, HELLO.length]) {
    const parts = inFragments(HELLO, count);
    cases.push(
      { name: `a text in ${count} fragments`, chunks: parts, outcome: [HELLO_ECHO, "lives"] },
      {
        name: `a text in ${count} fragments of one chunk`,
        chunks: [Buffer.concat(parts)],
        outcome: [HELLO_ECHO, "lives"],
      },
      {
        name: `a text in ${count} fragments, byte by byte`,
        chunks: chopped(Buffer.concat(parts), 1),
        outcome: [HELLO_ECHO, "lives"],
      },
      {
        name: `a text in ${count} fragments with a ping between any two`,
        chunks: parts.flatMap((part, at) => at === 0 ? [part] : [clientFrameOf(FIN | ping, `${at}`), part]),
        outcome: [...parts.slice(1).map((_, at) => `pong frame ${at + 1}`), HELLO_ECHO, "lives"],
      },
      {
        name: `a text in ${count} fragments with a pong between any two`,
        chunks: parts.flatMap((part, at) => at === 0 ? [part] : [clientFrameOf(FIN | pong, `${at}`), part]),
        outcome: [HELLO_ECHO, "lives"],
      },
      {
        name: `a text in ${count} fragments with an empty one behind each`,
        chunks: [...parts.slice(0, -1).flatMap((part) => [part, clientFrameOf(continuation)]), parts.at(-1)!],
        outcome: [HELLO_ECHO, "lives"],
      },
      {
        name: `a binary message in ${count} fragments`,
        chunks: inFragments(HELLO, count, binary),
        outcome: ["close 4400"],
      },
      {
        name: `a close between ${count} fragments of a text`,
        chunks: [...parts.slice(0, -1), closeFrame(1000), parts.at(-1)!],
        outcome: ["close 1000"],
      },
      ...Object.entries(DATA).map(([name, opcode]): WireCase => ({
        name: `a new ${name} message between ${count} fragments of a text`,
        chunks: [...parts.slice(0, -1), clientFrameOf(FIN | opcode, HELLO), parts.at(-1)!],
        outcome: ["close 1002"],
      })),
    );
  }
  for (const [what, first] of [["that ends", FIN | continuation], ["that goes on", continuation]] as const) {
    for (const payload of ["", "x"]) {
      cases.push(
        {
          name: `a continuation ${what} of nothing (${payload.length} bytes)`,
          chunks: [clientFrameOf(first, payload)],
          outcome: ["close 1002"],
        },
        {
          name: `a continuation ${what} behind a whole text (${payload.length} bytes)`,
          chunks: [textFrame(HELLO), clientFrameOf(first, payload)],
          outcome: [HELLO_ECHO, "close 1002"],
        },
        {
          name: `a continuation ${what} behind a text in fragments (${payload.length} bytes)`,
          chunks: [...inFragments(HELLO, 2), clientFrameOf(first, payload)],
          outcome: [HELLO_ECHO, "close 1002"],
        },
      );
    }
  }
  cases.push({
    name: "a text of empty fragments",
    chunks: [clientFrameOf(text), clientFrameOf(continuation), clientFrameOf(FIN | continuation)],
    outcome: ["close 4400"],
  });
  return cases;
}

function utf8(): WireCase[] {
  const valid = [
    "κόσμε",
    "é",
    "\u0000",
    "\u07ff",
    "\u0800",
    "\ufffd",
    "\ufffe",
    "\uffff",
    "\u{10000}",
    "\u{10ffff}",
    "😀",
  ];
  const invalid = {
    "a lone continuation byte 80": [0x80],
    "a lone continuation byte bf": [0xbf],
    "two continuation bytes": [0x80, 0xbf],
    "a two-byte start alone": [0xc3],
    "a three-byte start alone": [0xe2],
    "a three-byte sequence cut short": [0xe2, 0x82],
    "a four-byte start alone": [0xf0],
    "a four-byte sequence cut short": [0xf0, 0x9f, 0x98],
    "an overlong slash in two bytes": [0xc0, 0xaf],
    "an overlong slash in three bytes": [0xe0, 0x80, 0xaf],
    "an overlong slash in four bytes": [0xf0, 0x80, 0x80, 0xaf],
    "the highest overlong of two bytes": [0xc1, 0xbf],
    "the highest overlong of three bytes": [0xe0, 0x9f, 0xbf],
    "the highest overlong of four bytes": [0xf0, 0x8f, 0xbf, 0xbf],
    "an overlong NUL": [0xc0, 0x80],
    "the first high surrogate": [0xed, 0xa0, 0x80],
    "the last high surrogate": [0xed, 0xaf, 0xbf],
    "the first low surrogate": [0xed, 0xb0, 0x80],
    "the last low surrogate": [0xed, 0xbf, 0xbf],
    "a pair of surrogates": [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80],
    "a code point over 10ffff": [0xf4, 0x90, 0x80, 0x80],
    "a five-byte sequence": [0xf8, 0x88, 0x80, 0x80, 0x80],
    "a six-byte sequence": [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80],
    "fe": [0xfe],
    "ff": [0xff],
    "fe fe ff ff": [0xfe, 0xfe, 0xff, 0xff],
  };
  const cases: WireCase[] = [];
  for (const character of valid) {
    const message = JSON.stringify({ type: "ping", payload: { echo: character } });
    const bytes = Buffer.from(message);
    const outcome = [`pong ${JSON.stringify({ echo: character })}`, "lives"];
    const name = `the character ${JSON.stringify(character)}`;
    cases.push({ name, chunks: [textFrame(message)], outcome });
    cases.push({ name: `${name} cut by fragments`, chunks: inFragments(bytes, bytes.length), outcome });
  }
  for (const [what, bytes] of Object.entries(invalid)) {
    const [before, after] = ['{"type":"ping","payload":{"echo":"', '"}}'];
    const message = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
    cases.push(
      { name: what, chunks: [textFrame(message)], outcome: ["close 1007"] },
      { name: `${what} in fragments`, chunks: inFragments(message, message.length), outcome: ["close 1007"] },
      { name: `${what} as the whole text`, chunks: [textFrame(Buffer.from(bytes))], outcome: ["close 1007"] },
      {
        name: `${what} as the reason of a close`,
        chunks: [closeFrame(1000, Buffer.from(bytes))],
        outcome: ["close 1007"],
      },
    );
  }
  return cases;
}

function closes(): WireCase[] {
  const cases: WireCase[] = [];
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]) {
    cases.push({ name: `a close with ${code}`, chunks: [closeFrame(code)], outcome: [`close ${code}`] });
  }
  for (const code of [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]) {
    cases.push({ name: `a close with ${code}, which is none`, chunks: [closeFrame(code)], outcome: ["close 1002"] });
  }
  for (const length of [1, 122, 123]) {
    cases.push({
      name: `a close with a reason of ${length} bytes`,
      chunks: [closeFrame(1000, "r".repeat(length))],
      outcome: ["close 1000"],
    });
  }
  const over = {
    "a text": textFrame(HELLO),
    "a ping": clientFrameOf(FIN | ping, "late"),
    "another close": closeFrame(1001),
    "a broken frame": clientFrameOf(FIN | 3),
    "a text without a mask": textFrame(HELLO, { mask: null }),
  };
  for (const [what, frame] of Object.entries(over)) {
    cases.push({
      name: `${what} behind a close`,
      chunks: [Buffer.concat([closeFrame(1000), frame])],
      outcome: ["close 1000"],
    });
  }
  cases.push(
    { name: "a close without a code", chunks: [clientFrameOf(FIN | close)], outcome: ["close"] },
    { name: "a close with half a code", chunks: [clientFrameOf(FIN | close, "\x03")], outcome: ["close 1002"] },
    { name: "a close byte by byte", chunks: chopped(closeFrame(1000, "done"), 1), outcome: ["close 1000"] },
    {
      name: "a text, a ping and a close",
      chunks: [Buffer.concat([textFrame(HELLO), clientFrameOf(FIN | ping), closeFrame(1000)])],
      // Who has said goodbye is not answered any more.
      outcome: ["pong frame", "close 1000"],
    },
  );
  return cases;
}

function unmasked(): WireCase[] {
  const frames = { ...DATA, ...CONTROL };
  return Object.entries(frames).flatMap(([name, opcode]) =>
    ["", HELLO].map((payload): WireCase => ({
      name: `a ${name} frame of ${payload.length} bytes that is not masked`,
      chunks: [clientFrameOf(FIN | opcode, payload, { mask: null })],
      outcome: ["close 1002"],
    }))
  ).concat({
    name: "a fragment that is not masked behind one that is",
    chunks: [clientFrameOf(text, "{"), clientFrameOf(FIN | continuation, "}", { mask: null })],
    outcome: ["close 1002"],
  });
}

function sizes(): WireCase[] {
  const cases: WireCase[] = [];
  const claims = { "one byte too many": FRAME_BYTES + 1, "1 MiB": 2n ** 20n, "4 GiB": 2n ** 32n, "2^53": 2n ** 53n };
  for (const [what, length] of Object.entries({ ...claims, "2^63": 2n ** 63n, "2^64 - 1": 2n ** 64n - 1n })) {
    for (const [name, opcode] of Object.entries(DATA)) {
      cases.push({
        name: `a ${name} frame that claims ${what}, and no byte of it`,
        chunks: [clientFrameOf(FIN | opcode, "", { length, lengthBits: 64 })],
        outcome: ["close 1009"],
      });
    }
  }
  for (
    const [count, outcome] of [[MAX_FRAGMENTS, [echoOf(echoText(1_000)), "lives"]], [MAX_FRAGMENTS + 1, [
      "close 1008",
    ]]] as const
  ) {
    cases.push({ name: `a text in ${count} fragments`, chunks: inFragments(echoText(1_000), count), outcome });
  }
  for (const count of [2, 16, 200]) {
    const message = echoText(FRAME_BYTES);
    cases.push(
      {
        name: `the largest text in ${count} fragments`,
        chunks: inFragments(message, count),
        outcome: [echoOf(message), "lives"],
      },
      {
        name: `one byte more in ${count} fragments`,
        chunks: inFragments(`${message} `, count),
        outcome: ["close 1009"],
      },
    );
  }
  cases.push({
    name: "a text that is one byte too long, whole",
    chunks: [textFrame(echoText(FRAME_BYTES + 1))],
    outcome: ["close 1009"],
  });
  return cases;
}

/** A message of so many bytes that is answered with what it carries. */
function echoText(bytes: number): string {
  const text = JSON.stringify({ type: "ping", payload: { echo: "" } });
  return text.replace('""', `"${"x".repeat(bytes - text.length)}"`);
}

function echoOf(message: string): string {
  const payload = JSON.stringify(JSON.parse(message).payload);
  return `pong ${payload.length > 60 ? `${payload.length} characters` : payload}`;
}

function chopped(bytes: Uint8Array, size: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return chunks;
}

/** A message in so many fragments, about as long as one another. */
function inFragments(message: string | Uint8Array, count: number, opcode: number = text): Uint8Array[] {
  const bytes = Buffer.from(message);
  return Array.from({ length: count }, (_, at) => {
    const part = bytes.subarray(Math.floor(at * bytes.length / count), Math.floor((at + 1) * bytes.length / count));
    return clientFrameOf((at === count - 1 ? FIN : 0) | (at === 0 ? opcode : continuation), part);
  });
}
