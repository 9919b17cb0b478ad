/** Envoys killed at random moments, swaps included: is it always back, what is said meanwhile, and what is left behind. */
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { readProcessStat } from "../../src/process/identity.ts";
import { envoysOf, pidsIn, sharedMemoryOf } from "./envoys-of.ts";
import { eventually } from "./eventually.ts";
import {
  givenBackMs,
  type Leaks,
  leaksOf,
  leftOver,
  settledSnapshot,
  type Snapshot,
  takeSnapshot,
} from "./leaks.ts";
import { type ProbeAnswer, ProbeSeries } from "./probe-series.ts";
import { StandaloneSidecar } from "./standalone-sidecar.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export interface KillStormOptions {
  readonly mode: "hot" | "overlap" | "cold";
  readonly kills: number;
  /** Share of the kills that come during a swap. */
  readonly duringSwaps: number;
}

/** One kill of the active Envoy with no swap under way. */
export interface PlainKill {
  /** From the death to the first answer that says unready; undefined when nobody asked in time. */
  readonly redMs: number | undefined;
  /** Answers of "ready" to questions asked 50 ms after the death or later, before the next Envoy was proven. */
  readonly wronglyGreen: number;
  /** Answers of "ready" after one of "not ready", before the next Envoy was proven. */
  readonly greenAfterRed: number;
  /** From the death to the first request that was answered. */
  readonly servingMs: number;
}

export interface KillStormFigures {
  readonly kills: number;
  readonly swaps: Readonly<Record<string, number>>;
  readonly plain: readonly PlainKill[];
  /** Requests that failed while readiness was green, in plain kills. */
  readonly failedWhileGreen: number;
  /** From each kill to "ready", in milliseconds. */
  readonly backMs: readonly number[];
  readonly leaks: Leaks;
}

/** Times of one death, in milliseconds of `performance.now()`. */
interface PlainDeath {
  readonly at: number;
  /** When the agent had proven the next Envoy. */
  readonly provenAt: number;
  readonly backAt: number;
}

/** The agent's line about an Envoy that serves, with its generation. */
const provenLine = /Envoy (?:is live|swapped)\b.*\bgeneration\W+(\d+)/;

/** Longest time until an Envoy is back, in milliseconds. */
const backWithinMs = 20_000;

export async function runKillStorm(options: KillStormOptions): Promise<KillStormFigures> {
  using folder = temporaryFolder();
  await using sidecar = await StandaloneSidecar.ready({
    folder: folder.path,
    flags: [
      ...["--swapMode", options.mode, "--swapTimeout", "5s"],
      // The storm is no crash loop: an Envoy that has served for a moment starts a new account.
      ...["--restartBudget", "100", "--restartStableAfter", "100ms"],
    ],
  });
  const storm = new Storm(sidecar, options);
  return await storm.run();
}

class Storm {
  readonly #sidecar: StandaloneSidecar;
  readonly #options: KillStormOptions;
  readonly #memories = new Set<string>();
  readonly #swaps: Record<string, number> = {};
  readonly #backMs: number[] = [];
  readonly #plainKills: PlainDeath[] = [];
  #swap: Promise<void> | undefined;

  constructor(sidecar: StandaloneSidecar, options: KillStormOptions) {
    this.#sidecar = sidecar;
    this.#options = options;
  }

  async run(): Promise<KillStormFigures> {
    const { trafficPort, ports } = this.#sidecar;
    const before = await settledSnapshot(this.#sidecar);
    const traffic = new ProbeSeries({ host: "127.0.0.1", port: trafficPort }, "/", 8);
    const readiness = new ProbeSeries({ host: "127.0.0.1", port: ports.status }, "/healthz/ready", 8);
    const sampler = setInterval(() => {
      this.#noteMemories();
    }, 50);
    try {
      for (let count = 0; count < this.#options.kills; count += 1) {
        if (Math.random() < this.#options.duringSwaps) await this.#killDuringSwap();
        else await this.#killPlainly();
      }
      await this.#swap;
      const last = this.#plainKills.at(-1)?.at ?? 0;
      await eventually(
        "an answer after the last kill",
        () => {
          assert.ok(traffic.answers.some(({ status, askedAt }) => status === 200 && askedAt > last));
        },
        { withinMs: 10_000, everyMs: 5 },
      );
    } finally {
      clearInterval(sampler);
      await Promise.all([traffic[Symbol.asyncDispose](), readiness[Symbol.asyncDispose]()]);
    }
    return {
      kills: this.#backMs.length,
      swaps: this.#swaps,
      plain: this.#plainKills.map((death) => judge(death, readiness.answers, traffic.answers)),
      failedWhileGreen: failedWhileGreen(this.#plainKills, readiness.answers, traffic.answers),
      backMs: this.#backMs,
      leaks: await this.#leaks(before),
    };
  }

  async #killPlainly(): Promise<void> {
    await this.#swap;
    await pause(Math.random() * 400);
    const { pid, generation } = await eventually(
      "an Envoy to kill",
      async () => {
        const { envoy } = await this.#sidecar.report();
        assert.ok(envoy.pid !== undefined && envoy.generation !== undefined, JSON.stringify(envoy));
        return { pid: envoy.pid, generation: envoy.generation };
      },
      { withinMs: 20_000 },
    );
    process.kill(pid, "SIGKILL");
    // The kernel takes its time to end a process; from then on its parent can know.
    while ((readProcessStat(pid)?.state ?? "Z") !== "Z") await pause(1);
    const at = performance.now();
    const backAt = await this.#back(at, pid);
    this.#plainKills.push({ at, provenAt: await this.#proofAfter(generation), backAt });
  }

  /** When the agent says that a later Envoy was proven; its line may come later than its answers. */
  async #proofAfter(generation: number): Promise<number> {
    const line = await eventually(
      "the line of the proof",
      () => {
        const { lines } = this.#sidecar.agent;
        const proof = lines.find((text) => Number(provenLine.exec(text)?.[1]) > generation);
        if (proof === undefined) throw new Error(`none in:\n${lines.slice(-40).join("\n")}`);
        return proof;
      },
      { withinMs: 20_000, everyMs: 5 },
    );
    return Date.parse(line.split("\t")[0] ?? "") - performance.timeOrigin;
  }

  /** Whom it hits is left to chance: the old one, the newcomer, or one that drains. */
  async #killDuringSwap(): Promise<void> {
    await this.#swap;
    this.#swap = this.#sidecar.swap().then(
      ({ report }) => {
        this.#swaps[report.result] = (this.#swaps[report.result] ?? 0) + 1;
      },
      () => {
        this.#swaps["unanswered"] = (this.#swaps["unanswered"] ?? 0) + 1;
      },
    );
    await pause(Math.random() * 700);
    const seen = envoysOf(this.#sidecar.folder);
    const victim = seen[Math.floor(Math.random() * seen.length)];
    if (victim === undefined) return;
    this.#noteMemories();
    const at = performance.now();
    process.kill(victim.pid, "SIGKILL");
    await this.#back(at, victim.pid);
  }

  async #back(at: number, victim: number): Promise<number> {
    await eventually(
      "ready with a living Envoy",
      async () => {
        const { ready, envoy } = await this.#sidecar.report();
        if (!ready || envoy.pid === victim || envoy.state !== "live") throw new Error(JSON.stringify(envoy));
      },
      { withinMs: backWithinMs, everyMs: 5 },
    ).catch((error: unknown) => {
      throw new Error(`not back:\n${this.#sidecar.agent.lines.slice(-60).join("\n")}`, { cause: error });
    });
    const backAt = performance.now();
    this.#backMs.push(Math.round(backAt - at));
    return backAt;
  }

  #noteMemories(): void {
    for (const { pid } of envoysOf(this.#sidecar.folder)) {
      const memory = sharedMemoryOf(pid);
      if (memory !== undefined) this.#memories.add(memory);
    }
  }

  async #leaks(before: Snapshot): Promise<Leaks> {
    const { folder, agent } = this.#sidecar;
    await eventually(
      "one Envoy alone",
      () => {
        const pids = pidsIn(folder);
        if (pids.length !== 2) throw new Error(`processes ${pids.join()}`);
      },
      { withinMs: 15_000 },
    );
    let latest: Snapshot | undefined;
    const after = await eventually(
      "nothing left over",
      () => {
        const seen = takeSnapshot(this.#sidecar);
        latest = seen;
        const left = leftOver(before, seen);
        if (left.length > 0) throw new Error(left.join(" "));
        return seen;
      },
      { withinMs: givenBackMs },
    ).catch((error: unknown) => {
      if (latest === undefined) throw error;
      return latest;
    });
    agent.kill("SIGTERM");
    await agent.exitWithin(15_000);
    return leaksOf({ before, after, folder, memories: [...this.#memories] });
  }
}

function judge(
  { at, provenAt, backAt }: PlainDeath,
  readiness: readonly ProbeAnswer[],
  traffic: readonly ProbeAnswer[],
): PlainKill {
  const firstRed = readiness.find(
    ({ status, askedAt }) => status === 503 && askedAt >= at && askedAt <= backAt,
  );
  const served = traffic.find(({ status, askedAt }) => status === 200 && askedAt > at);
  return {
    redMs: firstRed === undefined ? undefined : Math.round(firstRed.answeredAt - at),
    wronglyGreen: readiness.filter(
      ({ status, askedAt, answeredAt }) => status === 200 && askedAt > at + 50 && answeredAt < provenAt,
    ).length,
    greenAfterRed: readiness.filter(
      ({ status, askedAt, answeredAt }) =>
        status === 200 && firstRed !== undefined && askedAt > firstRed.answeredAt && answeredAt < provenAt,
    ).length,
    servingMs: Math.round((served?.answeredAt ?? Number.NaN) - at),
  };
}

/** Green may only be said of an Envoy that serves: whoever asks after a green answer is answered, until the next kill. */
function failedWhileGreen(
  kills: readonly PlainDeath[],
  readiness: readonly ProbeAnswer[],
  traffic: readonly ProbeAnswer[],
): number {
  return kills
    .map(({ at, backAt }) => {
      const red = readiness.find(({ askedAt, status }) => askedAt >= at && status === 503);
      const green = readiness.find(
        ({ askedAt, status }) => red !== undefined && askedAt > red.askedAt && status === 200,
      );
      if (green === undefined) return 0;
      return traffic.filter(
        ({ askedAt, status }) => askedAt > green.answeredAt && askedAt < backAt && status !== 200,
      ).length;
    })
    .reduce((sum, count) => sum + count, 0);
}
