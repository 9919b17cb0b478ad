/**
 * What proxies are to have of the newest model. What all that call alike are told is made once for them and shared, and one
 * such kind is done before the next: the proxies of the first need not wait for the last.
 */
import { isDeepStrictEqual } from "node:util";
import { atOnce } from "../../lifecycle/in-turns.ts";
import { Turns } from "../../lifecycle/turns.ts";
import type { ReadonlyWatch } from "../../lifecycle/watch.ts";
import { type Caller, callerOf } from "../model/caller.ts";
import type { PublishedModel } from "../model/configured-models.ts";
import type { Model } from "../model/model.ts";
import type { Proxy } from "../model/proxy.ts";
import type { Fault } from "../networking/encode-parts.ts";
import { EncodingMemo } from "../networking/encoding-memo.ts";
import { prepare } from "../networking/prepare.ts";
import { TranslationMemo } from "../networking/translation-memo.ts";
import { callerViewOf, inputsOf, servedBy, type WorkloadView, workloadViewOf } from "../networking/view.ts";
import { ResourceSet } from "./layer.ts";
import {
  type Layers,
  layersTogether,
  noLayers,
  pushOrder,
  type ResourcesByType,
  translate,
  type Translated,
  untranslated,
} from "./snapshot.ts";
import type { ToldFaults } from "./told-faults.ts";

/** What a proxy is to have, and of which model. */
export interface Snapshot {
  readonly number: number;
  readonly resources: ResourcesByType;
  /** Who is told the same of the resource of that name: whoever has the same words here. */
  readonly scopeOf: (typeUrl: string, name: string) => string;
}

/** Proxies that call alike. */
interface Kind {
  readonly key: string;
  readonly caller: Caller;
  /** How many proxies are of this kind. */
  holders: number;
  done: Done | undefined;
  /** What its first proxy had before it was of this kind: it stands in for what cannot be translated. */
  inherited: Layers;
  pending: Promise<void> | undefined;
}

/** What its proxies are told, and everything that it was made of. */
interface Done {
  readonly published: PublishedModel;
  readonly layers: Layers;
  readonly inputs: readonly unknown[];
}

function keyOf(caller: Caller): string {
  return JSON.stringify(caller);
}

function lastOf(kind: Kind | undefined): Layers {
  return kind?.done?.layers ?? kind?.inherited ?? noLayers();
}

/** Translates for all proxies of a control plane. */
export class Translations {
  /** For them, and for what is made of them for one proxy: a thousand that come at once hold up nothing else. */
  readonly turns = new Turns();
  readonly #models: ReadonlyWatch<PublishedModel>;
  readonly #faults: Pick<ToldFaults, "tell">;
  readonly #kinds = new Map<string, Kind>();
  readonly #memo = new TranslationMemo();
  readonly #encodings = new EncodingMemo();
  #last: Promise<void> = Promise.resolve();
  /** How many translations there were since what nobody asks for was given up. */
  #made = 0;

  constructor(models: ReadonlyWatch<PublishedModel>, faults: Pick<ToldFaults, "tell">) {
    this.#models = models;
    this.#faults = faults;
  }

  /** How many kinds of proxies there are. */
  get kinds(): number {
    return this.#kinds.size;
  }

  /** For one proxy, until the result is disposed. */
  open(): ProxyTranslation {
    return new ProxyTranslation(this);
  }

  /** Join the proxies that call like this one, which has been of another kind before, or of none. */
  join(proxy: Proxy, before: Kind | undefined): Kind {
    const caller = callerOf(proxy, this.#models.current.model);
    const key = keyOf(caller);
    let kind = this.#kinds.get(key);
    if (kind === undefined) {
      kind = { key, caller, holders: 0, done: undefined, inherited: lastOf(before), pending: undefined };
      this.#kinds.set(key, kind);
    }
    kind.holders += 1;
    return kind;
  }

  leave(kind: Kind): void {
    kind.holders -= 1;
    if (kind.holders === 0) this.#kinds.delete(kind.key);
  }

  /** What its proxies are told of the newest model. */
  async shared(kind: Kind, proxy: Proxy): Promise<Done> {
    for (;;) {
      if (kind.done?.published === this.#models.current) return kind.done;
      kind.pending ??= this.#enqueue(kind, proxy).finally(() => {
        kind.pending = undefined;
      });
      await kind.pending;
      if (kind.done !== undefined) return kind.done;
    }
  }

  /** What is missing in what a proxy is to have. */
  tell({ id }: Proxy, faults: readonly Fault[]): void {
    if (faults.length > 0) this.#faults.tell(id, faults);
  }

  /** What the proxy is told for its own workload. */
  own(view: WorkloadView, previous: Layers): Translated {
    const made = atOnce(translate(({ generateOwn }) => generateOwn(view), previous, this.#encodings));
    this.#faults.tell(view.proxy.id, made.faults);
    return made;
  }

  #enqueue(kind: Kind, proxy: Proxy): Promise<void> {
    const work = this.#last.then(() => this.#translate(kind, proxy));
    this.#last = work.catch(() => undefined);
    return work;
  }

  async #translate(kind: Kind, proxy: Proxy): Promise<void> {
    const published = this.#models.current;
    if (kind.done?.published === published) return;
    const work = this.#steps(kind, published);
    // Of many kinds that have little to do, all together have one turn at a time.
    const { faults, ...done } = await this.turns.steps(work);
    this.#faults.tell(proxy.id, faults);
    kind.done = { published, ...done };
    kind.inherited = noLayers();
  }

  /** Where nothing is other that the kind sees, its layers stand. */
  *#steps(kind: Kind, { model }: PublishedModel): Generator<void, Translated & Pick<Done, "inputs">> {
    try {
      const view = callerViewOf(model, kind.caller, this.#memo);
      const inputs = inputsOf(view);
      const { done } = kind;
      if (done !== undefined && isSame(done.inputs, inputs))
        return { layers: done.layers, faults: [], inputs };
      this.#giveUpUnasked();
      yield* prepare(view);
      const made = yield* translate(({ generate }) => generate(view), lastOf(kind), this.#encodings);
      return { ...made, inputs };
    } catch (error) {
      return { ...untranslated(lastOf(kind), error), inputs: [] };
    }
  }

  /** What no kind has asked for while as many were translated as there are. */
  #giveUpUnasked(): void {
    this.#made += 1;
    if (this.#made <= this.#kinds.size) return;
    this.#made = 1;
    this.#encodings.advance();
  }
}

function isSame(before: readonly unknown[], now: readonly unknown[]): boolean {
  return before.length === now.length && now.every((input, index) => input === before[index]);
}

/** One proxy's part in them. */
export class ProxyTranslation implements Disposable {
  readonly #all: Translations;
  #kind: Kind | undefined;
  #own: OwnLayers = { proxy: undefined, inputs: [], layers: noLayers() };

  constructor(all: Translations) {
    this.#all = all;
  }

  /** What the proxy is to have of the newest model. */
  async take(proxy: Proxy): Promise<Snapshot> {
    for (;;) {
      const kind = this.#join(proxy);
      const { published, layers } = await this.#all.shared(kind, proxy);
      // Rules of a model that came meanwhile may ask for more of the proxy.
      if (keyOf(callerOf(proxy, published.model)) !== kind.key) continue;
      const own = await this.#all.turns.run(() => this.#ownOf(published.model, proxy));
      const resources = new Map(
        pushOrder.map((type) => {
          const together = layersTogether(type, own.get(type), layers.get(type));
          this.#all.tell(proxy, together.faults);
          return [type, new ResourceSet(together.layers)];
        }),
      );
      const scopeOf: Snapshot["scopeOf"] = (typeUrl, name) =>
        own.get(typeUrl)?.resources.has(name) === true ? `proxy ${proxy.id}` : `kind ${kind.key}`;
      return { number: published.number, resources, scopeOf };
    }
  }

  #join(proxy: Proxy): Kind {
    const before = this.#kind;
    this.#kind = this.#all.join(proxy, before);
    if (before !== undefined) this.#all.leave(before);
    return this.#kind;
  }

  [Symbol.dispose](): void {
    if (this.#kind !== undefined) this.#all.leave(this.#kind);
    this.#kind = undefined;
  }

  #ownOf(model: Model, proxy: Proxy): Layers {
    const view = workloadViewOf(model, proxy, servedBy(model, proxy));
    const inputs = [...Object.values(view.model), view.sidecar, ...view.services];
    const { proxy: lastProxy, inputs: before, layers } = this.#own;
    const isAsBefore = isSame(before, inputs) && isDeepStrictEqual(lastProxy, proxy);
    if (!isAsBefore) this.#own = { proxy, inputs, layers: this.#all.own(view, layers).layers };
    return this.#own.layers;
  }
}

/** What a proxy is told for its workload, and everything that it was made of. */
interface OwnLayers {
  readonly proxy: Proxy | undefined;
  readonly inputs: readonly unknown[];
  readonly layers: Layers;
}
