/** A file of the control plane's folder: objects that translate whole, or problems with their line. */
import assert from "node:assert/strict";
import { parseDocuments } from "../../../src/controlplane/config/parse-documents.ts";
import { kinds } from "../../../src/controlplane/config/schema.ts";
import { buildModel } from "../../../src/controlplane/model/build-model.ts";
import { parseProxy } from "../../../src/controlplane/model/proxy.ts";
import { takeSnapshot } from "../../support/snapshot-of.ts";
import type { FuzzTarget } from "../target.ts";

const proxies = [{ INTERCEPTION_MODE: "NONE" }, {}].map((mode) => {
  const proxy = parseProxy({
    id: "sidecar~10.0.0.1~web-1.demo~demo.svc.cluster.local",
    metadata: { NAMESPACE: "demo", SERVICE_ACCOUNT: "web", LABELS: { app: "web" }, ...mode },
  });
  if (proxy === undefined) throw new Error("the node of the test is none");
  return proxy;
});

const settings = { trustDomains: ["cluster.local"], rootNamespace: "istio-system" };

export const configFolderTarget: FuzzTarget = {
  name: "config-folder",
  corpus: "config-folder",
  words: [
    ...Object.keys(kinds),
    "apiVersion: networking.istio.io/v1",
    "hosts:",
    "ports:",
    "subsets:",
    "weight: ",
    "timeout: ",
    "regex: ",
    "exact: ",
    "mode: STRICT",
    "*",
    "*.com",
    "demo.svc.cluster.local",
    "__proto__",
    "&a ",
    "*a",
    "---\n",
    "!!binary ",
    "|-\n",
    "\n  - ",
    "99999999h",
    "-1s",
    "(?<=a)",
    "{",
    "[",
  ],
  concurrency: 1,
  maxBytes: 16_384,
  open: () =>
    Promise.resolve({
      feed: (input) => {
        feed(input.toString("utf8"));
        return Promise.resolve();
      },
      whole: () => {
        const { objects, problems } = parseDocuments("mesh.yaml", service);
        assert.equal(objects.length, 1, JSON.stringify(problems));
        return Promise.resolve();
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
};

function feed(content: string): void {
  const { objects, problems } = parseDocuments("mesh.yaml", content);
  for (const { source, line, message } of problems) {
    assert.equal(source, "mesh.yaml");
    assert.ok(line >= 0 && message !== "", `a problem without place or words: ${line} ${message}`);
  }
  if (problems.length > 0) return;
  const model = buildModel(objects, settings);
  for (const proxy of proxies) assert.deepEqual(takeSnapshot(model, proxy).faults, []);
}

const service = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api, namespace: demo}
spec:
  hosts: [api.demo.svc.cluster.local]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1}]
`;
