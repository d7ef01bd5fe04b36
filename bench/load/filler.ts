/** Pads a content: so many ASCII characters, always the same for the same sequence. */
export type Filler = (sequence: number, length: number) => string;

/** Pads with what costs nothing to make. It compresses to nothing, too. */
export const fillWithDots: Filler = (_sequence, length) => ".".repeat(length);

const NAMES = "ann ben chris dora emil fatima georg hanna ivan judith kofi lena".split(" ");
const WORDS = (
  "the to and a of is it in that you for this we on have be not with are was at can but if will " +
  "what so they all there just one do from or about out has when get up no which like time more an " +
  "who would then see know how release server meeting tomorrow review branch message customer invoice " +
  "thanks please later deploy yesterday screen button number address delivery answer question problem " +
  "morning Friday updated failed waiting finished started changed version account report budget design"
).split(" ");

/**
 * Pads with records such as a chat has: two fifths of it are words, and each has its own
 * numbers. Like JSON but for its quotes, which a message would hold escaped, twice as long.
 */
export const fillWithRecords: Filler = (sequence, length) => {
  const random = createRandom(sequence);
  // The square makes the first words frequent, as they are in a language.
  const pick = (words: readonly string[]) => words[Math.floor(random() ** 2 * words.length)];
  let text = "";
  while (text.length < length) {
    const words = Array.from({ length: 4 + Math.floor(random() * 16) }, () => pick(WORDS)).join(" ");
    const id = Math.floor(random() * 1e9);
    const timestamp = 1_700_000_000_000 + Math.floor(random() * 1e11);
    text += `{id:${id},senderId:${pick(NAMES)},content:${words},timestamp:${timestamp},edited:${random() < 0.1}},`;
  }
  return text.slice(0, length);
};

/** Numbers from 0 up to, not including, 1 that are the same for the same seed (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
