import { avatar } from "./avatar.ts";
import type { RoomState } from "./documents.ts";
import { element, find } from "./element.ts";

/** Shows nobody, until it is known who is there. */
export function clearMembers(): void {
  find("members", HTMLUListElement).replaceChildren();
  find("member-count", HTMLSpanElement).textContent = "";
}

/** Shows who is in the room, and how many. */
export function showMembers({ viewer, room: { members } }: RoomState): void {
  const items = members.nodes.map(({ userId, sessionCount }) => {
    const name = element("span", { className: "member-name", text: userId });
    name.title = userId;
    const note = noteOn(sessionCount, userId === viewer.userId);
    const parts = note === "" ? [] : [element("span", { className: "member-note", text: note })];
    return element("li", { className: "member", children: [avatar(userId), name, ...parts] });
  });
  const more = members.totalCount - members.nodes.length;
  if (more > 0) items.push(element("li", { className: "member member-note", text: `and ${more} more` }));
  find("members", HTMLUListElement).replaceChildren(...items);
  find("member-count", HTMLSpanElement).textContent = String(members.totalCount);
}

function noteOn(sessionCount: number, isSelf: boolean): string {
  if (sessionCount === 0) return "away";
  if (sessionCount === 1) return isSelf ? "you" : "";
  return `${isSelf ? "you, " : ""}${sessionCount} tabs`;
}
