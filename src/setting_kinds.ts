import { type Bounds, integerRule, type Rule } from "./check_options.ts";

/** How a kind of value is written by whoever starts the server. */
export interface Kind<T> {
  /** What a value looks like, for the help. */
  readonly placeholder: string;
  /** What a value must be, as the end of a message. */
  readonly requirement: string;
  /** What the flag alone means; absent: it needs a value. */
  readonly bare?: string;
  /** Undefined for a text that is none. */
  parse(text: string): T | undefined;
}

/** A number without a fraction. */
export function integer(bounds: Bounds): Kind<number> {
  const { requirement, accepts } = integerRule(bounds);
  return {
    placeholder: "number",
    requirement,
    parse: (text) => /^\d+$/.test(text) && accepts(Number(text)) ? Number(text) : undefined,
  };
}

/** Seconds, with or without a fraction, of an option in milliseconds. */
export function seconds([leastMs, greatestMs]: Bounds): Kind<number> {
  const { accepts } = integerRule([leastMs, greatestMs]);
  return {
    placeholder: "seconds",
    requirement: `must be a number of seconds from ${leastMs / 1_000} to ${greatestMs / 1_000}, to the millisecond`,
    parse(text) {
      const ms = /^\d+(?:\.\d{1,3})?$/.test(text) ? Math.round(Number(text) * 1_000) : NaN;
      return accepts(ms) ? ms : undefined;
    },
  };
}

/** A text as it is. */
export function text(placeholder: string, { requirement, accepts }: Rule<string>): Kind<string> {
  return { placeholder, requirement, parse: (text) => accepts(text) ? text : undefined };
}

/** Yes or no. */
export function boolean(): Kind<boolean> {
  const values: ReadonlyMap<string, boolean> = new Map([["true", true], ["1", true], ["false", false], ["0", false]]);
  return {
    placeholder: "true|false",
    requirement: "must be true, 1, false or 0",
    bare: "true",
    parse: (text) => values.get(text.toLowerCase()),
  };
}

/** Values with commas between them. */
export function list<T extends string = string>(
  placeholder: string,
  { requirement, accepts }: Rule<string>,
): Kind<T[]> {
  return {
    placeholder,
    requirement: `each part between commas ${requirement}`,
    parse(text) {
      const values = text.split(",").map((value) => value.trim());
      return values.every(accepts) ? values as T[] : undefined;
    },
  };
}

/** One of a few words. */
export function choice<T extends string>(placeholder: string, values: readonly T[]): Kind<T> {
  return {
    placeholder,
    requirement: `must be one of ${values.join(", ")}`,
    parse: (text) => values.find((value) => value === text),
  };
}
