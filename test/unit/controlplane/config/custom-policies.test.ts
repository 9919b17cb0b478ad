/** What a policy with the action CUSTOM may say, and whom it may ask. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { analyze } from "../../../../src/controlplane/config/analysis/analyze.ts";
import { parseDocuments } from "../../../../src/controlplane/config/parse-documents.ts";
import { describeConfigProblem } from "../../../../src/controlplane/config/problem.ts";

const before = "is not for the action CUSTOM, which is decided before callers are known: leave it out";

function problemsOf(spec: string, annotations = "{}"): readonly string[] {
  const policy = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: a, namespace: demo, annotations: ${annotations} }
spec: ${spec}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: guard, namespace: demo }
spec:
  hosts: [guard.demo]
  resolution: STATIC
  ports: [{ number: 80, name: http, protocol: HTTP }]
  endpoints: [{ address: 10.0.0.3 }]
---
apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data:
  mesh: |-
    extensionProviders:
    - { name: guard, envoyExtAuthzHttp: { service: guard.demo, port: 80 } }
    - { name: log, envoyFileAccessLog: { path: /dev/stdout } }
`;
  const { objects, problems } = parseDocuments("a.yaml", policy);
  return [...problems, ...analyze(objects)].map(describeConfigProblem);
}

describe("a policy with the action CUSTOM", () => {
  for (const [what, spec, ...problems] of [
    ["asks", "{ action: CUSTOM, provider: { name: guard }, rules: [{}] }"],
    ["asks nothing", "{ action: CUSTOM, provider: { name: guard }, rules: [] }"],
    [
      "has rules",
      "{ action: CUSTOM, provider: { name: guard } }",
      "spec.rules: must be there for CUSTOM; one that says nothing ({}) is for every request",
    ],
    [
      "says whom to ask",
      "{ action: CUSTOM, rules: [{}] }",
      "spec.provider.name: must be there for CUSTOM: whom to ask",
    ],
    [
      "goes by nothing that is proven later",
      `{ action: CUSTOM, provider: { name: guard }, rules: [{ from: [{ source: { principals: ["*"], notNamespaces: [a] } }],
         when: [{ key: "request.auth.claims[a]", values: [b] }, { key: source.ip, values: [10.0.0.1] }] }] }`,
      `spec.rules[0].from[0].source.principals: ${before}`,
      `spec.rules[0].from[0].source.notNamespaces: ${before}`,
      `spec.rules[0].when[0].key: ${before}`,
    ],
    [
      "asks somebody who is there",
      "{ action: CUSTOM, provider: { name: nobody }, rules: [{}] }",
      "spec.provider.name: nobody is none of MeshConfig's extensionProviders: what the policy matches is denied",
    ],
    [
      "asks somebody who decides",
      "{ action: CUSTOM, provider: { name: log }, rules: [{}] }",
      "spec.provider.name: log is no envoyExtAuthzHttp or envoyExtAuthzGrpc: what the policy matches is denied",
    ],
  ] as const)
    test(what, () => {
      assert.deepEqual(
        problemsOf(spec)
          .map((problem) => problem.replace(/^a\.yaml:\d+: /, ""))
          .toSorted(),
        [...problems].map(String).toSorted(),
      );
    });

  test("cannot be tried", () => {
    const spec = "{ action: CUSTOM, provider: { name: guard }, rules: [{}] }";
    assert.match(problemsOf(spec, '{ istio.io/dry-run: "true" }').join(), /cannot be tried/);
  });
});
