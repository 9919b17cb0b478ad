/**
 * Work that many ask for at once and that needs to be done for all of them together.
 *
 * Who asks while it is being done, or within a pause after it, is answered by the next time: what it works from may
 * have changed since it began.
 */
import { sleep } from "./sleep.ts";

/** Does `work` for whoever has asked since its last beginning. */
export class Coalesced<Request, Result> {
  readonly #work: (requests: readonly Request[]) => Promise<Result>;
  readonly #pauseMs: number;
  #waiting: Request[] = [];
  #next: Promise<Result> | undefined;
  #pause: Promise<void> = Promise.resolve();

  /**
   * @param work gets every request that it answers
   * @param pauseMs least time before the work is begun again, in milliseconds; counted from when it was begun, what it
   *   does at once included
   */
  constructor(work: (requests: readonly Request[]) => Promise<Result>, pauseMs: number) {
    this.#work = work;
    this.#pauseMs = pauseMs;
  }

  /** Resolves or rejects as the work does that was begun after this call. */
  ask(request: Request): Promise<Result> {
    this.#waiting.push(request);
    this.#next ??= this.#pause.then(() => this.#run());
    return this.#next;
  }

  async #run(): Promise<Result> {
    const requests = this.#waiting;
    this.#waiting = [];
    this.#next = undefined;
    const result = this.#work(requests);
    this.#pause = sleep(this.#pauseMs, undefined, { isBackground: true });
    return result;
  }
}
