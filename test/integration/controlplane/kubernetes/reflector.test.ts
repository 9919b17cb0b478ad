/** Whatever the API does, what it had last stays until there is something newer, and nothing is missed. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KubernetesApi } from "../../../../src/controlplane/kubernetes/api.ts";
import { Reflector } from "../../../../src/controlplane/kubernetes/reflector.ts";
import type { Resource } from "../../../../src/controlplane/kubernetes/resource.ts";
import { TaskGroup } from "../../../../src/lifecycle/task-group.ts";
import { eventually } from "../../../support/eventually.ts";
import { type Fault, ScriptedKubernetes } from "../../../support/scripted-kubernetes.ts";

const withinMs = 30_000;

const services: Resource<{ readonly name: string; readonly app: string }> = {
  plural: "services",
  group: "",
  versions: ["v1"],
  keep: (_, { name, labels }) => ({ name, app: labels["app"] ?? "" }),
};

const collection = "/api/v1/services";

const named = (name: string, app = "a") => ({ metadata: { name, namespace: "demo", labels: { app } } });

interface Followed extends AsyncDisposable {
  readonly cluster: ScriptedKubernetes;
  readonly reflector: Reflector<{ readonly name: string; readonly app: string }>;
  /** The names after each change. */
  readonly seen: readonly string[];
  readonly has: (...names: readonly string[]) => Promise<void>;
}

async function follow(prepare: (cluster: ScriptedKubernetes) => void): Promise<Followed> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await ScriptedKubernetes.start());
  prepare(cluster);
  const api = stack.use(new KubernetesApi(cluster.access));
  const seen: string[] = [];
  const names = (): string =>
    [...reflector.values()]
      .map(({ name }) => name)
      .toSorted()
      .join();
  const reflector = new Reflector(services, api, () => {
    if (reflector.isListed) seen.push(names());
  });
  const tasks = stack.use(new TaskGroup());
  tasks.spawn("follow", (signal) => reflector.run(signal));
  const owned = stack.move();
  return {
    cluster,
    reflector,
    seen,
    has: (...wanted) =>
      eventually(
        `the services ${wanted.join()}`,
        () => {
          assert.ok(reflector.isListed, "nothing is listed");
          assert.equal(names(), wanted.join());
        },
        { withinMs },
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const both: readonly (readonly [name: string, streams: boolean])[] = [
  ["a list that is streamed", true],
  ["a list in pages", false],
];

describe("a reflector", () => {
  for (const [name, streams] of both) {
    test(`follows ${name}`, async () => {
      await using followed = await follow((cluster) => {
        cluster.streamsLists = streams;
        for (const each of ["a", "b", "c", "d", "e"]) cluster.put(collection, named(each));
      });
      const { cluster, reflector } = followed;
      await followed.has("a", "b", "c", "d", "e");
      await eventually("a watch", () => assert.equal(cluster.watches, 1), { withinMs });
      const kept = reflector.get("demo/a");
      cluster.put(collection, named("f"));
      cluster.remove(collection, "demo/b");
      cluster.put(collection, named("c", "other"));
      await followed.has("a", "c", "d", "e", "f");
      await eventually("the change", () => assert.equal(reflector.get("demo/c")?.app, "other"), { withinMs });
      assert.equal(reflector.get("demo/a"), kept, "what did not change is the same object");
    });

    test(`lists anew when what it goes on from is forgotten, and shows no less meanwhile: ${name}`, async () => {
      await using followed = await follow((cluster) => {
        cluster.streamsLists = streams;
        for (const each of ["a", "b", "c"]) cluster.put(collection, named(each));
      });
      const { cluster, reflector } = followed;
      await followed.has("a", "b", "c");
      await eventually("a watch", () => assert.equal(cluster.watches, 1), { withinMs });
      const kept = reflector.get("demo/a");
      cluster.tear();
      cluster.removeUnseen(collection, "demo/b");
      cluster.put(collection, named("d"));
      cluster.forget();
      await followed.has("a", "c", "d");
      assert.ok(
        followed.seen.every((names) => names.includes("a") && names.includes("c")),
        followed.seen.join(" | "),
      );
      assert.equal(reflector.get("demo/a"), kept);
    });
  }

  test("goes on where a watch ended in the middle of an event, from its bookmark, without another list", async () => {
    await using followed = await follow((cluster) => {
      cluster.put(collection, named("a"));
    });
    const { cluster } = followed;
    await followed.has("a");
    // Another kind's changes make the version of the watch old.
    for (let at = 0; at < 5; at += 1) cluster.put("/api/v1/pods", named("p", `${at}`));
    await eventually("a watch", () => assert.equal(cluster.watches, 1), { withinMs });
    cluster.bookmark();
    cluster.writeToWatches(collection, '{"type": "MOD');
    cluster.end();
    cluster.forget();
    cluster.put(collection, named("b"));
    await followed.has("a", "b");
    const lists = cluster.requests.filter((each) => each.includes("sendInitialEvents"));
    assert.equal(lists.length, 1, cluster.requests.join("\n"));
  });

  const errorEvent = `${JSON.stringify({ type: "ERROR", object: { kind: "Status", code: 500, message: "cannot decode" } })}\n`;
  const faults: readonly (readonly [name: string, fault: ReturnType<Fault>, reason: RegExp])[] = [
    ["429", { status: 429, headers: { "retry-after": "0" } }, /status 429, "scripted"/],
    ["500", { status: 500 }, /status 500/],
    ["401", { status: 401 }, /status 401.*Look at the credential/],
    ["403", { status: 403 }, /status 403.*Bind the role/],
    ["a page of what is between", { status: 404, body: "<html>not found</html>" }, /status 404/],
    ["no JSON", { status: 200, body: "<html>\n" }, /none of Kubernetes'|is no list/],
    ["an error in each watch", { status: 200, body: errorEvent }, /status 500, "cannot decode"/],
    ["watches that are over at once", { status: 200, body: "" }, /it was over at once|none of Kubernetes'/],
    ["no list", { status: 200, body: '{"items": 5}\n' }, /none of Kubernetes'|is no list/],
  ];
  test("keeps what it had whatever is answered, tells why, and is well again", async () => {
    const live = async ([name, fault, reason]: (typeof faults)[number]): Promise<void> => {
      await using followed = await follow((cluster) => {
        cluster.put(collection, named("a"));
      });
      const { cluster, reflector } = followed;
      await followed.has("a");
      cluster.fault = () => fault;
      cluster.tear();
      await eventually(
        `${name} told`,
        () => {
          const { state } = reflector;
          assert.ok(state.kind === "failing", state.kind);
          assert.match(state.error.message, reason);
        },
        { withinMs },
      );
      await followed.has("a");
      cluster.fault = () => undefined;
      cluster.put(collection, named("b"));
      await followed.has("a", "b");
      await eventually("it is well", () => assert.equal(reflector.state.kind, "following"), { withinMs });
    };
    await Promise.all(faults.map(live));
  });

  test("asks ever less often, and tells, while a watch is taken and fails, and lists anew", async () => {
    await using followed = await follow((cluster) => {
      cluster.put(collection, named("a"));
    });
    const { cluster, reflector } = followed;
    await followed.has("a");
    cluster.fault = (_, { searchParams }) =>
      searchParams.has("resourceVersion") || searchParams.has("sendInitialEvents")
        ? { status: 200, body: errorEvent }
        : undefined;
    cluster.tear();
    cluster.put(collection, named("b"));
    await eventually(
      "failures in a row",
      () => {
        const { state } = reflector;
        assert.ok(state.kind === "failing", state.kind);
        assert.ok(state.failures >= 5, `${state.failures}`);
      },
      { withinMs },
    );
    await followed.has("a", "b");
  });

  test("waits for a server that is not there yet", async () => {
    await using followed = await follow((cluster) => {
      cluster.fault = () => ({ status: 503, message: "starting" });
    });
    const { cluster, reflector } = followed;
    await eventually("a failure", () => assert.equal(reflector.state.kind, "failing"), { withinMs });
    assert.equal(reflector.isListed, false);
    cluster.put(collection, named("a"));
    cluster.fault = () => undefined;
    await followed.has("a");
  });
});
