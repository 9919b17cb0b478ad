/**
 * The children that Node.js waits for.
 *
 * Whoever collects the exit code of such a child in Node's place takes it from its owner for good: the `exit` event
 * never comes. Node publishes every ChildProcess on a diagnostics channel before it is spawned, whichever library
 * asked for it, so an owned child is known before it can have ended.
 */
import type { ChildProcess } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";

/** Node's channel for new child processes (diagnostics_channel documentation, `child_process`). */
const channel = "child_process";

/** Knows the children of this process that Node.js has not seen the end of, from its making on. */
export class OwnedChildren implements Disposable {
  readonly #children = new Set<Pick<ChildProcess, "pid" | "exitCode" | "signalCode">>();
  readonly #onChild = (message: unknown): void => {
    this.#forgetEnded();
    this.#children.add((message as { readonly process: ChildProcess }).process);
  };

  /** To be made before the first child is spawned. */
  constructor() {
    subscribe(channel, this.#onChild);
  }

  /**
   * Pids that may belong to such children now. A child stays in it until its exit is known in JavaScript, a little
   * longer than it has its pid: the error is on the safe side.
   */
  pids(): ReadonlySet<number> {
    this.#forgetEnded();
    return new Set([...this.#children].flatMap(({ pid }) => pid ?? []));
  }

  [Symbol.dispose](): void {
    unsubscribe(channel, this.#onChild);
  }

  #forgetEnded(): void {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) this.#children.delete(child);
    }
  }
}
