/** A cluster of one node: the control plane as its manifest has it, and pods beside it. Run it in a network of its own. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { openTokenIssuer } from "../../../src/controlplane/demo-tokens.ts";
import { certificateFiles } from "../ca-files.ts";
import { apiHost, mutualTls } from "../mesh-objects.ts";
import { applicationTls } from "../pod-application.ts";
import { podService } from "../pod-service.ts";
import { TestPki, validity } from "../test-pki.ts";
import { testImages } from "./images.ts";
import { podOf, withContainer } from "./manifests.ts";
import { TestPod } from "./pod.ts";
import type { Cluster, PodSpec } from "./pod-spec.ts";

const kubernetes = join(import.meta.dirname, "../../../docker/kubernetes");

/** Third numbers of the pods' networks. */
const nets = { controlPlane: 9 };
const discoveryAddress = `10.44.${nets.controlPlane}.2`;

/** A cluster IP, which no machine has. */
export const serviceAddress = "10.96.7.7";

/** What the application's own TLS needs, for every pod the same. */
async function writeApplicationTls(folder: string): Promise<void> {
  const pki = await TestPki.create();
  const pair = await pki.serverKeyPair([apiHost], validity(-60_000, 3_600_000));
  mkdirSync(folder);
  for (const [name, content] of [
    [applicationTls.key, pair.privateKeyPem],
    [applicationTls.certificate, pair.certificatePem],
    [applicationTls.root, pki.rootPem],
  ] as const) {
    writeFileSync(join(folder, name), content);
  }
}

export interface StartedPod {
  readonly net: number;
  readonly onNetwork?: (namespace: string) => void;
}

export class TestCluster implements AsyncDisposable {
  readonly folder: string;
  readonly rootfs: string;
  #controlPlane: TestPod | undefined;
  readonly #objects: Cluster["objects"];
  readonly #issuer: Awaited<ReturnType<typeof openTokenIssuer>>;

  private constructor(
    folder: string,
    rootfs: string,
    objects: Cluster["objects"],
    issuer: Awaited<ReturnType<typeof openTokenIssuer>>,
  ) {
    this.folder = folder;
    this.rootfs = rootfs;
    this.#objects = objects;
    this.#issuer = issuer;
  }

  /** The pod `api` is the one of net 2; all of the namespace speak mutual TLS only. */
  static async start(folder: string, rootfs: string): Promise<TestCluster> {
    execFileSync("sh", ["-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
    // Users of the containers are to get at what is mounted.
    chmodSync(folder, 0o711);
    mkdirSync(join(folder, "issuer"), { mode: 0o700 });
    const issuer = await openTokenIssuer(join(folder, "issuer"));
    const ca = await certificateFiles();
    const cluster = new TestCluster(
      folder,
      rootfs,
      {
        cacerts: ca,
        "istio-ca-root-cert": { "root-cert.pem": ca["root-cert.pem"] },
        "outrider-jwks": { "jwks.json": JSON.stringify(issuer.jwks) },
        "outrider-mesh": {
          "api.yaml": stringify(podService("api", { serviceAddress, podAddress: "10.44.2.2" })),
          "mtls.yaml": stringify(mutualTls("STRICT")),
        },
      },
      issuer,
    );
    await writeApplicationTls(join(folder, "application"));
    await cluster.startControlPlane();
    return cluster;
  }

  async startControlPlane(): Promise<void> {
    const manifest = podOf(join(kubernetes, "control-plane.yaml"));
    const pod = withContainer(manifest, "discovery", (container) => ({
      ...container,
      args: (container.args ?? []).map((word) =>
        word.startsWith("--jwtIssuer=") ? `--jwtIssuer=${this.#issuer.issuer}` : word,
      ),
    }));
    this.#controlPlane = await this.pod(pod, { net: nets.controlPlane });
    await this.#controlPlane.ready();
  }

  async stopControlPlane(): Promise<void> {
    await this.#controlPlane?.[Symbol.asyncDispose]();
    this.#controlPlane = undefined;
  }

  async pod(pod: PodSpec, { net, onNetwork }: StartedPod): Promise<TestPod> {
    const { namespace } = pod.metadata;
    const token = await this.#issuer.issue({
      namespace,
      serviceAccount: pod.spec.serviceAccountName,
      audience: "istio-ca",
      lifetimeMs: 3_600_000,
    });
    return TestPod.start({
      ...{ pod, folder: this.folder, net, images: testImages(this.rootfs, join(this.folder, "application")) },
      cluster: { token, objects: this.#objects },
      hosts: { "istiod.istio-system.svc": discoveryAddress },
      ...(onNetwork === undefined ? {} : { onNetwork }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopControlPlane();
  }
}
