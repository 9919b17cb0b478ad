/** A sidecar that has every source of configuration at once, on a machine whose cloud is asked. */
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { SidecarChanges } from "../support/mesh.ts";

/** A metadata service that answers at once, as a cloud's own does. */
export async function startMetadataService(): Promise<{ readonly address: string } & AsyncDisposable> {
  const server = createServer((request, response) => {
    response.end(request.url?.endsWith("zone") === true ? "projects/1/zones/us-central1-a" : "answer");
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}

/** Mesh file, PROXY_CONFIG, annotation and labels, a tracer, node metadata, and Google's metadata service. */
export function everythingSet(metadataAddress: string): SidecarChanges {
  return {
    env: {
      GCE_METADATA_HOST: metadataAddress,
      ISTIO_META_POD_PORTS: '[{"containerPort":8080,"protocol":"TCP"}]',
      ISTIO_META_CLUSTER_ID: "Kubernetes",
      ISTIO_META_WORKLOAD_NAME: "web",
      ISTIO_META_OWNER: "kubernetes://apis/apps/v1/namespaces/demo/deployments/web",
      ISTIO_METAJSON_STATS: '{"sidecar.istio.io/statsInclusionPrefixes":"cluster.outbound"}',
      ISTIO_CPU_LIMIT: "1",
    },
    proxyConfig: {
      tracing: { zipkin: { address: "zipkin.istio-system:9411" }, sampling: 1 },
      proxyStatsMatcher: { inclusionPrefixes: ["listener"] },
    },
    prepare: (folder) => {
      for (const [path, content] of [
        [
          "etc/istio/config/mesh",
          "defaultConfig:\n  drainDuration: 30s\n  extraStatTags: [destination_app]\n",
        ],
        [
          "etc/istio/pod/labels",
          'app="web"\nversion="v1"\npod-template-hash="abc"\ntopology.kubernetes.io/zone="z"\n',
        ],
        [
          "etc/istio/pod/annotations",
          'proxy.istio.io/config="tracing:\\n  sampling: 5\\n"\nsidecar.istio.io/statsInclusionPrefixes="cluster"\n',
        ],
      ] as const) {
        mkdirSync(join(folder, path, ".."), { recursive: true });
        writeFileSync(join(folder, path), content);
      }
      return Promise.resolve();
    },
  };
}
