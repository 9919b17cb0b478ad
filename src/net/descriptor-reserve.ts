/**
 * Descriptors that are held to be given up when there are no others.
 *
 * Without a descriptor no connection can be accepted, and the kernel's client sees one that is closed at once: whoever
 * probes the process would take it for dead, whatever it was that used all of them.
 */
import { closeSync, openSync } from "node:fs";
import { onTicks, restingMs } from "../lifecycle/tick.ts";
import { maxDescriptors } from "./descriptors.ts";

/** Descriptors that are held. */
const held = 8;

/** So many more must be free before they are held again: otherwise they would be taken from who they were given to. */
const free = 8;

/** Between two looks while a quarter of all descriptors or more is open, in milliseconds. */
const scarceMs = 1_000;

/** A reserve of this process; disposing gives it up. */
export class DescriptorReserve implements Disposable {
  #descriptors: number[] = [];
  readonly #looks: Disposable;

  constructor() {
    this.#take();
    const manyOpen = maxDescriptors() / 4;
    let next: number | undefined = 0;
    const everyMs = (): number => (next === undefined || next > manyOpen ? scarceMs : restingMs);
    this.#looks = onTicks(everyMs, () => {
      next = nextDescriptor();
      if (this.isReleased) this.#take();
      else if (next === undefined) this.#release();
    });
  }

  /** True while there are too few descriptors. */
  get isReleased(): boolean {
    return this.#descriptors.length === 0;
  }

  [Symbol.dispose](): void {
    this.#looks[Symbol.dispose]();
    this.#release();
  }

  #take(): void {
    try {
      while (this.#descriptors.length < held + free) this.#descriptors.push(openSpare());
      for (const descriptor of this.#descriptors.splice(held)) closeSync(descriptor);
    } catch {
      this.#release();
    }
  }

  #release(): void {
    for (const descriptor of this.#descriptors.splice(0)) closeSync(descriptor);
  }
}

/** The lowest that is free, by which the kernel shows how many are not; undefined when none is. */
function nextDescriptor(): number | undefined {
  try {
    const descriptor = openSpare();
    closeSync(descriptor);
    return descriptor;
  } catch {
    return undefined;
  }
}

function openSpare(): number {
  return openSync("/dev/null", "r");
}
