import { element } from "./element.ts";

/** A round sign for a user: the first character, in a colour that stays the user's. */
export function avatar(userId: string): HTMLElement {
  // A guest is told from other guests by what follows the prefix.
  const [first = "?"] = userId.replace(/^guest-/, "");
  const sign = element("span", { className: "avatar", text: first });
  sign.ariaHidden = "true";
  sign.style.setProperty("--hue", String(hueOf(userId)));
  return sign;
}

function hueOf(userId: string): number {
  let hash = 7;
  for (const character of userId) hash = (hash * 31 + character.codePointAt(0)!) % 360_007;
  return hash % 360;
}
