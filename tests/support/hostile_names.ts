/** A text somebody wants to be a room's name, and the name it is; undefined: it is refused. */
export interface ListedName {
  readonly why: string;
  readonly text: string;
  readonly name: string | undefined;
}

const LONG = 1_000_000 / 8;
const BIDI = [0x061c, 0x200e, 0x200f, ...range(0x202a, 0x202e), ...range(0x2066, 0x2069)];
const CONTROLS = [...range(0x00, 0x1f), ...range(0x7f, 0x9f)];
const SEPARATORS = [0x2028, 0x2029];
/** What `trim` takes away (ECMAScript, WhiteSpace and LineTerminator), beside controls and separators. */
const SPACES = [0x20, 0xa0, 0x1680, ...range(0x2000, 0x200a), 0x202f, 0x205f, 0x3000, 0xfeff];
const SURROGATES = [0xd800, 0xdbff, 0xdc00, 0xdfff];
/** Invisible, unassigned, private: odd names, but no line and no order is broken by them. */
const ODD = [
  ...[0x00ad, 0x034f, 0x115f, 0x180e, 0x200b, 0x200c, 0x200d, 0x2060, 0x2061, 0x2800, 0x3164, 0xfe00, 0xfe0f, 0xffa0],
  ...[0x0378, 0xfdd0, 0xfffd, 0xfffe, 0xffff, 0xe000, 0xf8ff, 0xf0000, 0x10fffd, 0x10ffff],
  ...[0xe0001, 0xe0041, 0xe007f, 0xe0100],
];

/** Names of things that every object has, or that stores and shells take for more than a name. */
const WORDS = [
  ...["__proto__", "constructor", "toString", "valueOf", "hasOwnProperty", "prototype", "__defineGetter__", "then"],
  ...["null", "undefined", "NaN", "true", "0", "-1", "1e3", "[object Object]", "length", "default", "server", "guest-"],
  ...["*", "?", "[a-z]", "h[^e]llo", "news.*", "a:b", ":", "::", "{a}", "{}", "#", "+", "$", "~", "|", "a~b", "a|b"],
  ...["../../etc/passwd", "/", "//", "\\", "a\\0b", "%00", "%2e%2e", "C:\\", "..", ".", "-", "--help", "-rf"],
  ...["' OR 1=1 --", `"; FLUSHALL`, "`id`", "$(id)", "<script>alert(1)</script>", "</script>", "{{7*7}}", "${7*7}"],
  ...["messages", "events", "everyone", "@everyone", "lobby", "Lobby", "LOBBY", "a  b", "a\u00a0b", "a\u3000b"],
];

/** One name written in several ways, and names that only look like one. */
const TWINS: readonly (readonly [why: string, text: string, name: string])[] = [
  ["NFC", "caf\u00e9", "caf\u00e9"],
  ["NFD", "cafe\u0301", "caf\u00e9"],
  ["the Angstrom sign", "\u212b", "\u00c5"],
  ["A with a ring, apart", "A\u030a", "\u00c5"],
  ["the Ohm sign", "\u2126", "\u03a9"],
  ["Hangul, in parts", "\u1112\u1161\u11ab", "\ud55c"],
  ["Hangul, whole", "\ud55c", "\ud55c"],
  ["marks in another order", "q\u0307\u0323", "q\u0323\u0307"],
  ["an ideograph for compatibility", "\uf900", "\u8c48"],
  ["the Greek question mark", "a\u037e", "a;"],
  ["a musical symbol that NFC takes apart", "\u{1d15e}", "\u{1d157}\u{1d165}"],
  ["full-width", "\uff4c\uff4f\uff42\uff42\uff59", "\uff4c\uff4f\uff42\uff42\uff59"],
  ["Cyrillic that looks Latin", "l\u043ebby", "l\u043ebby"],
  ["a ligature", "\ufb01", "\ufb01"],
  ["a superscript", "x\u00b2", "x\u00b2"],
  ["the Turkish dotless i", "l\u0131", "l\u0131"],
  ["the sharp s", "\u00df", "\u00df"],
  ["an emoji of several", "\u{1f469}\u200d\u{1f469}\u200d\u{1f467}", "\u{1f469}\u200d\u{1f469}\u200d\u{1f467}"],
  ["a flag of tags", "\u{1f3f4}\u{e0067}\u{e0062}\u{e007f}", "\u{1f3f4}\u{e0067}\u{e0062}\u{e007f}"],
  ["a mark and nothing below it", "\u0301", "\u0301"],
  ["128 characters", "x".repeat(128), "x".repeat(128)],
  ["128 characters of two units", "\u{1f600}".repeat(128), "\u{1f600}".repeat(128)],
  ["128 characters once they are put together", "e\u0301".repeat(128), "\u00e9".repeat(128)],
];

/** More than 200 texts, each with what becomes of it. */
export const LISTED_NAMES: readonly ListedName[] = [
  ...WORDS.map((text) => ({ why: "a word", text, name: text })),
  ...TWINS.map(([why, text, name]) => ({ why, text, name })),
  ...ODD.map((code) => ({ why: `odd ${hex(code)}`, text: `a${char(code)}b`, name: `a${char(code)}b` })),
  ...CONTROLS.map((code) => ({ why: `control ${hex(code)}`, text: `a${char(code)}b`, name: undefined })),
  ...[...BIDI, ...SEPARATORS].map((code) => ({ why: `order ${hex(code)}`, text: `a${char(code)}b`, name: undefined })),
  ...SURROGATES.map((code) => ({ why: `half ${hex(code)}`, text: `a${char(code)}b`, name: undefined })),
  ...SPACES.map((code) => ({ why: `space before, ${hex(code)}`, text: `${char(code)}a`, name: undefined })),
  ...SPACES.map((code) => ({ why: `space behind, ${hex(code)}`, text: `a${char(code)}`, name: undefined })),
  ...["", " ", "\r\n", "\0", "a\r\nb: c", "\ud83d", "\ude00\ud83d"].map((text) => ({
    why: "nothing, or half of something",
    text,
    name: undefined,
  })),
  { why: "129 characters", text: "x".repeat(129), name: undefined },
  { why: "129 characters of two units", text: "\u{1f600}".repeat(129), name: undefined },
  { why: "129 characters that NFC makes of 43", text: "\u{1d160}".repeat(43), name: undefined },
  { why: "as long as a frame lets through", text: "x".repeat(LONG), name: undefined },
  { why: "marks in the wrong order", text: "\u0301\u0323".repeat(4_000), name: undefined },
  { why: "as long, and of marks in the wrong order", text: "\u0301\u0323".repeat(LONG / 4), name: undefined },
  { why: "as long, and of marks", text: "\u0301".repeat(LONG / 2), name: undefined },
];

/**
 * The name of the room that a text names; undefined: it names none.
 *
 * Said in another way than the server says it: by code points.
 */
export function referenceName(text: string): string | undefined {
  // Anything so long is too long, and putting its marks in order would take minutes.
  const name = text.slice(0, 2_000).normalize("NFC");
  const codes = Array.from(name, (character) => character.codePointAt(0)!);
  if (codes.length === 0 || codes.length > 128) return undefined;
  const refused = [...CONTROLS, ...BIDI, ...SEPARATORS];
  if (codes.some((code) => refused.includes(code) || (code >= 0xd800 && code <= 0xdfff))) return undefined;
  return SPACES.includes(codes[0]!) || SPACES.includes(codes.at(-1)!) ? undefined : name;
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

function char(code: number): string {
  return String.fromCodePoint(code);
}

function hex(code: number): string {
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
