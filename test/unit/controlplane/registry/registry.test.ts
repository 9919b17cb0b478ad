/** Several sources are one configuration: who wins, what is told, and that no source can empty the mesh. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ConfigObject } from "../../../../src/controlplane/config/objects.ts";
import { describeConfigProblem } from "../../../../src/controlplane/config/problem.ts";
import { ConfiguredModels } from "../../../../src/controlplane/model/configured-models.ts";
import { ConfigurationError, Registry } from "../../../../src/controlplane/registry/registry.ts";
import type { SourceState } from "../../../../src/controlplane/registry/source.ts";
import { Watch } from "../../../../src/lifecycle/watch.ts";
import { createLogger } from "../../../../src/telemetry/log.ts";
import { manyTurns } from "../../../support/many-turns.ts";

/** What a source has: names of its objects; or, for a broken one, why. */
type Said = readonly string[] | string;

function state(source: string, said: Said): SourceState {
  if (typeof said === "string")
    return { kind: "broken", problems: [{ source, line: 0, path: "", message: said }] };
  const objects = said.map((name, index): ConfigObject => ({
    kind: "WorkloadEntry",
    name,
    namespace: "demo",
    source,
    line: index + 1,
    spec: {
      address: `10.0.0.${name.length}`,
      ports: undefined,
      labels: undefined,
      serviceAccount: undefined,
      weight: undefined,
    },
  }));
  return { kind: "read", objects, problems: [] };
}

/** A Sidecar for all workloads of the namespace. */
function twice(name: string): ConfigObject {
  return { kind: "Sidecar", name, namespace: "demo", source: "files", line: 1, spec: {} };
}

class Fixture implements AsyncDisposable {
  readonly log: string[] = [];
  readonly registry: Registry;
  readonly models: ConfiguredModels;
  readonly #sources: readonly { readonly name: string; readonly states: Watch<SourceState> }[];

  constructor(first: Readonly<Record<string, Said>>) {
    this.#sources = Object.entries(first).map(([name, said]) => ({
      name,
      states: new Watch(state(name, said)),
    }));
    const log = createLogger({
      json: true,
      levels: { default: "info" },
      write: (line) => {
        const { msg, reason, file } = JSON.parse(line) as Readonly<Record<string, string | undefined>>;
        this.log.push([msg, file, reason].filter((part) => part !== undefined).join(": "));
      },
      now: () => new Date(0),
    });
    this.registry = new Registry(this.#sources, log);
    const settings = { trustDomains: ["cluster.local"], rootNamespace: "istio-system" };
    this.models = new ConfiguredModels(this.registry.configuration, settings, log);
  }

  /** Each object with the source that it is taken from. */
  get served(): readonly string[] {
    return this.registry.configuration.current.objects.map(({ name, source }) => `${source}/${name}`);
  }

  get problems(): readonly string[] {
    return this.registry.status.problems.map(describeConfigProblem);
  }

  async says(source: string, said: Said): Promise<void> {
    this.#sources.find(({ name }) => name === source)?.states.set(state(source, said));
    await manyTurns();
  }

  async shows(source: string, objects: readonly ConfigObject[]): Promise<void> {
    const shown: SourceState = { kind: "read", objects, problems: [] };
    this.#sources.find(({ name }) => name === source)?.states.set(shown);
    await manyTurns();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.models[Symbol.asyncDispose]();
    await this.registry[Symbol.asyncDispose]();
  }
}

describe("a registry of several sources", () => {
  test("has the objects of all of them, in the order of their priority", async () => {
    await using fixture = new Fixture({ files: ["b", "a"], cluster: ["c"] });
    assert.deepEqual(fixture.served, ["files/b", "files/a", "cluster/c"]);
    assert.deepEqual(fixture.registry.status.objects, [
      "WorkloadEntry demo/b",
      "WorkloadEntry demo/a",
      "WorkloadEntry demo/c",
    ]);
    const { origins } = fixture.registry.status;
    assert.deepEqual(origins["WorkloadEntry demo/a"], { source: "files", place: "files:2" });
    assert.deepEqual(origins["WorkloadEntry demo/c"], { source: "cluster", place: "cluster:1" });
    await fixture.says("cluster", ["d", "c"]);
    assert.deepEqual(fixture.served, ["files/b", "files/a", "cluster/d", "cluster/c"]);
    assert.equal(fixture.models.models.current.model.workloads.length, 4);
  });

  test("takes the first source's object where several have one, tells the others', and takes theirs when it goes", async () => {
    await using fixture = new Fixture({ files: ["a"], cluster: ["b", "a"] });
    assert.deepEqual(fixture.served, ["files/a", "cluster/b"]);
    assert.deepEqual(fixture.problems, [
      "cluster:2: metadata.name: WorkloadEntry demo/a is already in files:1: rename or remove one of them",
    ]);
    await fixture.says("files", []);
    assert.deepEqual(fixture.served, ["cluster/b", "cluster/a"]);
    assert.deepEqual(fixture.problems, []);
  });

  test("keeps what a source had while it is broken, and takes up the others' changes", async () => {
    await using fixture = new Fixture({ files: ["a"], cluster: ["b", "c"] });
    await fixture.says("cluster", "cannot be reached. Look at its address");
    await fixture.says("files", ["a", "d"]);
    assert.deepEqual(fixture.served, ["files/a", "files/d", "cluster/b", "cluster/c"]);
    assert.deepEqual(fixture.problems, ["cluster: cannot be reached. Look at its address"]);
    await fixture.says("cluster", ["c"]);
    assert.deepEqual(fixture.served, ["files/a", "files/d", "cluster/c"]);
    assert.deepEqual(fixture.problems, []);
  });

  test("starts with one of them broken, and has its objects once it is well", async () => {
    await using fixture = new Fixture({ cluster: "cannot be reached", files: ["a"] });
    assert.deepEqual(fixture.served, ["files/a"]);
    await fixture.says("cluster", ["b"]);
    assert.deepEqual(fixture.served, ["cluster/b", "files/a"]);
  });

  test("does not start where there is nothing to serve, and says why", () => {
    assert.throws(
      () => new Fixture({ files: "a is missing", cluster: "b is missing" }),
      (error: unknown) => {
        assert.ok(error instanceof ConfigurationError);
        assert.equal(error.message, "files: a is missing\ncluster: b is missing");
        return true;
      },
    );
  });

  test("starts with sources that have nothing yet", async () => {
    await using fixture = new Fixture({ files: [] });
    assert.deepEqual(fixture.served, []);
  });

  test("tells each problem once, and that it is over", async () => {
    await using fixture = new Fixture({ files: ["a"], cluster: ["b"] });
    const refused = "configuration refused, what was served last stays: cluster";
    await fixture.says("cluster", "one");
    await fixture.says("files", ["a", "bb"]);
    await fixture.says("cluster", "another");
    await fixture.says("cluster", ["b"]);
    assert.deepEqual(fixture.log, [
      `${refused}: one`,
      "configuration loaded",
      `${refused}: another`,
      "configuration is well again",
    ]);
  });

  test("tells a warning as one, and serves what it is about", async () => {
    await using fixture = new Fixture({ files: [] });
    await fixture.shows("files", [twice("a"), twice("b")]);
    assert.deepEqual(fixture.served, ["files/a", "files/b"]);
    assert.deepEqual(fixture.log, [
      "configuration does not all take effect: files: files:1 is for all workloads of demo already, which is older: this one has no effect",
      "configuration loaded",
    ]);
  });

  test("makes no new model of what leaves the model as it is", async () => {
    await using fixture = new Fixture({ files: ["a"] });
    await fixture.says("files", ["a"]);
    assert.equal(fixture.models.models.current.number, 1);
    await fixture.says("files", ["a", "bb"]);
    assert.equal(fixture.models.models.current.number, 2);
  });
});
