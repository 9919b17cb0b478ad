/** What every failure mode of hot restart is tried on: a sidecar in mode hot, under load, watched. */
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { eventually } from "../eventually.ts";
import { describeLoad, type LoadGenerator, mixedGroups, startLoadGenerator } from "../load/generator.ts";
import { ProbeSeries } from "../probe-series.ts";
import { type StandaloneOptions, StandaloneSidecar } from "../standalone-sidecar.ts";
import { temporaryFolder } from "../temporary-folder.ts";

/** What one failure mode has cost. */
export interface FailureFigures {
  /** Those lost to the keep-alive race included. */
  readonly failed: number;
  readonly total: number;
  /** Longest time in which the admin port had no answer of a LIVE Envoy, in milliseconds. */
  readonly withoutAdminMs: number;
  /** From the failure to an Envoy that serves and can be swapped again, in milliseconds. */
  readonly healMs: number;
  /** As many requests as come while nobody is answered, and those that were under way. */
  readonly failedInSilence: number;
  /** What was lost, for the reader of a failed test. */
  readonly detail: string;
}

/** Requests per second, so few that other tests may run beside. */
const perSecond = 300;

/** Clients of the load: no more requests are under way at once. */
export const clientsOfLoad: number = mixedGroups(perSecond).reduce((sum, { clients }) => sum + clients, 0);

export class Subject implements AsyncDisposable {
  readonly sidecar: StandaloneSidecar;
  readonly load: LoadGenerator;
  readonly admin: ProbeSeries;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    sidecar: StandaloneSidecar,
    load: LoadGenerator,
    admin: ProbeSeries,
    stack: AsyncDisposableStack,
  ) {
    this.sidecar = sidecar;
    this.load = load;
    this.admin = admin;
    this.#stack = stack;
  }

  static async start(options: Omit<StandaloneOptions, "folder"> = {}): Promise<Subject> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder()).path;
    const sidecar = stack.use(
      await StandaloneSidecar.ready({
        ...options,
        folder,
        flags: ["--swapMode", "hot", "--swapTimeout", "2s", ...(options.flags ?? [])],
      }),
    );
    const load = stack.use(
      await startLoadGenerator({ port: sidecar.trafficPort, groups: mixedGroups(perSecond) }),
    );
    const admin = stack.use(new ProbeSeries({ host: "127.0.0.1", port: sidecar.ports.admin }, "/ready", 10));
    return new Subject(sidecar, load, admin, stack.move());
  }

  /** Resolves with the time since `startedAt` once a generation above this one is proven and owns the admin port. */
  async healed(aboveGeneration: number, startedAt: number): Promise<number> {
    await eventually(
      "an Envoy that serves and has its admin interface",
      async () => {
        const { ready, envoy } = await this.sidecar.report();
        const isNew = (envoy.generation ?? 0) > aboveGeneration && envoy.state === "live";
        if (!ready || !isNew || envoy.problem !== undefined) throw new Error(JSON.stringify(envoy));
      },
      { withinMs: 15_000, everyMs: 10 },
    );
    return Math.round(performance.now() - startedAt);
  }

  async figures(healMs: number): Promise<FailureFigures> {
    await sleep(200);
    await this.admin[Symbol.asyncDispose]();
    const result = await this.load.stop();
    return {
      failed: result.failures.length + result.raced.length,
      total: result.total,
      withoutAdminMs: this.admin.longestOutageMs,
      healMs,
      failedInSilence: clientsOfLoad + Math.ceil((perSecond * result.longestSilenceMs) / 1_000),
      detail: describeLoad(result),
    };
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#stack.disposeAsync();
  }
}
