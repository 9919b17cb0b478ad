/** What becomes of a resource that Envoy refuses, played: a control plane, an agent, and Envoys that come and go. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe } from "node:test";
import { typeUrl, wildcardTypes } from "../../src/xds/type-urls.ts";
import type { HeldListeners } from "../../src/xdsproxy/downstream/held-listeners.ts";
import type { Refusal } from "../../src/xdsproxy/report/refusal.ts";
import { eventually } from "./eventually.ts";
import { PlayedEnvoy } from "./played-envoy.ts";
import { ScriptedControlPlane } from "./scripted-control-plane.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { type XdsFixture, xdsFixture } from "./xds-fixture.ts";
import { delta, type Encoding, sotw, valueOf } from "./xds-messages.ts";

const types = ["cluster", "listener", "route", "endpoint", "extension", "secret"] as const;

/** The resources of one type, whose bytes are these texts. */
export type Texts = Readonly<Record<string, string>>;

/** A control plane, an agent, and Envoys that come and go. */
export class RefusalScene implements AsyncDisposable {
  readonly type: string;
  readonly encoding: Encoding;
  readonly plane: ScriptedControlPlane;
  readonly folder: string;
  readonly #stack: AsyncDisposableStack;
  readonly #hasCache: boolean;
  #agent: XdsFixture;

  private constructor(
    [type, encoding, hasCache]: readonly [string, Encoding, boolean],
    stack: AsyncDisposableStack,
    parts: { plane: ScriptedControlPlane; folder: string; agent: XdsFixture },
  ) {
    this.type = type;
    this.encoding = encoding;
    this.#hasCache = hasCache;
    this.#stack = stack;
    this.plane = parts.plane;
    this.folder = parts.folder;
    this.#agent = parts.agent;
  }

  static async open(type: string, encoding: Encoding, texts: Texts, hasCache = true): Promise<RefusalScene> {
    const stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder()).path;
    const plane = stack.use(await ScriptedControlPlane.listen(resourcesOf(type, texts)));
    const agent = await startAgent(plane.address, folder, hasCache);
    const scene = new RefusalScene([type, encoding, hasCache], stack, { plane, folder, agent });
    stack.defer(() => scene.agent[Symbol.asyncDispose]());
    return scene;
  }

  get agent(): XdsFixture {
    return this.#agent;
  }

  get refused(): readonly Refusal[] {
    return this.#agent.proxy.state.current.refused;
  }

  /** An Envoy that has just started. */
  envoy(names: readonly string[]): PlayedEnvoy {
    const envoy = new PlayedEnvoy(this.encoding, () => this.#agent.envoy(this.encoding));
    envoy.connect();
    envoy.subscribe(this.type, wildcardTypes.has(this.type) ? [] : names);
    return envoy;
  }

  /** An Envoy that has both its resources, and refuses the `a` that comes next. */
  async refusing(names: readonly string[]): Promise<PlayedEnvoy> {
    const envoy = this.envoy(names);
    await this.has(envoy, { a: "1", b: "1" });
    this.push({ a: "bad 2", b: "1" });
    await this.refuses({ a: "last accepted" });
    return envoy;
  }

  /** An Envoy that is to take over. */
  async newcomer(names: readonly string[], hold: HeldListeners): Promise<PlayedEnvoy> {
    const envoy = this.envoy(names);
    await eventually("its stream", () => assert.equal(hold.streams.length, 1), {
      withinMs: 60_000,
      everyMs: 5,
    });
    hold.release();
    return envoy;
  }

  /** These the newcomer lacks, and another Envoy has. */
  async lacks(hold: HeldListeners, names: readonly string[]): Promise<void> {
    await eventually(
      `lacks ${names.join()}`,
      () =>
        assert.deepEqual(
          this.#agent.proxy.lackedBy(hold)?.map(({ name }) => name),
          names,
        ),
      { withinMs: 60_000, everyMs: 5 },
    );
  }

  push(texts: Texts): void {
    this.plane.push(resourcesOf(this.type, texts));
  }

  /** The agent's container is restarted; its folder stays. */
  async restartAgent(): Promise<void> {
    await this.#agent[Symbol.asyncDispose]();
    this.#agent = await startAgent(this.plane.address, this.folder, this.#hasCache);
  }

  async has(envoy: PlayedEnvoy, texts: Texts): Promise<void> {
    await eventually(JSON.stringify(texts), () => assert.deepEqual(envoy.state(this.type), texts), {
      withinMs: 60_000,
      everyMs: 5,
    });
  }

  /** These are refused, with what Envoy has in their place. */
  async refuses(expected: Readonly<Record<string, Refusal["serves"]>>): Promise<void> {
    await eventually(
      `refused: ${JSON.stringify(expected)}`,
      () =>
        assert.deepEqual(
          Object.fromEntries(this.refused.map(({ name, serves }) => [name, serves])),
          expected,
        ),
      { withinMs: 60_000, everyMs: 5 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Whatever happens, the control plane hears of no response that is not its own.
    assert.deepEqual(this.plane.foreignNonces, []);
    await this.#stack.disposeAsync();
  }
}

function resourcesOf(type: string, texts: Texts): Record<string, Record<string, Uint8Array>> {
  const entries = Object.entries(texts).map(([name, text]): [string, Uint8Array] => [
    name,
    valueOf({ name, bytes: Buffer.from(text) }),
  ]);
  return { [type]: Object.fromEntries(entries) };
}

async function startAgent(address: string, folder: string, hasCache: boolean): Promise<XdsFixture> {
  return await xdsFixture({ address }, undefined, {
    cache: hasCache
      ? {
          ...{ folder: join(folder, "cache"), owner: "web", maxTypeBytes: 10_000_000 },
          ...{ writeAfterMs: 10, useAfterMs: 60_000 },
        }
      : undefined,
  });
}

/** What an Envoy had after each response never lacks what the one before it serves. */
export function assertNeverLess(scene: RefusalScene, envoy: PlayedEnvoy, names: readonly string[]): void {
  const [first] = envoy.history.get(scene.type) ?? [];
  for (const name of names)
    assert.ok(first !== undefined && name in first, `${name} is missing after the first response`);
}

/** One type with one variant of the protocol. */
export interface RefusalCase {
  readonly kind: (typeof types)[number];
  readonly type: string;
  readonly encoding: Encoding;
  readonly open: (texts?: Texts, hasCache?: boolean) => Promise<RefusalScene>;
}

/** Tests for every type, with both variants of the protocol. */
export function forEachRefused(tests: (of: RefusalCase) => void): void {
  for (const encoding of [sotw, delta]) {
    for (const kind of types) {
      const type = typeUrl[kind];
      const open = (texts: Texts = { a: "1", b: "1" }, hasCache = true): Promise<RefusalScene> =>
        RefusalScene.open(type, encoding, texts, hasCache);
      describe(`a refused ${kind} with ${encoding.method}`, { concurrency: true }, () => {
        tests({ kind, type, encoding, open });
      });
    }
  }
}
