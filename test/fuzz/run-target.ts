/**
 * One target, fed until it has had enough: the kept inputs first, then made ones.
 *
 * What ends a run: an answer that breaks a rule, an input that is not done in time, an error that nobody took, memory
 * that does not come back. The input is kept in the corpus, so the next run begins with it.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { generate, type Material } from "./generate.ts";
import type { FuzzTarget, OpenTarget } from "./target.ts";

/** How long to go on, and with which inputs. */
export interface FuzzRun {
  readonly seed: number;
  /** Number of the first input that is made. */
  readonly first: number;
  /** Inputs that are made at most. */
  readonly inputs: number;
  /** Seconds after which no further input is made. */
  readonly seconds: number;
}

/** What a run did. */
export interface FuzzResult {
  readonly target: string;
  readonly seed: number;
  readonly kept: number;
  readonly made: number;
  readonly seconds: number;
  /** Growth of the heap between the first tenth and the end, in MiB. */
  readonly heapGrowthMiB: number;
}

/** An input that is under way longer than this has hung. */
const patienceMs = 60_000;

/** Inputs between two looks at whether the part is whole. */
const lookEvery = 2_000;

/** Growth of the heap that counts as a leak, in MiB: no target holds anything for long. */
const maxHeapGrowthMiB = 48;

const corpusFolder = join(import.meta.dirname, "corpus");

/** @throws Error that names the input, when a rule was broken */
export async function runTarget(target: FuzzTarget, run: FuzzRun): Promise<FuzzResult> {
  const kept = keptInputs(target);
  const material: Material = {
    corpus: [...kept, ...(target.seeds ?? [])],
    words: target.words.map((word) => Buffer.from(word, "latin1")),
    maxBytes: target.maxBytes,
  };
  const started = performance.now();
  const secondsSoFar = (): number => (performance.now() - started) / 1_000;
  const unhandled = watchUnhandled();
  await using part = await target.open();
  const feeder = new Feeder(target, part, unhandled);
  for (const input of material.corpus) await feeder.give(input, "of the corpus");
  await feeder.look();
  let made = 0;
  let heapAtFirst: number | undefined;
  while (made < run.inputs && secondsSoFar() < run.seconds) {
    const number = run.first + made;
    await feeder.give(generate(material, run.seed, number), `${number} of seed ${run.seed}`);
    made += 1;
    if (made % lookEvery === 0) {
      await feeder.look();
      heapAtFirst ??= await heapMiB();
    }
  }
  await feeder.look();
  const heapGrowthMiB = heapAtFirst === undefined ? 0 : (await heapMiB()) - heapAtFirst;
  unhandled.stop();
  assert.ok(
    heapGrowthMiB < maxHeapGrowthMiB,
    `${target.name} holds ${heapGrowthMiB.toFixed(1)} MiB more after ${made} inputs`,
  );
  return {
    target: target.name,
    seed: run.seed,
    kept: kept.length,
    made,
    seconds: secondsSoFar(),
    heapGrowthMiB,
  };
}

/** Gives inputs, several at a time, and stops at the first that breaks a rule. */
class Feeder {
  readonly #target: FuzzTarget;
  readonly #part: OpenTarget;
  readonly #unhandled: Unhandled;
  readonly #underWay = new Set<Promise<void>>();
  #failure: Error | undefined;
  #last = Buffer.alloc(0);

  constructor(target: FuzzTarget, part: OpenTarget, unhandled: Unhandled) {
    this.#target = target;
    this.#part = part;
    this.#unhandled = unhandled;
  }

  /** Give one more, when there is room. */
  async give(input: Buffer, which: string): Promise<void> {
    while (this.#underWay.size >= this.#target.concurrency) await Promise.race(this.#underWay);
    this.#check();
    this.#last = Buffer.from(input);
    const fed = this.#feed(input, which).finally(() => this.#underWay.delete(fed));
    this.#underWay.add(fed);
  }

  /** Wait until nothing is under way, and look whether the part is whole. */
  async look(): Promise<void> {
    await Promise.all(this.#underWay);
    this.#check();
    await within(this.#part.whole(), "a look at whether it is whole").catch((error: unknown) => {
      throw this.#keep(this.#last, "or one shortly before", error);
    });
    this.#check();
  }

  async #feed(input: Buffer, which: string): Promise<void> {
    try {
      await within(this.#part.feed(input), "the input");
    } catch (error) {
      this.#failure ??= this.#keep(input, which, error);
    }
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    const [error] = this.#unhandled.errors;
    if (error !== undefined) throw this.#keep(this.#last, "or one shortly before", error);
  }

  #keep(input: Buffer, which: string, cause: unknown): Error {
    const name = createHash("sha256").update(input).digest("hex").slice(0, 12);
    const folder = join(corpusFolder, this.#target.corpus);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), input);
    const why = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    return new Error(
      `${this.#target.name}: input ${which}, kept as ${this.#target.corpus}/${name} (${input.length} bytes): ${why}`,
      { cause },
    );
  }
}

interface Unhandled {
  readonly errors: readonly unknown[];
  stop(): void;
}

/** What would have ended the process. */
function watchUnhandled(): Unhandled {
  const errors: unknown[] = [];
  const take = (error: unknown): void => {
    errors.push(error);
  };
  process.on("uncaughtException", take);
  process.on("unhandledRejection", take);
  return {
    errors,
    stop: () => {
      process.off("uncaughtException", take);
      process.off("unhandledRejection", take);
    },
  };
}

async function within(done: Promise<void>, what: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what} was not done after ${patienceMs} ms`));
    }, patienceMs);
  });
  try {
    await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}

function keptInputs({ corpus }: FuzzTarget): readonly Buffer[] {
  const folder = join(corpusFolder, corpus);
  return globSync("*", { cwd: folder })
    .toSorted()
    .map((name) => readFileSync(join(folder, name)));
}

/** Twice, with a pause: what finalizers let go of is free only after they have run. */
async function heapMiB(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let round = 0; round < 2; round += 1) {
    collect();
    await sleep(200);
  }
  collect();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return (heapUsed + external + arrayBuffers) / 1_048_576;
}
