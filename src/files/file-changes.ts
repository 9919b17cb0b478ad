/**
 * Notice of changes among files whose contents somebody else reads.
 */
import { areSame, lookAtFiles, signaturesOf } from "./file-looks.ts";

/**
 * Call `onChange` once after each burst of changes among `paths()`, until `signal` aborts.
 *
 * @param paths asked at every look: the files of the moment, missing ones included
 * @param onChange may change what `paths` answers: other files are no change
 * @param everyMs between two looks that nothing gave cause for where the kernel may keep silent, in milliseconds; a second
 *   unless told
 */
export async function followChanges(
  paths: () => Iterable<string>,
  onChange: () => void,
  signal: AbortSignal,
  everyMs?: number,
): Promise<void> {
  let settled = signaturesOf(paths());
  let last = settled;
  await lookAtFiles(
    {
      paths,
      ...(everyMs === undefined ? {} : { everyMs }),
      look: (current) => {
        const isStill = areSame(current, last);
        last = current;
        if (areSame(current, settled)) return Promise.resolve(true);
        if (!isStill) return Promise.resolve(false);
        onChange();
        settled = last = signaturesOf(paths());
        return Promise.resolve(true);
      },
    },
    signal,
  );
}
