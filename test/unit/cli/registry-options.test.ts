/** Which Consul the control plane follows, and what of its flags is refused. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { registryTargets } from "../../../src/cli/registry-options.ts";

type Given = Parameters<typeof registryTargets>[0];
type Targets = ReturnType<typeof registryTargets>;

const none: Given = {
  registries: "",
  kubeconfig: undefined,
  kubeContext: undefined,
  domain: "cluster.local",
  jwksFile: undefined,
  jwtIssuer: undefined,
  consulserverURL: undefined,
  consulTokenFile: undefined,
  consulCaFile: undefined,
  consulDatacenter: undefined,
  nomadAddress: undefined,
  nomadTokenFile: undefined,
  nomadCaFile: undefined,
  nomadNamespace: undefined,
  nomadRegion: undefined,
};

const inPod = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" };

function readAll(given: Partial<Given>, env: object = {}): readonly [Targets, readonly string[]] {
  const refused: string[] = [];
  const targets = registryTargets({ ...none, ...given }, env, (flag, message) =>
    refused.push(`${flag} ${message}`),
  );
  return [targets, refused];
}

function read(given: Partial<Given>): readonly [Targets["consul"], readonly string[]] {
  const [{ consul }, refused] = readAll(given);
  return [consul, refused];
}

describe("Nomad", () => {
  test("is this machine's agent with all namespaces, unless something else is said", () => {
    const [{ nomad }, refused] = readAll({ registries: "Nomad" });
    const none = { tokenFile: undefined, caFile: undefined, region: undefined };
    assert.deepEqual(nomad, { ...none, url: "http://127.0.0.1:4646", namespace: "*" });
    assert.deepEqual(refused, []);
  });

  test("that cannot be used is refused, all at once", () => {
    const [, refused] = readAll({
      registries: "Nomad",
      nomadAddress: "nomad:4646",
      nomadCaFile: "/nowhere/ca.pem",
      nomadNamespace: "a b",
      nomadRegion: "a b",
    });
    assert.deepEqual(
      refused.map((text) => text.split(" ")[0]),
      ["nomadAddress", "nomadCaFile", "nomadNamespace", "nomadRegion"],
    );
    const [, unnamed] = readAll({ nomadAddress: "http://nomad:4646" });
    assert.deepEqual(unnamed, ["nomadAddress is for Nomad: add --registries=Nomad, or remove it"]);
  });
});

describe("registries", () => {
  test("are none unless they are named, and Consul's agent is this machine's unless it is", () => {
    assert.deepEqual(read({}), [undefined, []]);
    const own = { tokenFile: undefined, caFile: undefined, datacenter: undefined };
    assert.deepEqual(read({ registries: "Consul" }), [{ ...own, url: "http://127.0.0.1:8500" }, []]);
    const given = {
      registries: " Consul,",
      consulserverURL: "https://[::1]:8501/at",
      consulDatacenter: "dc2",
    };
    assert.deepEqual(read(given), [{ ...own, url: "https://[::1]:8501/at", datacenter: "dc2" }, []]);
  });

  test("that cannot be used are refused, all at once, and no password is repeated", () => {
    const [, refused] = read({
      registries: "Consul,Eureka",
      consulserverURL: "http://me:secret@consul:8500",
      consulCaFile: "/nowhere/ca.pem",
      consulDatacenter: "a b",
    });
    assert.deepEqual(
      refused.map((text) => text.split(" ")[0]),
      ["registries", "consulserverURL", "consulCaFile", "consulDatacenter"],
    );
    assert.ok(!refused.join(" ").includes("secret"));
    for (const url of ["consul:8500", "ftp://consul", "http://consul?dc=a", "http://consul#a"])
      assert.equal(read({ registries: "Consul", consulserverURL: url })[1].length, 1, url);
    assert.deepEqual(read({ consulTokenFile: "token" })[1], [
      "consulTokenFile is for Consul: add --registries=Consul, or remove it",
    ]);
  });

  test("of Kubernetes are the pod's own cluster, or a kubeconfig's", () => {
    const [{ kubernetes }, refused] = readAll({ registries: "Kubernetes" }, inPod);
    assert.deepEqual(refused, []);
    assert.deepEqual(kubernetes, { variables: inPod, domain: "cluster.local", reviewsTokens: true });
    assert.deepEqual(readAll({ registries: "Kubernetes" })[1], [
      "registries Kubernetes is outside of a cluster here: name a file by --kubeconfig",
    ]);
    assert.deepEqual(readAll({ kubeconfig: "config" })[1], [
      "kubeconfig is for Kubernetes: add --registries=Kubernetes, or remove it",
    ]);
    const [, wrong] = readAll({
      registries: "Kubernetes,Consul",
      kubeconfig: "/nowhere/config",
      kubeContext: "a",
      domain: "*.local",
    });
    assert.deepEqual(
      wrong.map((text) => text.split(" ")[0]),
      ["domain", "kubeconfig"],
    );
  });
});
