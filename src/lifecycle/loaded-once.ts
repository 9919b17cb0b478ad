/**
 * What is loaded when it is first needed.
 *
 * A failure is not kept: there may be descriptors again, or memory, by the time of the next who needs it.
 */

/** Loads once for all who ask, at once or later; after a failure, the next who asks has it loaded again. */
export function loadedOnce<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= load().catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  };
}
