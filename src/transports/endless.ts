/**
 * An iterable that never yields: its events go to the client past the one who iterates.
 *
 * `onReturn` is called when the operation is completed. The pending `next` is not
 * settled by that: settling it would run the rest of graphql-ws's loop for an id that
 * may be in use again.
 */
export function endless(onReturn: () => void): AsyncGenerator<never, void, void> {
  const pending = new Promise<IteratorResult<never, void>>(() => {});
  const finish = (): Promise<IteratorResult<never, void>> => {
    onReturn();
    return Promise.resolve({ done: true, value: undefined });
  };
  return {
    next: () => pending,
    return: finish,
    throw: finish,
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await finish();
    },
  };
}
