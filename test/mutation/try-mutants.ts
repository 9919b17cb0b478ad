/** Workers that try mutants, two at a time: one that never answers is ended, and its mutant counts as found. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Trial, Verdict, WorkerTask } from "./worker.ts";

const atOnce = 2;

/** More modules than those of so many mutants are not kept. */
const trialsPerWorker = 80;

/**
 * Try each, in any order.
 *
 * @param patienceMs after which a mutant is taken for one that loops
 */
export async function tryMutants(
  task: WorkerTask & { readonly patienceMs: number },
  trials: readonly Trial[],
  onVerdict: (trial: Trial, foundBy: string | undefined) => void,
): Promise<void> {
  const waiting = [...trials];
  const serve = async (): Promise<void> => {
    while (waiting.length > 0) {
      await tryWithOneWorker(task, waiting, onVerdict);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, serve));
}

async function tryWithOneWorker(
  task: WorkerTask & { readonly patienceMs: number },
  waiting: Trial[],
  onVerdict: (trial: Trial, foundBy: string | undefined) => void,
): Promise<void> {
  const worker = new Worker(new URL("worker.ts", import.meta.url), { workerData: task });
  try {
    for (let tried = 0; tried < trialsPerWorker; tried += 1) {
      const trial = waiting.shift();
      if (trial === undefined) return;
      worker.postMessage(trial, []);
      try {
        const [verdict]: unknown[] = await once(worker, "message", {
          signal: AbortSignal.timeout(task.patienceMs),
        });
        onVerdict(trial, (verdict as Verdict).foundBy);
      } catch (error) {
        onVerdict(trial, `the worker ends: ${String(error)}`);
        return;
      }
    }
  } finally {
    await worker.terminate();
  }
}
