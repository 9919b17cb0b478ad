/**
 * The configuration of the mesh: what all sources have, joined. What is wrong with one of them is told, and what it had
 * last stays; it costs the others nothing.
 */
import { atOnce, inTurns } from "../../lifecycle/in-turns.ts";
import { TaskGroup } from "../../lifecycle/task-group.ts";
import { type ReadonlyWatch, Watch } from "../../lifecycle/watch.ts";
import type { Logger } from "../../telemetry/log.ts";
import { refusedBy } from "../config/refused.ts";
import { analysis } from "../config/analysis/analyze.ts";
import { type ConfigObject, objectId } from "../config/objects.ts";
import { placeOf } from "../config/analysis/warning.ts";
import { type ConfigProblem, describeConfigProblem } from "../config/problem.ts";
import { type JoinedObjects, joinSources } from "./join-sources.ts";
import type { ConfigSource, Original, SourceState } from "./source.ts";
import { ToldProblems } from "./told-problems.ts";

/** No source has anything that could be served. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(describeConfigProblem).join("\n"));
    this.problems = problems;
  }
}

/** The configuration at one moment. */
export interface Configuration extends JoinedObjects {
  readonly loadedAt: Date;
  /** By `objectId`, what sources that keep a status of their objects have; none of a source that is broken. */
  readonly originals: ReadonlyMap<string, Original>;
}

/** State of the configuration, for `/debug/configz`. */
export interface ConfigStatus {
  readonly loadedAt: string;
  readonly objects: readonly string[];
  /** The source and the place of each of them. */
  readonly origins: Readonly<Record<string, ObjectPlace>>;
  /** Where it comes from, in the order of priority. */
  readonly sources: readonly SourceStatus[];
  /** Why some of the newest state is not served; empty when all of it is. */
  readonly problems: readonly ConfigProblem[];
}

/** Where an object that is served comes from. */
interface ObjectPlace {
  /** Name of the source. */
  readonly source: string;
  /** File and line, or what else the source calls it. */
  readonly place: string;
}

/** One source, for the same page. */
export interface SourceStatus {
  readonly name: string;
  /** How many objects it has. */
  readonly objects: number;
  /** Of a registry: false while it does not answer. */
  readonly isUp?: boolean;
  /** Age of what is served of a registry, in seconds: 0 while it answers. */
  readonly ageSeconds?: number;
}

/** Follows its sources until disposed; they are not its own. */
export class Registry implements AsyncDisposable {
  readonly #sources: readonly ConfigSource[];
  readonly #states: SourceState[];
  /** What each source had when it was last read. */
  readonly #lastGood: (readonly ConfigObject[])[];
  readonly #told: ToldProblems;
  readonly #configuration: Watch<Configuration>;
  /** How many states of sources were taken since the start. */
  readonly #taken = new Watch(0);
  readonly #tasks = new TaskGroup();

  /**
   * A start serves what is well, as a change does: a restart must not cost the mesh what one bad object does not.
   *
   * @param sources in the order of their priority
   * @throws ConfigurationError when there are problems and nothing else to serve
   */
  constructor(sources: readonly ConfigSource[], log: Logger) {
    this.#sources = sources;
    this.#states = sources.map(({ states }) => states.current);
    this.#lastGood = this.#states.map((state) => (state.kind === "read" ? state.objects : []));
    const first = atOnce(this.#join());
    const errors = first.problems.filter(({ severity }) => severity === undefined);
    if (errors.length > 0 && first.objects.length === 0) throw new ConfigurationError(errors);
    this.#told = new ToldProblems(log);
    this.#told.tell(first.problems);
    this.#configuration = new Watch(first);
    for (const [index, { name, states }] of sources.entries()) {
      this.#tasks.spawn(`follow-${name}`, async (signal) => {
        for await (const state of states.changes(signal)) this.#take(index, state);
      });
    }
    this.#tasks.spawn("join-sources", async (signal) => {
      for await (const count of this.#taken.changes(signal)) if (count > 0) await this.#publish();
    });
  }

  get configuration(): ReadonlyWatch<Configuration> {
    return this.#configuration;
  }

  /** In the order of priority. */
  get sources(): readonly SourceStatus[] {
    return this.#sources.map(({ name, health }, index): SourceStatus => {
      const known = health?.();
      return {
        name,
        objects: this.#lastGood[index]?.length ?? 0,
        ...(known && { isUp: known.isUp, ageSeconds: Math.round(known.ageMs / 1_000) }),
      };
    });
  }

  get status(): ConfigStatus {
    const { loadedAt, objects, problems } = this.#configuration.current;
    const owners = new Map(
      this.#sources.flatMap(({ name }, index) =>
        (this.#lastGood[index] ?? []).map((object) => [object, name] as const),
      ),
    );
    const origins = objects.map((object): [string, ObjectPlace] => [
      objectId(object),
      { source: owners.get(object) ?? "", place: placeOf(object) },
    ]);
    return {
      loadedAt: loadedAt.toISOString(),
      objects: objects.map(objectId),
      origins: Object.fromEntries(origins),
      sources: this.sources,
      problems,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
  }

  #take(index: number, state: SourceState): void {
    if (state === this.#states[index]) return;
    this.#states[index] = state;
    if (state.kind === "read") this.#lastGood[index] = state.objects;
    this.#taken.set(this.#taken.current + 1);
  }

  async #publish(): Promise<void> {
    const joined = await inTurns(this.#join());
    this.#told.tell(joined.problems);
    this.#configuration.set(joined);
  }

  #originals(): ReadonlyMap<string, Original> {
    const [first, ...others] = this.#states.flatMap((state) =>
      state.kind === "read" && state.originals !== undefined ? [state.originals] : [],
    );
    return others.length === 0
      ? (first ?? new Map())
      : new Map([first ?? [], ...others].flatMap((each) => [...each]));
  }

  *#join(): Generator<void, Configuration> {
    const originals = this.#originals();
    const contributions = this.#states.map(({ problems }, index) => ({
      objects: this.#lastGood[index] ?? [],
      problems,
    }));
    const { objects, problems } = joinSources(contributions);
    yield;
    const ofMesh = yield* analysis(objects, [], refusedBy(problems));
    return { objects, problems: [...problems, ...ofMesh], loadedAt: new Date(), originals };
  }
}
