declare module "@std/assert" {
  type Constructor<T> = abstract new (...args: never[]) => T;

  export function assert(value: unknown, message?: string): asserts value;
  export function assertEquals<T>(actual: T, expected: T, message?: string): void;
  export function assertNotEquals<T>(actual: T, expected: T, message?: string): void;
  export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): asserts actual is T;
  export function assertNotStrictEquals<T>(actual: T, expected: T, message?: string): void;
  export function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T>;
  export function assertInstanceOf<T>(actual: unknown, expected: Constructor<T>, message?: string): asserts actual is T;
  export function assertGreater<T>(actual: T, low: T, message?: string): void;
  export function assertGreaterOrEqual<T>(actual: T, low: T, message?: string): void;
  export function assertLess<T>(actual: T, high: T, message?: string): void;
  export function assertLessOrEqual<T>(actual: T, high: T, message?: string): void;
  export function assertMatch(actual: string, expected: RegExp, message?: string): void;
  export function assertNotMatch(actual: string, expected: RegExp, message?: string): void;
  export function assertStringIncludes(actual: string, expected: string, message?: string): void;
  export function assertArrayIncludes<T>(actual: ArrayLike<T>, expected: ArrayLike<T>, message?: string): void;
  export function assertObjectMatch(
    actual: object,
    expected: Readonly<Record<PropertyKey, unknown>>,
    message?: string,
  ): void;
  export function assertThrows<E extends Error = Error>(
    call: () => unknown,
    errorClass?: Constructor<E>,
    messageIncludes?: string,
  ): E;
  export function assertRejects<E extends Error = Error>(
    call: () => PromiseLike<unknown>,
    errorClass?: Constructor<E>,
    messageIncludes?: string,
  ): Promise<E>;
  export function fail(message?: string): never;
}

declare module "@std/cli/parse-args" {
  export interface ParseOptions {
    readonly string?: readonly string[];
    readonly boolean?: readonly string[];
    readonly negatable?: readonly string[];
    readonly collect?: readonly string[];
    readonly alias?: Readonly<Record<string, string>>;
    /** Called with each flag that was not named; false leaves it out. */
    readonly unknown?: (arg: string, key?: string, value?: unknown) => unknown;
  }

  export function parseArgs(
    args: readonly string[],
    options?: ParseOptions,
  ): { readonly [flag: string]: unknown; readonly _: readonly (string | number)[] };
}

declare module "@std/ulid" {
  export function ulid(seed?: number): string;
}

declare module "@std/http/cookie" {
  export function getCookies(headers: Headers): Readonly<Record<string, string>>;
}

declare module "@std/async/deadline" {
  /** Settles as `promise` does, or rejects with a `TimeoutError` after `ms` milliseconds. */
  export function deadline<T>(promise: Promise<T>, ms: number): Promise<T>;
}
