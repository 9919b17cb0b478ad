/**
 * What is followed and what is written because of it, as one: whatever changes, what is not as it is to be by then is written.
 */
import { TaskGroup } from "../../lifecycle/task-group.ts";
import { type ReadonlyWatch, Watch } from "../../lifecycle/watch.ts";
import { ObjectWriter, type ObjectWriterOptions, type WantedWrite } from "./object-writer.ts";

/** Some objects, and how they are to be. */
export interface KeptObjects {
  /** Each runs until its signal aborts, and calls `onChange` when what is due may be another. */
  readonly followed: readonly ((signal: AbortSignal) => Promise<void>)[];
  /** What is not as it is to be by now. */
  readonly due: () => Iterable<WantedWrite>;
}

/** Until `signal` aborts. @throws TaskFailedError when something that is followed fails for good */
export async function keepObjects(
  options: ObjectWriterOptions,
  begin: (onChange: () => void) => KeptObjects,
  signal: AbortSignal,
): Promise<void> {
  const changes = new Watch(0);
  const { followed, due } = begin(() => {
    changes.set(changes.current + 1);
  });
  await using tasks = new TaskGroup();
  const stop = AbortSignal.any([signal, tasks.signal]);
  for (const [index, follow] of followed.entries()) tasks.spawn(`follow-${index}`, () => follow(stop));
  await new ObjectWriter(options).run(changes, due, stop);
  if (tasks.failure !== undefined) throw tasks.failure;
}

/** A value whose changes are followed. */
export function eachChange(
  watch: ReadonlyWatch<unknown>,
  onChange: () => void,
): (signal: AbortSignal) => Promise<void> {
  return async (signal) => {
    for await (const _ of watch.changes(signal)) onChange();
  };
}
