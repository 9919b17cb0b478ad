/**
 * A pod as a kubelet runs it: a network of its own, volumes, init containers one after the other, native sidecars, hooks,
 * probes, an ordered end. Under shareProcessNamespace the first container that stays is PID 1 of all, where Kubernetes has
 * its pause container.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fetchHttp } from "../../../src/net/http-client.ts";
import { type Child, type ChildExit, spawnChild } from "../../../src/process/child.ts";
import { eventually } from "../eventually.ts";
import { type Container, type Mount, startContainer } from "./container.ts";
import {
  type Cluster,
  type ContainerSpec,
  environmentOf,
  expand,
  filesOf,
  type Hook,
  type PodSpec,
  quantity,
} from "./pod-spec.ts";

/** What an image is here. */
export interface TestImage {
  readonly rootfs: string;
  readonly entrypoint: readonly string[];
  readonly user: number;
  readonly cwd?: string;
  readonly mounts?: readonly Mount[];
}

export interface PodOptions {
  readonly pod: PodSpec;
  /** For bundles and volumes. */
  readonly folder: string;
  /** Third number of its network, 10.44.<net>.0/24, of which the node has .1 and the pod .2. */
  readonly net: number;
  readonly images: Readonly<Record<string, TestImage>>;
  readonly cluster: Cluster;
  /** Addresses of names, as /etc/hosts has them. */
  readonly hosts: Readonly<Record<string, string>>;
  /** Runs when there is a network and nothing else, as a CNI plugin does. */
  readonly onNetwork?: (namespace: string) => void;
}

const startMs = 60_000;

const capability = (name: string): string => `CAP_${name}`;

export class TestPod implements AsyncDisposable {
  readonly address: string;
  /** What init containers said. */
  readonly initOutput: string[] = [];
  readonly containers = new Map<string, Container>();
  readonly network: string;
  readonly #options: PodOptions;
  readonly #pause: Child;
  readonly #folder: string;
  /** In memory, where emptyDirs are. */
  readonly #volumes: string;
  #pids: string | undefined;

  private constructor(options: PodOptions, pause: Child) {
    this.#options = options;
    this.#pause = pause;
    this.network = `/proc/${pause.pid ?? 0}/ns/net`;
    this.address = `10.44.${options.net}.2`;
    this.#folder = join(options.folder, options.pod.metadata.name);
    this.#volumes = join("/dev/shm", `outrider-image-${process.pid}-${options.pod.metadata.name}`);
  }

  /** @throws Error with the output of the container that fails */
  static async start(options: PodOptions): Promise<TestPod> {
    const ready = Promise.withResolvers<string>();
    const pause = spawnChild({
      file: "unshare",
      args: ["--net", "sh", "-c", "ip link set lo up && echo ready && exec sleep 3600"],
      stdout: ready.resolve,
      stderr: ready.resolve,
    });
    if ((await ready.promise) !== "ready") throw new Error(await ready.promise);
    const pod = new TestPod(options, pause);
    try {
      pod.#connect();
      pod.#makeVolumes();
      options.onNetwork?.(pod.network);
      const { initContainers = [], containers } = options.pod.spec;
      for (const container of initContainers) {
        if (container.restartPolicy === "Always") await pod.startContainer(container);
        else await pod.#runInit(container);
      }
      for (const container of containers) await pod.startContainer(container);
      return pod;
    } catch (error) {
      await pod[Symbol.asyncDispose]();
      throw error;
    }
  }

  container(name: string): Container {
    const container = this.containers.get(name);
    if (container === undefined) throw new Error(`the pod has no container ${name}`);
    return container;
  }

  /** As often as the kubelet would until every readiness probe succeeds. */
  async ready(): Promise<void> {
    const { initContainers = [], containers } = this.#options.pod.spec;
    for (const { name, readinessProbe } of [...initContainers, ...containers]) {
      const probe = readinessProbe?.httpGet;
      if (probe !== undefined) await this.#probed(name, probe.path, probe.port, 50);
    }
  }

  /** Start it, and wait as a kubelet does before it starts the next one. The one of that name must have ended. */
  async startContainer(spec: ContainerSpec): Promise<Container> {
    const container = this.#start(spec);
    this.containers.set(spec.name, container);
    if (this.#options.pod.spec.shareProcessNamespace === true)
      this.#pids ??= `/proc/${await container.pid()}/ns/pid`;
    await this.#hook(container, spec.lifecycle?.postStart);
    const startup = spec.restartPolicy === "Always" ? spec.startupProbe?.httpGet : undefined;
    if (startup !== undefined) await this.#probed(spec.name, startup.path, startup.port, 20);
    return container;
  }

  /** Write a file of a volume anew, as the kubelet does with labels and annotations. */
  writeVolume(volume: string, file: string, content: string): void {
    writeFileSync(join(this.#volumes, volume, file), content);
  }

  /** Hooks, then SIGTERM, sidecars last; the exits by container. */
  async stop(): Promise<ReadonlyMap<string, ChildExit>> {
    const { initContainers = [], containers, terminationGracePeriodSeconds = 30 } = this.#options.pod.spec;
    const all = [...initContainers, ...containers].filter(({ name }) => this.containers.has(name));
    const exits = new Map<string, ChildExit>();
    for (const spec of all) await this.#hook(this.container(spec.name), spec.lifecycle?.preStop);
    const end = async (specs: readonly ContainerSpec[]): Promise<void> => {
      await Promise.all(
        specs.map(async ({ name }) => {
          const container = this.container(name);
          container.kill("SIGTERM");
          const timer = setTimeout(() => {
            container.kill("SIGKILL");
          }, terminationGracePeriodSeconds * 1_000);
          exits.set(name, await container.exited);
          clearTimeout(timer);
        }),
      );
    };
    await end(all.filter(({ restartPolicy }) => restartPolicy === undefined));
    await end(all.filter(({ restartPolicy }) => restartPolicy !== undefined).toReversed());
    return exits;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const container of [...this.containers.values()].toReversed())
      await container[Symbol.asyncDispose]();
    this.#pause.kill("SIGKILL");
    await this.#pause.exited;
    rmSync(this.#volumes, { recursive: true, force: true });
  }

  #connect(): void {
    const { net } = this.#options;
    const outside = `pod${net}`;
    const inside = `nsenter --net=${this.network}`;
    execFileSync(
      "sh",
      [
        "-ec",
        [
          `ip link add ${outside} type veth peer name eth0 netns ${this.#pause.pid ?? 0}`,
          `ip addr add 10.44.${net}.1/24 dev ${outside}`,
          `ip link set ${outside} up`,
          `${inside} ip addr add ${this.address}/24 dev eth0`,
          `${inside} ip link set eth0 up`,
          `${inside} ip route add default via 10.44.${net}.1`,
        ].join("\n"),
      ],
      { stdio: "pipe" },
    );
  }

  #makeVolumes(): void {
    const { pod, cluster, hosts } = this.#options;
    const status = { podIp: this.address, hostIp: `10.44.${this.#options.net}.1` };
    mkdirSync(this.#folder, { recursive: true });
    for (const volume of pod.spec.volumes ?? []) {
      const folder = join(this.#volumes, volume.name);
      mkdirSync(folder, { recursive: true });
      const files = filesOf(volume, pod, status, cluster);
      if (files === undefined) chmodSync(folder, 0o777);
      for (const [name, content] of Object.entries(files ?? {})) writeFileSync(join(folder, name), content);
    }
    const lines = Object.entries({ localhost: "127.0.0.1", [pod.metadata.name]: this.address, ...hosts });
    writeFileSync(join(this.#folder, "hosts"), lines.map(([name, ip]) => `${ip} ${name}\n`).join(""));
    const domain = "svc.cluster.local";
    writeFileSync(
      join(this.#folder, "resolv.conf"),
      `nameserver 10.96.0.10\nsearch ${pod.metadata.namespace}.${domain} ${domain}\noptions ndots:5\n`,
    );
  }

  async #runInit(spec: ContainerSpec): Promise<void> {
    await using container = this.#start(spec);
    const exit = await container.exited;
    this.initOutput.push(...container.lines);
    if (exit.kind !== "exited" || exit.code !== 0)
      throw new Error(`${spec.name} ended with ${JSON.stringify(exit)}:\n${container.lines.join("\n")}`);
  }

  #start(spec: ContainerSpec): Container {
    const { pod, images, net } = this.#options;
    const image = images[spec.image];
    if (image === undefined) throw new Error(`no image ${spec.image}`);
    const env = environmentOf(spec, pod, { podIp: this.address, hostIp: `10.44.${net}.1` });
    const { add = [], drop = [] } = spec.securityContext?.capabilities ?? {};
    if (drop.length === 0) throw new Error(`${spec.name} keeps the runtime's capabilities`);
    const limits = spec.resources?.limits ?? {};
    const writable = new Map(
      (pod.spec.volumes ?? []).map(({ name, emptyDir }) => [name, emptyDir !== undefined]),
    );
    return startContainer({
      id: `${pod.metadata.name}-${spec.name}-${process.pid}`,
      folder: this.#folder,
      rootfs: image.rootfs,
      args: [...(spec.command ?? image.entrypoint), ...(spec.args ?? [])].map((word) => expand(word, env)),
      env,
      user: spec.securityContext?.runAsUser ?? image.user,
      cwd: image.cwd ?? "/",
      capabilities: add.map(capability),
      isReadOnly: spec.securityContext?.readOnlyRootFilesystem === true,
      mounts: [
        ...["hosts", "resolv.conf"].map((name) => ({
          destination: `/etc/${name}`,
          source: join(this.#folder, name),
        })),
        ...(image.mounts ?? []),
        ...(spec.volumeMounts ?? []).map(({ name, mountPath, readOnly }) => ({
          destination: mountPath,
          source: join(this.#volumes, name),
          // Only what is empty at first is there to be written to.
          isReadOnly: readOnly === true || writable.get(name) !== true,
        })),
      ],
      network: this.network,
      ...(this.#pids === undefined || spec.name === this.#first() ? {} : { pids: this.#pids }),
      ...(limits["memory"] === undefined ? {} : { memoryBytes: quantity(limits["memory"]) }),
      ...(limits["cpu"] === undefined ? {} : { cpus: quantity(limits["cpu"]) }),
    });
  }

  /** The container that has PID 1 where the namespace is shared. */
  #first(): string | undefined {
    return this.containers.keys().next().value;
  }

  async #hook(container: Container, hook: Hook | undefined): Promise<void> {
    if (hook?.exec === undefined) return;
    await container.pid();
    const { code, output } = await container.exec(...hook.exec.command);
    if (code !== 0)
      throw new Error(`a hook ended with ${code}:\n${output}\n${container.lines.slice(-40).join("\n")}`);
  }

  async #probed(name: string, url: string, port: number, everyMs: number): Promise<void> {
    const container = this.container(name);
    const answered = eventually(
      `${name} answers ${url}`,
      async () => {
        const { status } = await fetchHttp({ target: { host: this.address, port }, url, timeoutMs: 3_000 });
        if (status !== 200) throw new Error(`it answers ${status}`);
      },
      { withinMs: startMs, everyMs },
    );
    const ended = container.exited.then((exit) => {
      throw new Error(`${name} has ended: ${JSON.stringify(exit)}`);
    });
    await Promise.race([answered, ended]).catch((error: unknown) => {
      throw new Error(container.lines.slice(-40).join("\n"), { cause: error });
    });
  }
}
