import type { CutClientKind } from "./cut_client.ts";
import type { CutSubject } from "./cut_subject.ts";

/** One way in which a network fails a client; resolves when the client is back. */
export type Cut = (subject: CutSubject) => Promise<void>;

/** How a connection breaks. What exactly happens, a subject's seed says. */
export const CUTS = {
  /** Out of the blue: reset, or ended in order. */
  async plain(subject) {
    await cutAndReturn(subject);
  },

  /** The last frames were lost in flight. */
  async swallowed(subject) {
    subject.network.swallow();
    await subject.network.next("swallowed", 1 + subject.upTo(2_000));
    await cutAndReturn(subject);
  },

  /** Nothing came through any more, in one direction or in both. */
  async stalled(subject) {
    const { network } = subject;
    network.stall((["toServer", "toClient", "both"] as const)[subject.upTo(3)]);
    await subject.sender.next(1 + subject.upTo(10));
    const back = leaveFor(subject, FEW_MESSAGES);
    network.resume();
    await back;
  },

  /** The next connection breaks too: while it is made, acknowledged, subscribed on or caught up on. */
  async again(subject) {
    const { network, kind: { survivesRefusal } } = subject;
    const [direction, limit] = subject.random() < 0.5 ? ["toServer", 400] as const : ["toClient", 1_000] as const;
    const { opened, [direction]: passed } = network.counters;
    const wanted = passed + subject.upTo(limit);
    subject.awayMessages = subject.upTo(FEW_MESSAGES);
    // A client that takes a broken handshake for a refusal gives up, by its own rule.
    const isOpen = survivesRefusal ? undefined : subject.opened();
    subject.cut();
    await isOpen;
    await network.until((now) => now.opened > opened && now[direction] >= wanted);
    await cutAndReturn(subject);
  },

  /** It was away for long, and its connection breaks again while it catches up. */
  async catchingUp(subject) {
    await leaveFor(subject, 100);
    await subject.delivered(subject.upTo(10));
    await cutAndReturn(subject);
  },

  /** It catches up over a slow connection, which breaks in the middle of a frame. */
  async trickling(subject) {
    const back = leaveFor(subject, 60);
    subject.network.slow(20_000);
    await back;
    await subject.network.next("toClient", 1 + subject.upTo(8_000));
    const again = leaveFor(subject, FEW_MESSAGES);
    subject.network.slow(Infinity);
    await again;
  },

  /** Nobody listens for a moment. */
  async refused(subject) {
    subject.refuse(1 + subject.upTo(2));
    await cutAndReturn(subject);
  },

  /** It has just come, and has no message yet. */
  async new(subject) {
    await subject.renew();
    await cutAndReturn(subject);
  },

  /** It changes networks; the server does not know yet that the old connection is dead. */
  async moved(subject) {
    subject.network.stall();
    await subject.sender.next(1 + subject.upTo(10));
    subject.awayMessages = subject.upTo(FEW_MESSAGES);
    const back = subject.back();
    const old = subject.leave();
    await back;
    await subject.delivered(subject.upTo(5));
    old.cut();
    old.resume();
  },
} satisfies Record<string, Cut>;

/** A way to break. */
export type CutName = keyof typeof CUTS;

/** The ways to break that a kind of client promises something for. */
export function cutsFor({ survivesRefusal, isTold }: CutClientKind): readonly CutName[] {
  const names = Object.keys(CUTS) as CutName[];
  // Whom the server tells nothing has to have a message first, and has no socket to leave.
  return names.filter((name) => name === "refused" ? survivesRefusal : !WITH_SOCKET.has(name) || isTold);
}

const WITH_SOCKET: ReadonlySet<CutName> = new Set(["new", "moved"]);
/** A client that is away for a moment misses less than this. */
const FEW_MESSAGES = 12;

async function cutAndReturn(subject: CutSubject): Promise<void> {
  await leaveFor(subject, FEW_MESSAGES);
}

/** Cuts, and lets fewer messages than these be sent before the client may come back; resolves when it is back. */
function leaveFor(subject: CutSubject, messages: number): Promise<void> {
  subject.awayMessages = subject.upTo(messages);
  const back = subject.back();
  subject.cut();
  return back;
}
