import type { GraphQLField, GraphQLNamedType } from "graphql";

/**
 * The extension of a type or field that is plain: its resolvers answer at once, change
 * nothing, and look at nothing but their source. What is plain may be compiled.
 */
export const PLAIN = { plain: true } as const;

/** Whether a type or field says that it is plain. */
export function isPlain({ extensions }: GraphQLNamedType | GraphQLField<unknown, unknown>): boolean {
  return extensions["plain" satisfies keyof typeof PLAIN] === true;
}

/** Stands where a plain resolver's arguments, context and info would: whoever looks is not plain. */
export class Blind {
  /** How often somebody looked. */
  looks = 0;
  /** What is given to the resolver; any use of it throws. */
  readonly eyes: object;

  constructor() {
    const look = (): never => {
      this.looks++;
      throw new TypeError("Cannot look at anything but the source: this resolver was said to be plain");
    };
    this.eyes = new Proxy({}, {
      get: look,
      has: look,
      ownKeys: look,
      getOwnPropertyDescriptor: look,
      getPrototypeOf: look,
    });
  }
}
