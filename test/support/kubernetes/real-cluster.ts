/**
 * The real API of Kubernetes over a real etcd: RBAC, service accounts, tokens, custom kinds and webhooks are its own. No
 * controllers run: slices and service accounts are made by whoever wants them.
 */
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { ApiObject } from "../../../src/controlplane/kubernetes/api.ts";
import { type Child, spawnChild } from "../../../src/process/child.ts";
import { eventually } from "../eventually.ts";
import { freePorts } from "../free-ports.ts";
import { KubernetesApi } from "../../../src/controlplane/kubernetes/api.ts";

const adminToken = "0123456789abcdef0123456789abcdef";

export interface ClusterOptions {
  /** What the API server writes down of its requests; nothing unless told. */
  readonly auditPolicy?: object;
  /** More of the API server's. */
  readonly flags?: readonly string[];
}

export class RealCluster implements AsyncDisposable {
  readonly server: string;
  /** As one who may do everything. */
  readonly api: KubernetesApi;
  /** What the API server writes, its last lines. */
  readonly lines: string[] = [];
  readonly #folder: string;
  readonly #ports: readonly number[];
  readonly #flags: readonly string[];
  #etcd: Child | undefined;
  #apiServer: Child | undefined;

  private constructor(folder: string, ports: readonly number[], flags: readonly string[]) {
    this.#flags = flags;
    this.#folder = folder;
    this.#ports = ports;
    this.server = `https://127.0.0.1:${ports[0] ?? 0}`;
    this.api = new KubernetesApi({
      server: this.server,
      credentials: () =>
        Promise.resolve({ headers: { authorization: `Bearer ${adminToken}` }, rejectUnauthorized: false }),
    });
  }

  static async start(folder: string, { auditPolicy, flags = [] }: ClusterOptions = {}): Promise<RealCluster> {
    mkdirSync(folder, { recursive: true });
    const { privateKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    writeFileSync(join(folder, "sa.key"), privateKey, { mode: 0o600 });
    writeFileSync(join(folder, "tokens.csv"), `${adminToken},admin,admin,"system:masters"\n`, {
      mode: 0o600,
    });
    if (auditPolicy !== undefined) writeFileSync(join(folder, "audit.yaml"), stringify(auditPolicy));
    const cluster = new RealCluster(folder, await freePorts(3), flags);
    cluster.#startEtcd();
    await cluster.startApi();
    return cluster;
  }

  #startEtcd(): void {
    const [, client = 0, peer = 0] = this.#ports;
    const [clientUrl, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
    this.#etcd = spawnChild({
      file: process.env["ETCD_PATH"] ?? "etcd",
      args: [
        ...["--data-dir", join(this.#folder, "etcd"), "--unsafe-no-fsync"],
        ...["--listen-client-urls", clientUrl, "--advertise-client-urls", clientUrl],
        ...["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl],
        ...["--initial-cluster", `default=${peerUrl}`],
      ],
      stdout: "ignore",
      stderr: "ignore",
    });
  }

  async startApi(): Promise<void> {
    const [port = 0, etcd = 0] = this.#ports;
    const file = (name: string): string => join(this.#folder, name);
    const keep = (line: string): void => {
      this.lines.push(line);
      this.lines.splice(0, this.lines.length - 50);
    };
    this.#apiServer = spawnChild({
      file: process.env["KUBE_APISERVER_PATH"] ?? "kube-apiserver",
      args: [
        ...[`--etcd-servers=http://127.0.0.1:${etcd}`, `--secure-port=${port}`, "--bind-address=127.0.0.1"],
        ...["--service-account-issuer=https://kubernetes.default.svc", `--cert-dir=${file("certs")}`],
        `--service-account-key-file=${file("sa.key")}`,
        `--service-account-signing-key-file=${file("sa.key")}`,
        `--token-auth-file=${file("tokens.csv")}`,
        ...["--authorization-mode=RBAC", "--service-cluster-ip-range=10.96.0.0/16"],
        "--disable-admission-plugins=ServiceAccount",
        ...this.#flags,
        ...(existsSync(file("audit.yaml"))
          ? [`--audit-policy-file=${file("audit.yaml")}`, `--audit-log-path=${this.auditLog}`]
          : []),
      ],
      stdout: keep,
      stderr: keep,
    });
    await eventually(
      "the API of Kubernetes",
      async () => {
        await this.api.send({ path: "/api/v1/namespaces/default" }, new AbortController().signal);
        await this.api.send(
          { path: "/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin" },
          new AbortController().signal,
        );
      },
      { withinMs: 120_000, everyMs: 250 },
    );
  }

  /** A line of JSON for each request that the policy has written down. */
  get auditLog(): string {
    return join(this.#folder, "audit.log");
  }

  async killApi(): Promise<void> {
    this.#apiServer?.kill("SIGKILL");
    await this.#apiServer?.exited;
  }

  /** Create it, or put it in the place of the one that is there. @param collection such as `/api/v1/namespaces/demo/services` */
  async put(collection: string, object: ApiObject): Promise<ApiObject> {
    const { signal } = new AbortController();
    const { name } = object["metadata"] as { readonly name: string };
    const path = `${collection}/${name}`;
    const query = { fieldManager: "test", force: "true" };
    const contentType = "application/apply-patch+yaml";
    return this.api.send({ method: "PATCH", path, query, body: object, contentType }, signal);
  }

  /** The status, which is a part of its own. */
  async putStatus(path: string, status: object): Promise<void> {
    const contentType = "application/merge-patch+json";
    const request = { method: "PATCH", path: `${path}/status`, body: { status }, contentType } as const;
    await this.api.send(request, new AbortController().signal);
  }

  /** A kind of Istio's that takes whatever is in it. */
  async defineKind(group: string, kind: string, plural: string): Promise<void> {
    const schema = {
      openAPIV3Schema: {
        type: "object",
        properties: { spec: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    };
    await this.put("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `${plural}.${group}` },
      spec: {
        group,
        scope: "Namespaced",
        names: { kind, plural, singular: kind.toLowerCase() },
        versions: [{ name: "v1", served: true, storage: true, schema }],
      },
    });
  }

  async remove(path: string): Promise<void> {
    const query = { gracePeriodSeconds: "0" };
    await this.api.send({ method: "DELETE", path, query }, new AbortController().signal);
  }

  get(path: string): Promise<ApiObject> {
    return this.api.send({ path }, new AbortController().signal);
  }

  async namespace(name: string): Promise<void> {
    await this.put("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }

  async serviceAccount(namespace: string, name: string): Promise<void> {
    const object = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } };
    await this.put(`/api/v1/namespaces/${namespace}/serviceaccounts`, object);
  }

  /** A token of a service account (TokenRequest). */
  async token(namespace: string, name: string, audience?: string): Promise<string> {
    const { status } = await this.api.send(
      {
        method: "POST",
        path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
        body: {
          spec: { expirationSeconds: 3_600, ...(audience === undefined ? {} : { audiences: [audience] }) },
        },
      },
      new AbortController().signal,
    );
    return (status as { readonly token: string }).token;
  }

  /** A kubeconfig with this token; the administrator's unless told. */
  kubeconfig(token = adminToken): string {
    const path = join(this.#folder, `kubeconfig-${token.slice(-8)}`);
    const cluster = { server: this.server, "insecure-skip-tls-verify": true };
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "test", cluster }],
      users: [{ name: "user", user: { token } }],
      contexts: [{ name: "test", context: { cluster: "test", user: "user" } }],
      "current-context": "test",
    };
    writeFileSync(path, stringify(config), { mode: 0o600 });
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.api[Symbol.dispose]();
    await this.killApi();
    this.#etcd?.kill("SIGKILL");
    await this.#etcd?.exited;
  }
}
