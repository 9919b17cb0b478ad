import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse } from "yaml";
import {
  type MachineChoices,
  machineFiles,
  type MeshFacts,
} from "../../../../src/ctl/workload/machine-files.ts";
import { readGroup, type WorkloadGroup } from "../../../../src/ctl/workload/read-group.ts";

function group(spec: string): WorkloadGroup {
  const read = readGroup(
    "web.yaml",
    `{apiVersion: networking.istio.io/v1, kind: WorkloadGroup, metadata: {name: web, namespace: demo}, spec: ${spec}}`,
  );
  assert.ok("spec" in read, JSON.stringify(read));
  return read;
}

const facts: MeshFacts = {
  rootPem: "root\n",
  token: "token",
  defaultConfig: {},
  trustDomain: "cluster.local",
  discoveryPort: 15_012,
};

const choices: MachineChoices = {
  autoregister: true,
  capturesDns: true,
  clusterId: "Kubernetes",
  istioNamespace: "istio-system",
  ingressIp: "10.77.0.1",
  address: undefined,
};

function contents(of: WorkloadGroup, known = facts, chosen = choices): Readonly<Record<string, string>> {
  return Object.fromEntries(machineFiles(of, known, chosen).map(({ name, content }) => [name, content]));
}

const whole = group(
  `{metadata: {labels: {app: web, version: v2}}, template: {ports: {http: 8080, grpc: 9090}, serviceAccount: web, network: office}}`,
);

describe("the files of a machine", () => {
  test("have its variables, quoted where a shell would read them otherwise", () => {
    assert.deepEqual(
      contents(whole)["cluster.env"]?.split("\n"),
      [
        "CANONICAL_REVISION=v2",
        "CANONICAL_SERVICE=web",
        'ISTIO_METAJSON_LABELS=\'{"app":"web","version":"v2","service.istio.io/canonical-name":"web","service.istio.io/canonical-revision":"v2"}\'',
        "ISTIO_INBOUND_PORTS=8080,9090",
        "ISTIO_LOCAL_EXCLUDE_PORTS=22,15090,15021,15020",
        "ISTIO_META_AUTO_REGISTER_GROUP=web",
        "ISTIO_META_CLUSTER_ID=Kubernetes",
        "ISTIO_META_DNS_CAPTURE=true",
        "ISTIO_META_MESH_ID=''",
        "ISTIO_META_NETWORK=office",
        'ISTIO_META_POD_PORTS=\'[{"name":"grpc","containerPort":9090},{"name":"http","containerPort":8080}]\'',
        "ISTIO_META_WORKLOAD_NAME=web",
        "ISTIO_NAMESPACE=demo",
        "ISTIO_SERVICE=web.demo",
        "ISTIO_SERVICE_CIDR='*'",
        "POD_NAMESPACE=demo",
        "SERVICE_ACCOUNT=web",
        "TRUST_DOMAIN=cluster.local",
        "",
      ].toSorted((a, b) => (a === "" ? 1 : b === "" ? -1 : a < b ? -1 : 1)),
    );
  });

  test("say the address that is its own, or that others alone see", () => {
    const internal = contents(whole, facts, { ...choices, address: { ip: "10.0.0.7", isExternal: false } });
    assert.match(internal["cluster.env"] ?? "", /^INSTANCE_IP=10\.0\.0\.7$/m);
    assert.match(internal["cluster.env"] ?? "", /^ISTIO_SVC_IP=10\.0\.0\.7$/m);
    assert.doesNotMatch(internal["cluster.env"] ?? "", /LEGACY_LOCALHOST/);
    const external = contents(whole, facts, { ...choices, address: { ip: "192.0.2.7", isExternal: true } });
    assert.match(external["cluster.env"] ?? "", /^REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION=true$/m);
  });

  test("have the mesh's proxy configuration, the group's over it, and its probe", () => {
    const of = group(
      `{metadata: {annotations: {proxy.istio.io/config: "{concurrency: 3, proxyMetadata: {B: of-group}}"}}, template: {}, probe: {tcpSocket: {port: 80}}}`,
    );
    const defaultConfig = {
      concurrency: 2,
      statusPort: 16_020,
      proxyMetadata: { A: "of-mesh", B: "of-mesh" },
    };
    const { "mesh.yaml": mesh, "cluster.env": variables } = contents(of, { ...facts, defaultConfig });
    const config = (parse(mesh ?? "") as { defaultConfig: Record<string, unknown> }).defaultConfig;
    assert.equal(config["concurrency"], 3);
    assert.equal(config["discoveryAddress"], "istiod.istio-system.svc:15012");
    assert.deepEqual(config["readinessProbe"], { tcpSocket: { port: 80 } });
    assert.match(variables ?? "", /^A=of-mesh$/m);
    assert.match(variables ?? "", /^B=of-group$/m);
    assert.match(variables ?? "", /^ISTIO_INBOUND_PORTS='\*'$/m);
    assert.match(variables ?? "", /^ISTIO_LOCAL_EXCLUDE_PORTS=22,15090,15021,16020$/m);
    assert.match(variables ?? "", /^SERVICE_ACCOUNT=default$/m);
    assert.match(variables ?? "", /^CANONICAL_SERVICE=web\n|^CANONICAL_SERVICE=web$/m);
  });

  test("name the control plane where it has to be told, and keep the token to its owner", () => {
    assert.equal(contents(whole)["hosts"], "10.77.0.1 istiod.istio-system.svc\n");
    assert.equal(contents(whole, facts, { ...choices, ingressIp: undefined })["hosts"], "");
    const modes = machineFiles(whole, facts, choices).map(({ name, mode }) => [name, mode.toString(8)]);
    assert.equal(Object.fromEntries(modes)["istio-token"], "600");
  });
});

test("a file that holds no group, or a broken one, is told", () => {
  assert.deepEqual(readGroup("a.yaml", ""), [
    "a.yaml: holds 0 WorkloadGroups: it has to be the one of the machine",
  ]);
  const broken = readGroup(
    "a.yaml",
    "apiVersion: networking.istio.io/v1\nkind: WorkloadGroup\nmetadata: {name: web}\nspec: {}\n",
  );
  assert.deepEqual(broken, ["a.yaml:4: spec.template: is missing"]);
});
