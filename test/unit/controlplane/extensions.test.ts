/** Modules of extensions: who gets the credentials of their images, and what is told of those that cannot be had. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { stringify } from "yaml";
import { analyze } from "../../../src/controlplane/config/analysis/analyze.ts";
import { parseDocuments } from "../../../src/controlplane/config/parse-documents.ts";
import { refusedBy } from "../../../src/controlplane/config/refused.ts";
import { buildModel } from "../../../src/controlplane/model/build-model.ts";
import { type Proxy, parseProxy } from "../../../src/controlplane/model/proxy.ts";
import { pushedTypes, resourcesOf } from "../../../src/controlplane/networking/pushed-types.ts";
import { makersOf } from "../../../src/controlplane/networking/makers.ts";
import { viewOf } from "../../../src/controlplane/networking/view.ts";

const dockerConfig = '{"auths":{"registry.example.com":{"auth":"YTpi"}}}';
const object = (
  apiVersion: string,
  kind: string,
  name: string,
  rest: object,
  namespace = "demo",
): object => ({
  apiVersion,
  kind,
  metadata: { name, namespace },
  ...rest,
});
const plugin = (spec: object, name = "plugin"): object =>
  object("extensions.istio.io/v1alpha1", "WasmPlugin", name, {
    spec: { url: "oci://registry.example.com/plugin:v1", ...spec },
  });
const secret = (stringData: object, namespace = "demo"): object =>
  object("v1", "Secret", "registry", { stringData }, namespace);
const parsed = (...objects: readonly object[]): ReturnType<typeof parseDocuments> =>
  parseDocuments("a.yaml", objects.map((each) => stringify(each)).join("---\n"));

const router: Proxy = {
  ...(parseProxy({ id: "router~10.0.0.1~a.demo~demo", metadata: {} }) as Proxy),
  isProven: true,
};
const sidecar: Proxy = { ...router, type: "sidecar" };

function environmentOf(proxy: Proxy, ...objects: readonly object[]): unknown {
  const settings = { trustDomains: ["cluster.local"], rootNamespace: "istio-system" };
  const { objects: taken, problems } = parsed(...objects);
  assert.deepEqual(problems, []);
  const [resource] = resourcesOf(pushedTypes.extension, viewOf(buildModel(taken, settings), proxy));
  const json = resource?.json as {
    readonly typedConfig: {
      readonly config: { readonly vmConfig: { readonly environmentVariables: object } };
    };
  };
  const { keyValues } = json.typedConfig.config.vmConfig.environmentVariables as {
    readonly keyValues: Readonly<Record<string, string>>;
  };
  return keyValues["ISTIO_META_WASM_IMAGE_PULL_SECRET"];
}

describe("credentials of an image", () => {
  const named = plugin({ imagePullSecret: "registry" });
  const own = secret({ ".dockerconfigjson": dockerConfig });

  test("are for proxies of the extension that have proven who they are, sidecars and routers", () => {
    for (const proxy of [sidecar, router]) {
      assert.equal(environmentOf(proxy, named, own), dockerConfig);
      assert.equal(environmentOf({ ...proxy, isProven: false }, named, own), "");
    }
  });

  test("are those of the extension's own namespace, whatever it says before the name", () => {
    const elsewhere = secret({ ".dockerconfigjson": dockerConfig }, "elsewhere");
    for (const name of ["registry", "elsewhere/registry", "kubernetes://elsewhere/registry"])
      assert.equal(environmentOf(sidecar, plugin({ imagePullSecret: name }), elsewhere), "");
  });

  test("are none where none are named", () => {
    assert.equal(environmentOf(sidecar, plugin({}), own), undefined);
  });

  test("are refused where they are none, and no message has anything of them", () => {
    const { problems } = parsed(secret({ ".dockerconfigjson": "very secret" }));
    assert.deepEqual(
      problems.map(({ message }) => message),
      ["has a configuration of Docker (.dockerconfigjson) that is no JSON with auths"],
    );
  });

  test("that are not there are told with the object that names them", () => {
    const told = (...objects: readonly object[]): readonly string[] => {
      const { objects: taken, problems } = parsed(...objects);
      return analyze(taken, [], refusedBy(problems)).map(({ path, message }) => `${path}: ${message}`);
    };
    const at = "spec.imagePullSecret";
    assert.deepEqual(told(named), [`${at}: there is no Secret demo/registry: nothing is fetched`]);
    assert.deepEqual(told(named, secret({ "ca.crt": "" })), [
      `${at}: the Secret demo/registry has no configuration of Docker (.dockerconfigjson): nothing is fetched`,
    ]);
    assert.match(told(named, secret({ ".dockerconfigjson": "{}" }))[0] ?? "", /is refused \(a\.yaml:\d+\)/);
    assert.deepEqual(told(named, own), []);
  });
});

describe("an extension", () => {
  test("warns of what has no effect", () => {
    const env = [{ name: "ISTIO_META_WASM_IMAGE_PULL_SECRET", value: "a" }];
    const { objects, problems } = parsed(
      plugin({
        url: "file:///a.wasm",
        imagePullSecret: "registry",
        sha256: "0".repeat(64),
        vmConfig: { env },
      }),
    );
    assert.equal(objects.length, 1);
    assert.deepEqual(
      problems.map(({ path, severity }) => [path, severity]),
      ["spec.sha256", "spec.imagePullSecret", "spec.vmConfig.env[0].name"].map((path) => [path, "warning"]),
    );
  });

  test("is named as the maker of what proxies refuse", () => {
    const { objects } = parsed(plugin({}), plugin({}, "plugin-2"));
    const name = "extensions.istio.io/trafficextension/demo.plugin~istio-translated-wasmplugin";
    assert.deepEqual(makersOf(objects, { name, json: { name }, reason: "no" }), [
      "a.yaml:1: WasmPlugin demo/plugin",
    ]);
  });
});
