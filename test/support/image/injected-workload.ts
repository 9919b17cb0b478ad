/** A workload that knows of no mesh, and its pod as the image's own `outriderctl inject` makes it. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { applicationPorts } from "../pod-application.ts";
import { podOf } from "./manifests.ts";
import type { PodSpec } from "./pod-spec.ts";

/** As somebody writes it for whatever cluster. */
function plainDeployment(name: string): object {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: "demo" },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          serviceAccountName: name,
          // The application's processes are the sidecar's to bury.
          shareProcessNamespace: true,
          containers: [
            {
              name,
              image: "application",
              ports: [{ name: "http", containerPort: applicationPorts.http }],
              readinessProbe: { httpGet: { path: "/", port: "http" }, timeoutSeconds: 1 },
              securityContext: { runAsUser: 1_000, capabilities: { drop: ["ALL"] } },
            },
          ],
        },
      },
    },
  };
}

/** Of the whole mesh: names are answered by the sidecar, and applications start behind it. */
const meshConfig = {
  defaultConfig: {
    holdApplicationUntilProxyStarts: true,
    terminationDrainDuration: "2s",
    proxyMetadata: { ISTIO_META_DNS_CAPTURE: "true" },
  },
};

export interface InjectedWorkload {
  /** Of the image. */
  readonly rootfs: string;
  /** For the files. */
  readonly folder: string;
  readonly name: string;
  /** Of the oldest node, by which the sidecar is a native one or not. */
  readonly kubernetesVersion: string;
}

/** @throws Error with what the command says when it refuses the workload */
export function injectedWorkload({ rootfs, folder, name, kubernetesVersion }: InjectedWorkload): PodSpec {
  const files = join(folder, `workload-${name}`);
  mkdirSync(files);
  const file = (path: string, content: object): string => {
    writeFileSync(join(files, path), stringify(content));
    return join(files, path);
  };
  const injected = join(files, "injected.yaml");
  execFileSync(
    join(rootfs, "opt/outrider/bin/outriderctl"),
    [
      ...["inject", "--filename", file("plain.yaml", plainDeployment(name)), "--output", injected],
      ...["--meshConfigFile", file("mesh.yaml", meshConfig)],
      ...["--kubernetes-version", kubernetesVersion],
    ],
    { stdio: "pipe" },
  );
  return podOf(injected);
}
