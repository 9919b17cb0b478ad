/** What a real Envoy refuses costs it itself only: the last good stays, the object is named, and a change is over it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ConfigObject } from "../../../src/controlplane/config/objects.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { startApp } from "../../support/http-app.ts";
import { get } from "../../support/mesh.ts";
import { type Damage, PushedMesh } from "../../support/pushed-mesh.ts";

const withinMs = 60_000;
const node = {
  id: "sidecar~127.0.0.1~web-1.demo~demo.svc.cluster.local",
  metadata: { INTERCEPTION_MODE: "NONE", NAMESPACE: "demo", LABELS: { app: "web" } },
};

type OfKind<Kind extends ConfigObject["kind"]> = Extract<ConfigObject, { kind: Kind }>;

function changing<Kind extends ConfigObject["kind"]>(
  kind: Kind,
  change: (object: OfKind<Kind>) => void,
): Damage {
  return (objects) => {
    for (const object of objects) if (object.kind === kind) change(object as OfKind<Kind>);
  };
}

/** Specifications are read-only: what no folder could say is written past that. */
const put = (target: unknown, key: string, value: unknown): void => {
  Reflect.set(target as object, key, value);
};

/** By what Envoy refuses, and what it is told to be made of. */
const damages: Readonly<Record<string, { readonly damage: Damage; readonly object: RegExp }>> = {
  cluster: {
    damage: changing("DestinationRule", ({ spec }) => {
      put(spec, "trafficPolicy", { tls: { mode: "SIMPLE", sni: "a\0b", insecureSkipVerify: true } });
    }),
    object: /mesh\.yaml:\d+: DestinationRule demo\/api/,
  },
  route: {
    damage: changing("VirtualService", ({ spec }) => {
      put(spec.http?.[0]?.match?.[0]?.uri, "regex", "(unclosed");
    }),
    object: /mesh\.yaml:\d+: VirtualService demo\/api/,
  },
  listener: {
    damage: changing("AuthorizationPolicy", ({ spec }) => {
      put(spec.rules?.[0], "from", [{ source: { ipBlocks: ["no.address/8"] } }]);
    }),
    object: /mesh\.yaml:\d+: AuthorizationPolicy demo\/api/,
  },
};

const yamlOf = (
  ports: readonly number[],
  appPorts: readonly number[],
  header: string,
): string => `apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: default, namespace: demo }
spec:
  ingress:
    - port: { number: ${ports[2]}, name: http, protocol: HTTP }
      bind: 127.0.0.1
      defaultEndpoint: 127.0.0.1:${appPorts[0]}
  egress:
    - { port: { number: ${ports[0]}, name: http, protocol: HTTP }, bind: 127.0.0.1, hosts: [./api.demo] }
    - { port: { number: ${ports[1]}, name: http, protocol: HTTP }, bind: 127.0.0.1, hosts: [./other.demo] }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: demo }
spec: { mtls: { mode: DISABLE } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: api, namespace: demo }
spec: { rules: [{ to: [{ operation: { paths: [/, /${header}] } }] }] }
---
${["api", "other"]
  .map(
    (name, index) => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${name}, namespace: demo }
spec:
  hosts: [${name}.demo]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ number: ${ports[index]}, name: http, protocol: HTTP, targetPort: ${appPorts[index]} }]
  endpoints: [{ address: 127.0.0.1 }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: demo }
spec:
  hosts: [${name}.demo]
  http:
    - match: [{ uri: { regex: "/.*" } }]
      headers: { response: { set: { x-version: "${header}" } } }
      route: [{ destination: { host: ${name}.demo } }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ${name}, namespace: demo }
spec:
  host: ${name}.demo
  trafficPolicy: { connectionPool: { tcp: { maxConnections: 1${header} } } }
`,
  )
  .join("---\n")}`;

const damageOfApi =
  (damage: Damage): Damage =>
  (objects) => {
    damage(objects.filter(({ name }) => name === "api"));
  };

for (const protocol of ["DELTA_GRPC", "GRPC"] as const)
  describe(`over ${protocol}, what Envoy refuses of a`, { concurrency: true }, () => {
    for (const [kind, { damage, object }] of Object.entries(damages))
      test(`${kind} costs that ${kind} only, for as long as it is bad`, async () => {
        await using stack = new AsyncDisposableStack();
        const apps = [stack.use(await startApp("api")), stack.use(await startApp("other"))];
        const ports = await freePorts(3);
        const yaml = (header: string): string =>
          yamlOf(
            ports,
            apps.map(({ port }) => port),
            header,
          );
        const mesh = stack.use(await PushedMesh.start(yaml("1")));
        await mesh.envoy(node, protocol);
        // Through its own listener, where the service is called.
        const called = kind === "listener" ? 2 : 0;
        const answers = (service: number, version: string | undefined): Promise<void> =>
          eventually(
            `${service} with ${version ?? "anything"}`,
            async () => {
              const { status, headers } = await get(ports[service] ?? 0, "/", {
                host: `${service === 1 ? "other" : "api"}.demo`,
              });
              assert.equal(status, 200);
              if (version !== undefined && service < 2) assert.equal(headers["x-version"], version);
            },
            { withinMs },
          );
        await answers(called, "1");
        await answers(1, "1");

        mesh.push(yaml("2"), damageOfApi(damage));
        await answers(1, "2");
        await answers(called, undefined);
        const refused = (): readonly string[] =>
          mesh.connections
            .list()
            .flatMap(({ types }) => Object.values(types))
            .flatMap(({ refused: held = [] }) => held.map(({ name, serves }) => `${name} ${serves}`));
        await eventually(
          "told",
          () => assert.equal(refused().length, 1, JSON.stringify(mesh.connections.list())),
          {
            withinMs,
          },
        );
        assert.match(refused()[0] ?? "", / last good$/);
        const told = mesh.lines.filter((line) => line.includes("a resource is refused by proxies"));
        assert.equal(told.length, 1);
        assert.match(told[0] ?? "", object);
        assert.match(await mesh.metrics.render(), /^pilot_xds_refused_resources 1$/m);

        // What is well changes further, and is not told to be refused for it.
        mesh.push(yaml("3"), damageOfApi(damage));
        await answers(1, "3");
        await answers(called, undefined);
        mesh.push(yaml("4"));
        await answers(called, "4");
        await answers(1, "4");
        await eventually("over", () => assert.deepEqual(refused(), []), { withinMs });
      });
  });
