/** Every field of the containers that Istio's injector writes counts here, and docker/README.md says what it does. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { statusRoutes } from "../../../src/agent/status-routes.ts";
import { commands } from "../../../src/cli/commands.ts";
import { programOf } from "../../../src/cli/program.ts";
import { readCommandLine } from "../../../src/command/command-line.ts";
import { parseConfig } from "../../../src/config/parse-config.ts";
import { variables } from "../../../src/config/sources/environment.ts";
import { paths } from "../../../src/config/sources/paths.ts";
import { configSources, type SourceChanges } from "../../support/config-sources.ts";
import { containerOf, podOf } from "../../support/image/manifests.ts";
import { type ContainerSpec, environmentOf, type PodSpec } from "../../support/image/pod-spec.ts";

const root = join(import.meta.dirname, "../../..");
const page = readFileSync(join(root, "docker/README.md"), "utf8");
const fixture = (name: string): PodSpec => podOf(join(root, "test/support/fixtures/pods", name));
const pod = fixture("injected.yaml");
const native = fixture("injected-native.yaml");
const proxy = containerOf(pod, "istio-proxy");
const injected: readonly ContainerSpec[] = [
  proxy,
  containerOf(pod, "istio-init"),
  containerOf(native, "istio-proxy"),
  containerOf(native, "istio-validation"),
];
const status = { podIp: "10.44.1.2", hostIp: "10.44.1.1" };
const env = environmentOf(proxy, pod, status);
const flags = { domain: "demo.svc.cluster.local" };

/** Everything that the agent runs with, as text. */
function outcome(changes: SourceChanges): string {
  const { warnings: _, ...config } = parseConfig(configSources(changes));
  return JSON.stringify(config);
}

/** Instead of the value that the injector gives; what else has to be set for it to matter. */
const otherValues: Readonly<
  Record<string, readonly [value: string, beside?: Readonly<Record<string, string>>]>
> = {
  PILOT_CERT_PROVIDER: ["custom"],
  CA_ADDR: ["ca.example:15012"],
  POD_NAME: ["api-1"],
  POD_NAMESPACE: ["prod"],
  INSTANCE_IP: ["10.44.1.3"],
  SERVICE_ACCOUNT: ["api"],
  HOST_IP: ["10.44.1.9", { PROXY_CONFIG: '{"tracing": {"zipkin": {"address": "$(HOST_IP):9411"}}}' }],
  ISTIO_CPU_LIMIT: ["3"],
  PROXY_CONFIG: ['{"terminationDrainDuration":"3s"}'],
  ISTIO_META_POD_PORTS: ["[]"],
  ISTIO_META_APP_CONTAINERS: ["api"],
  ISTIO_META_CLUSTER_ID: ["east"],
  ISTIO_META_NODE_NAME: ["node-2"],
  ISTIO_META_INTERCEPTION_MODE: ["TPROXY"],
  ISTIO_META_WORKLOAD_NAME: ["api"],
  ISTIO_META_OWNER: ["kubernetes://apis/apps/v1/namespaces/demo/deployments/api"],
  ISTIO_META_MESH_ID: ["other"],
  TRUST_DOMAIN: ["example.org"],
  ISTIO_META_DNS_CAPTURE: ["false"],
  ISTIO_KUBE_APP_PROBERS: ["{}"],
  ISTIO_PROMETHEUS_ANNOTATIONS: ['{"scrape":"true","path":"","port":"9090"}'],
};

/** Of Go's runtime, which is not here. */
const passedOver = ["GOMEMLIMIT", "GOMAXPROCS"];

describe("a variable of the injected proxy", () => {
  for (const name of Object.keys(env)) {
    if (passedOver.includes(name)) {
      test(`is passed over: ${name}`, () => {
        assert.ok(!Object.hasOwn(variables, name));
        assert.equal(outcome({ flags, env: { ...env, [name]: "1" } }), outcome({ flags, env }));
      });
      continue;
    }
    test(`counts: ${name}`, () => {
      const [value, beside = {}] = otherValues[name] ?? assert.fail("it has no other value here");
      const given = { ...env, ...beside };
      assert.ok(outcome({ flags, env: { ...given, [name]: value } }) !== outcome({ flags, env: given }));
    });
  }
});

describe("the words of an injected container", () => {
  const program = programOf(commands);

  for (const { name, args = [], lifecycle } of injected) {
    const hooks = [lifecycle?.postStart, lifecycle?.preStop].flatMap((hook) => hook?.exec?.command ?? []);
    test(`are a command line, its hooks too: ${[name, ...hooks].join(" ")}`, async () => {
      const [file, ...words] = hooks;
      assert.ok(file === undefined || file === "pilot-agent");
      for (const line of file === undefined ? [args] : [args, words]) {
        const invocation = await readCommandLine(line, program);
        assert.equal(invocation.kind, "run", line.join(" "));
        assert.deepEqual(invocation.kind === "run" ? invocation.args.unknown : [], []);
      }
    });
  }

  for (const flag of ["domain", "proxyLogLevel", "proxyComponentLogLevel"]) {
    test(`set what the proxy runs with: --${flag}`, () => {
      assert.ok(proxy.args?.some((word) => word.startsWith(`--${flag}`)));
      assert.ok(outcome({ env, flags: { ...flags, [flag]: "other:info" } }) !== outcome({ env, flags }));
    });
  }
});

test("the agent or its Envoy looks where the injected volumes are", () => {
  const known = [...Object.values(paths), "./etc/istio/proxy", "./var/lib/istio/data"];
  const text = outcome({ flags, env });
  for (const { mountPath } of proxy.volumeMounts ?? []) {
    assert.ok(
      known.some((path) => join("/", path).startsWith(mountPath)),
      mountPath,
    );
  }
  for (const path of known.slice(-2)) assert.ok(text.includes(path.slice(1)), path);
});

test("injected probes ask for what is answered", () => {
  const asked = injected.flatMap(({ startupProbe, readinessProbe }) =>
    [startupProbe, readinessProbe].flatMap((probe) => probe?.httpGet ?? []),
  );
  assert.equal(asked.length, 4);
  for (const { path, port } of asked) {
    assert.equal(port, variables.ENVOY_STATUS_PORT.default);
    assert.ok(
      statusRoutes.some((route) => route.path === path),
      path,
    );
  }
});

test("the page names every field of them", () => {
  const fields = injected.flatMap(({ args = [], env = [], volumeMounts = [], lifecycle = {}, ...others }) => [
    ...args.filter((word) => word.startsWith("-")).map((word) => word.replace(/=.*$/, "")),
    ...[...env, ...volumeMounts].map(({ name }) => name),
    ...Object.keys(lifecycle),
    ...Object.keys(others).filter((name) => !["name", "image"].includes(name)),
    ...Object.keys(others.securityContext ?? {}),
  ]);
  const missing = new Set(fields.filter((field) => !page.includes(`\`${field}\``)));
  assert.deepEqual([...missing], []);
});
