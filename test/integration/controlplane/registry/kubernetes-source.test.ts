/** A cluster's objects become objects of the mesh, and stay when the cluster is gone. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ConfigObject } from "../../../../src/controlplane/config/objects.ts";
import { buildModel } from "../../../../src/controlplane/model/build-model.ts";
import { KubernetesApi } from "../../../../src/controlplane/kubernetes/api.ts";
import { KubernetesSource } from "../../../../src/controlplane/registry/kubernetes/kubernetes-source.ts";
import { measureSources } from "../../../../src/controlplane/registry/source-health.ts";
import type { SourceState } from "../../../../src/controlplane/registry/source.ts";
import { every } from "../../../../src/lifecycle/timer.ts";
import { Metrics } from "../../../../src/telemetry/metrics.ts";
import {
  clusterNode,
  clusterPod,
  clusterService,
  clusterSlice,
  paths,
} from "../../../support/cluster-objects.ts";
import { eventually } from "../../../support/eventually.ts";
import { type ScriptedObject, ScriptedKubernetes } from "../../../support/scripted-kubernetes.ts";

const withinMs = 30_000;

interface Followed extends AsyncDisposable {
  readonly cluster: ScriptedKubernetes;
  readonly source: KubernetesSource;
  readonly metrics: Metrics;
  readonly shows: (
    what: string,
    check: (state: SourceState & { readonly kind: "read" }) => void,
  ) => Promise<void>;
}

async function follow(
  prepare: (cluster: ScriptedKubernetes) => void,
  times = { debounceMs: 20, debounceMaxMs: 1_000 },
): Promise<Followed> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await ScriptedKubernetes.start());
  prepare(cluster);
  const api = stack.use(new KubernetesApi(cluster.access));
  const options = { api, domain: "cluster.local", ...times };
  const source = stack.use(new KubernetesSource(options));
  const metrics = new Metrics("pilot_");
  measureSources(metrics, [source]);
  const owned = stack.move();
  return {
    cluster,
    source,
    metrics,
    shows: (what, check) =>
      eventually(
        what,
        () => {
          const { current } = source.states;
          assert.ok(current.kind === "read", JSON.stringify(current.problems));
          check(current);
        },
        { withinMs },
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function addresses({ objects }: { readonly objects: readonly ConfigObject[] }): readonly string[] {
  return objects.flatMap((object) =>
    object.kind === "ServiceEntry" ? (object.spec.endpoints ?? []).map(({ address }) => address) : [],
  );
}

function api(cluster: ScriptedKubernetes): void {
  cluster.put(paths.nodes, clusterNode("n1", "r1", "z1"));
  cluster.put(paths.pods, clusterPod("api-1", "10.0.0.1", "api"));
  cluster.put(paths.services, clusterService("api", { http: 80 }));
  cluster.put(paths.slices, clusterSlice("api", { http: 8080 }, ["api-1=10.0.0.1"]));
}

const rules = "/apis/networking.istio.io/v1/virtualservices";

const rule = (host: string): ScriptedObject => ({
  metadata: { name: "api", namespace: "demo" },
  spec: { hosts: [host], http: [{ route: [{ destination: { host: "api" } }] }] },
});

describe("Kubernetes as a source", () => {
  test("serves the cluster's services, and each change of them", async () => {
    await using followed = await follow(api);
    const { cluster, shows } = followed;
    await shows("the service", ({ objects }) => {
      const entry = objects.find(({ kind }) => kind === "ServiceEntry");
      assert.ok(entry?.kind === "ServiceEntry");
      assert.deepEqual(entry.spec, {
        hosts: ["api.demo.svc.cluster.local"],
        ports: [{ number: 80, name: "http", protocol: "HTTP" }],
        addresses: ["10.96.0.10"],
        location: "MESH_INTERNAL",
        resolution: "STATIC",
        endpoints: [
          {
            address: "10.0.0.1",
            ports: { http: 8080 },
            labels: { app: "api", "security.istio.io/tlsMode": "istio" },
            locality: "r1/z1",
            serviceAccount: "api",
          },
        ],
      });
    });
    cluster.put(paths.pods, clusterPod("api-2", "10.0.0.2", "api"));
    cluster.put(paths.slices, clusterSlice("api", { http: 8080 }, ["api-1=10.0.0.1", "api-2=10.0.0.2"]));
    await shows("both", (state) => {
      assert.deepEqual(addresses(state), ["10.0.0.1", "10.0.0.2"]);
    });
    cluster.remove(paths.services, "demo/api");
    await shows("none", (state) => {
      assert.deepEqual(addresses(state), []);
    });
  });

  test("keeps what it had while the cluster is gone, says so, and goes on", async () => {
    await using followed = await follow(api);
    const { cluster, shows, source, metrics } = followed;
    await shows("the service", (state) => {
      assert.deepEqual(addresses(state), ["10.0.0.1"]);
    });
    cluster.fault = () => ({ status: 503, message: "etcd is gone" });
    cluster.tear();
    await shows("why", (state) => {
      assert.match(
        state.problems[0]?.message ?? "",
        /status 503, "etcd is gone".*What it had at \d{4}-.*is served$/,
      );
      assert.deepEqual(addresses(state), ["10.0.0.1"]);
    });
    assert.equal(source.health().isUp, false);
    assert.match(await metrics.render(), /pilot_registry_up\{registry="kubernetes"\} 0/);
    cluster.fault = () => undefined;
    cluster.put(paths.slices, clusterSlice("api", { http: 8080 }, ["api-1=10.0.0.9"]));
    await shows("the newest", (state) => {
      assert.deepEqual(addresses(state), ["10.0.0.9"]);
      assert.deepEqual(state.problems, []);
    });
    assert.deepEqual([source.health().isUp, source.health().ageMs], [true, 0]);
  });

  test("says nothing before it knows everything", async () => {
    await using followed = await follow((cluster) => {
      api(cluster);
      cluster.fault = (_, { pathname }) => (pathname === paths.slices ? { status: 403 } : undefined);
    });
    const { cluster, source, shows } = followed;
    await eventually(
      "why",
      () => {
        const { kind, problems } = source.states.current;
        assert.equal(kind, "broken");
        assert.match(
          problems[0]?.message ?? "",
          /endpointslices: status 403.*Bind the role of docker\/kubernetes/,
        );
      },
      { withinMs },
    );
    cluster.fault = () => undefined;
    await shows("the service", (state) => {
      assert.deepEqual(addresses(state), ["10.0.0.1"]);
    });
  });

  test("needs no right to Secrets, and says that none are served", async () => {
    await using followed = await follow((cluster) => {
      api(cluster);
      cluster.fault = (_, { pathname }) => (pathname === paths.secrets ? { status: 403 } : undefined);
    });
    await followed.shows("the service and a warning", (state) => {
      assert.deepEqual(addresses(state), ["10.0.0.1"]);
      const [problem] = state.problems;
      assert.equal(problem?.severity, "warning");
      assert.match(problem.message, /secrets: status 403.*: none are served$/);
    });
    assert.equal(followed.source.health().isUp, true);
  });

  const filters = "/apis/networking.istio.io/v1alpha3/envoyfilters";
  const policies = "/apis/security.istio.io/v1/authorizationpolicies";

  test("does without a kind that it may not list, and says what would grant it", async () => {
    await using followed = await follow((cluster) => {
      api(cluster);
      cluster.fault = (_, { pathname }) => (pathname === filters ? { status: 403 } : undefined);
    });
    await followed.shows("the service and an error", (state) => {
      assert.deepEqual(addresses(state), ["10.0.0.1"]);
      const [problem, ...more] = state.problems;
      assert.deepEqual(more, []);
      assert.equal(problem?.severity, undefined);
      assert.match(
        problem?.message ?? "",
        /envoyfilters: status 403.*Bind the role.*list and watch of envoyfilters\.networking\.istio\.io: none are served$/,
      );
    });
    assert.equal(followed.source.health().isUp, true);
  });

  const refusals = [
    ["a policy that it may not list", { status: 403 }, policies],
    ["a page of what is between", { status: 403, body: "<html>" }, filters],
    ["a credential that counts no more", { status: 401 }, filters],
  ] as const;
  for (const [name, fault, path] of refusals)
    test(`serves nothing for ${name}`, async () => {
      await using followed = await follow((cluster) => {
        api(cluster);
        cluster.fault = (_, { pathname }) => (pathname === path ? fault : undefined);
      });
      const { source, cluster } = followed;
      const asked = (): number => cluster.requests.filter((each) => each.includes(path)).length;
      await eventually(
        "it was asked for again and again",
        () => {
          assert.ok(asked() >= 5, `${asked()}`);
          assert.match(source.states.current.problems[0]?.message ?? "", /status 40[13]/);
        },
        { withinMs },
      );
      assert.equal(source.states.current.kind, "broken");
    });

  const deny = { metadata: { name: "deny-all", namespace: "demo" }, spec: {} };
  const denies = ({ objects }: { readonly objects: readonly ConfigObject[] }): boolean =>
    objects.some(({ kind }) => kind === "AuthorizationPolicy");

  test("keeps its policies whatever what is between says is not found", async () => {
    await using followed = await follow((cluster) => {
      api(cluster);
      cluster.put(policies, deny);
    });
    const { cluster, source, shows } = followed;
    await shows("the policy", (state) => {
      assert.ok(denies(state));
    });
    let hadPolicy = true;
    void (async () => {
      for await (const state of source.states.changes(AbortSignal.timeout(withinMs)))
        if (state.kind !== "read" || !denies(state)) hadPolicy = false;
    })();
    cluster.fault = () => ({ status: 404, body: "<html>404 not found</html>" });
    cluster.tear();
    await shows("why", ({ problems }) => {
      assert.match(
        problems.find(({ message }) => message.includes("/apis:"))?.message ?? "",
        /status 404.*is served/,
      );
    });
    cluster.fault = () => undefined;
    await shows("all is well", (state) => {
      assert.deepEqual(state.problems, []);
    });
    assert.ok(hadPolicy);
  });

  test("drops a kind that the cluster has no more only when it says so again, and says how many", async () => {
    await using followed = await follow((cluster) => {
      api(cluster);
      cluster.put(policies, deny);
    });
    const { cluster, shows } = followed;
    await shows("the policy", (state) => {
      assert.ok(denies(state));
    });
    const discovery = "GET /apis/security.istio.io/v1";
    cluster.missing = ["authorizationpolicies"];
    const from = cluster.requests.length;
    cluster.tear();
    await shows("none", (state) => {
      assert.ok(!denies(state));
      assert.match(
        state.problems[0]?.message ?? "",
        /has the kind authorizationpolicies\.security\.istio\.io no more: its 1 objects do not count/,
      );
    });
    assert.ok(cluster.requests.slice(from).filter((each) => each === discovery).length >= 2);
  });

  test("a ServiceEntry selects the pods that take calls; every pod is known by whose it is", async () => {
    const pod = (
      name: string,
      address: string,
      { metadata = {}, status = {}, spec = {} }: Readonly<Record<string, object>> = {},
    ): ScriptedObject => {
      const whole = clusterPod(name, address, "db", spec as Readonly<Record<string, unknown>>);
      return {
        ...whole,
        metadata: { ...whole.metadata, ...metadata },
        status: { ...(whole["status"] as object), ...status },
      };
    };
    await using followed = await follow((cluster) => {
      cluster.put(paths.pods, pod("ready", "10.0.0.1"));
      cluster.put(
        paths.pods,
        pod("slow", "10.0.0.2", { status: { conditions: [{ type: "Ready", status: "False" }] } }),
      );
      cluster.put(
        paths.pods,
        pod("ending", "10.0.0.3", { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } }),
      );
      cluster.put(paths.pods, pod("pending", "10.0.0.4", { status: { phase: "Pending", conditions: [] } }));
      cluster.put(paths.pods, pod("on-node", "192.168.0.1", { spec: { hostNetwork: true } }));
      cluster.put("/apis/networking.istio.io/v1/serviceentries", {
        metadata: { name: "db", namespace: "demo" },
        spec: {
          hosts: ["db.test"],
          ports: [{ number: 80, name: "http", protocol: "HTTP" }],
          resolution: "STATIC",
          workloadSelector: { labels: { app: "db" } },
        },
      });
    });
    await followed.shows("the endpoints and the workloads", ({ objects }) => {
      const model = buildModel(objects, {
        trustDomains: ["cluster.local"],
        rootNamespace: "istio-system",
      });
      const endpoints = model.services.find(({ host }) => host === "db.test")?.endpoints;
      assert.deepEqual(
        endpoints?.map(({ address }) => address),
        ["10.0.0.1"],
      );
      const names = model.workloads.map(({ name = "" }) => name);
      assert.deepEqual(new Set(names), new Set(["ending", "pending", "ready", "slow"]));
      const hidden = objects.find(({ name }) => name === "pod:on-node");
      assert.ok(hidden?.kind === "WorkloadEntry");
      assert.equal(hidden.spec.serviceAccount, "db");
    });
  });

  test("takes Istio's objects, and keeps the last good one of what is refused", async () => {
    await using followed = await follow((cluster) => {
      api(cluster);
      cluster.put(rules, rule("api"));
    });
    const { cluster, shows } = followed;
    const hosts = ({ objects }: { readonly objects: readonly ConfigObject[] }): readonly string[] =>
      objects.flatMap((object) => (object.kind === "VirtualService" ? object.spec.hosts : []));
    await shows("the rule", (state) => {
      assert.deepEqual(hosts(state), ["api"]);
      assert.deepEqual(state.problems, []);
    });
    cluster.put(rules, { ...rule("api"), spec: { hosts: [], nonsense: 1 } });
    await shows("the last good rule", (state) => {
      assert.deepEqual(hosts(state), ["api"]);
      const told = state.problems.map(({ source, path }) => `${source}: ${path}`);
      assert.deepEqual(told, ["VirtualService demo/api: spec.nonsense"]);
    });
    cluster.put(rules, rule("other"));
    await shows("the new rule", (state) => {
      assert.deepEqual(hosts(state), ["other"]);
      assert.deepEqual(state.problems, []);
    });
  });

  test("serves a cluster without Istio's kinds, and takes them once they are there", async () => {
    await using followed = await follow((cluster) => {
      api(cluster);
      cluster.hasIstio = false;
    });
    await followed.shows("the service", (state) => {
      assert.deepEqual(addresses(state), ["10.0.0.1"]);
      assert.deepEqual(state.problems, []);
    });
  });

  test("tells endpoints that move though others never come to rest", async () => {
    await using followed = await follow(api, { debounceMs: 500, debounceMaxMs: 3_600_000 });
    const { cluster, shows } = followed;
    await shows("the endpoint", (state) => assert.deepEqual(addresses(state), ["10.0.0.1"]));
    let turn = 0;
    using _ = every(50, () => {
      turn += 1;
      cluster.put(paths.pods, clusterPod("other-1", `10.0.1.${turn % 250}`, "other"));
    });
    cluster.put(paths.slices, clusterSlice("api", { http: 8080 }, ["api-2=10.0.0.2"]));
    await shows("the endpoint that moved", (state) => assert.deepEqual(addresses(state), ["10.0.0.2"]));
  });
});
