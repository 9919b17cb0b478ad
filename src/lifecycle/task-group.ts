/**
 * Structured concurrency for background work.
 *
 * The group is the only place where a promise is started without being awaited, so that no failure goes
 * unseen: the first task that rejects cancels its siblings and becomes the group's failure. A group never
 * restarts a task; what may fail and be tried again is wrapped in `retrying` first.
 */
import { errorMessage } from "./error-message.ts";
import { guarded } from "./guard.ts";

/** Work that runs until it is finished or `signal` aborts. */
export type Task = (signal: AbortSignal) => Promise<void>;

/** A background task rejected for another reason than its own cancellation. */
export class TaskFailedError extends Error {
  override readonly name = "TaskFailedError";
  readonly task: string;

  constructor(task: string, cause: unknown) {
    super(`task ${task} failed: ${errorMessage(cause)}`, { cause });
    this.task = task;
  }
}

/** Runs tasks side by side; disposing cancels them and waits until each has returned. */
export class TaskGroup implements AsyncDisposable {
  readonly #controller = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  #failure: TaskFailedError | undefined;

  /** Aborts when a task fails and when the group is disposed. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The first failure, if there was one. */
  get failure(): TaskFailedError | undefined {
    return this.#failure;
  }

  /** Start `task` under a name that is unique within the group. */
  spawn(name: string, task: Task): void {
    if (this.#running.has(name)) throw new Error(`task ${name} is already running`);
    this.#running.set(
      name,
      this.#run(name, task).finally(() => this.#running.delete(name)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#controller.abort();
    await Promise.all(this.#running.values());
  }

  async #run(name: string, task: Task): Promise<void> {
    try {
      await guarded({ part: `task ${name}` }, () => task(this.signal));
    } catch (error) {
      if (this.signal.aborted) return;
      this.#failure = new TaskFailedError(name, error);
      this.#controller.abort(this.#failure);
    }
  }
}
