/** A Secret that its router is never given is told, as if it were not there. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type RouterWorkload,
  gatewayWarnings,
} from "../../../../src/controlplane/config/analysis/gateways.ts";
import type { ConfigObject } from "../../../../src/controlplane/config/objects.ts";
import { noneRefused } from "../../../../src/controlplane/config/refused.ts";

type Gateway = Extract<ConfigObject, { kind: "Gateway" }>;
type Secret = Extract<ConfigObject, { kind: "Secret" }>;

const place = { source: "a.yaml", line: 1 };

const gateway: Gateway = {
  ...{ kind: "Gateway", name: "shop", namespace: "demo", ...place },
  spec: {
    selector: { app: "ingress" },
    servers: [
      {
        port: { number: 443, name: "https", protocol: "HTTPS" },
        hosts: ["*"],
        tls: { mode: "SIMPLE", credentialName: "shop" },
      },
    ],
  },
};

function secretIn(namespace: string): Secret {
  const stringData = { "tls.crt": "certificate", "tls.key": "key" };
  return { ...{ kind: "Secret", name: "shop", namespace, ...place }, spec: { stringData } };
}

const router = (namespace: string, app = "ingress"): RouterWorkload => ({ namespace, labels: { app } });

describe("a Secret of a gateway", () => {
  for (const [what, namespaces, workloads, near] of [
    ["beside its Gateway is found", ["demo"], [], undefined],
    ["where Istio's own gateways are is found", ["istio-system"], [], undefined],
    ["elsewhere is not", ["shop"], [], "demo or istio-system or istio-ingress"],
    ["beside a router that is declared is found", ["shop"], [router("shop")], undefined],
    ["beside its Gateway is not, where the router is elsewhere", ["demo"], [router("shop")], "shop"],
    ["in several namespaces is found in one", ["other", "shop"], [router("shop")], undefined],
    [
      "is not for workloads that the Gateway does not select",
      ["shop"],
      [router("shop", "web")],
      "demo or istio-system or istio-ingress",
    ],
  ] as const)
    test(what, () => {
      const warnings = gatewayWarnings([gateway], [], namespaces.map(secretIn), noneRefused, () => workloads);
      const expected =
        near === undefined
          ? []
          : [
              `shop is a Secret of ${namespaces[0]}, and a router is given those of its own namespace: the server waits for it, with all others of its port. Put it into ${near}`,
            ];
      assert.deepEqual(
        warnings.map(({ message }) => message),
        expected,
      );
    });
});
