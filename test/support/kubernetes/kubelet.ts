/**
 * A node of a real cluster without containers: it stands in for the kubelet alone. It answers what the API server asks of it
 * when a port of a pod is forwarded, and copies bytes to a port of this machine, where what the pod would hold really runs.
 */
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { TestPki, validity } from "../test-pki.ts";
import type { RealCluster } from "./real-cluster.ts";

/** As `k8s.io/kubelet`'s `pkg/cri/streaming/portforward` has it: channel 0 are bytes, channel 1 is what is wrong. */
const protocol = "v4.channel.k8s.io";

export interface PlayedPod {
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Running unless told. */
  readonly phase?: string;
  readonly ip?: string;
  /** Ports of this machine by those of the pod; nobody listens on others. */
  readonly ports: Readonly<Record<number, number>>;
}

export class TestKubelet implements AsyncDisposable {
  readonly #cluster: RealCluster;
  readonly #server: Server;
  readonly #node: string;
  readonly #ports = new Map<string, Readonly<Record<number, number>>>();
  /** Connections that were asked for, as `demo/web-1:15000`. */
  readonly forwarded: string[] = [];

  private constructor(cluster: RealCluster, server: Server, node: string) {
    this.#cluster = cluster;
    this.#server = server;
    this.#node = node;
    const sockets = new WebSocketServer({
      noServer: true,
      handleProtocols: (offered) => (offered.has(protocol) ? protocol : false),
    });
    server.on("upgrade", (request, socket, head) => {
      const url = new URL(request.url ?? "/", "https://node");
      const [, namespace = "", name = ""] = /^\/portForward\/([^/]+)\/([^/]+)/.exec(url.pathname) ?? [];
      const port = Number(url.searchParams.get("port"));
      sockets.handleUpgrade(request, socket, head, (opened) => {
        this.#forward(opened, `${namespace}/${name}`, port);
      });
    });
  }

  static async start(cluster: RealCluster, node = "node-1"): Promise<TestKubelet> {
    const pki = await TestPki.create();
    const { certificatePem, privateKeyPem } = await pki.serverKeyPair(
      ["node"],
      validity(-60_000, 86_400_000),
    );
    const server = createServer({ cert: certificatePem, key: privateKeyPem });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    await cluster.put("/api/v1/nodes", { apiVersion: "v1", kind: "Node", metadata: { name: node } });
    await cluster.putStatus(`/api/v1/nodes/${node}`, {
      addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
      daemonEndpoints: { kubeletEndpoint: { Port: (server.address() as AddressInfo).port } },
    });
    return new TestKubelet(cluster, server, node);
  }

  /** Have a pod here. */
  async pod({ namespace, name, labels = {}, phase = "Running", ip, ports }: PlayedPod): Promise<void> {
    this.#ports.set(`${namespace}/${name}`, ports);
    const containers = [
      { name: "app", image: "app" },
      { name: "istio-proxy", image: "proxy" },
    ];
    await this.#cluster.put(`/api/v1/namespaces/${namespace}/pods`, {
      ...{ apiVersion: "v1", kind: "Pod", metadata: { name, namespace, labels } },
      spec: { nodeName: this.#node, containers },
    });
    const conditions = [{ type: "Ready", status: phase === "Running" ? "True" : "False" }];
    const podIP = ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] };
    await this.#cluster.putStatus(`/api/v1/namespaces/${namespace}/pods/${name}`, {
      ...{ phase, conditions, ...podIP },
    });
  }

  #forward(socket: WebSocket, pod: string, port: number): void {
    this.forwarded.push(`${pod}:${port}`);
    const send = (channel: number, bytes: Uint8Array): void => {
      socket.send(Buffer.concat([Buffer.of(channel), bytes]));
    };
    const portBytes = Buffer.from(Uint16Array.of(port).buffer);
    send(0, portBytes);
    send(1, portBytes);
    const target = this.#ports.get(pod)?.[port];
    if (target === undefined) {
      send(1, Buffer.from(`error forwarding port ${port} to pod ${pod}: connection refused`));
      socket.close();
      return;
    }
    const stream = connect(target, "127.0.0.1");
    stream.on("data", (bytes) => {
      send(0, bytes);
    });
    stream.on("error", (error) => {
      send(1, Buffer.from(error.message));
    });
    stream.on("close", () => {
      socket.close();
    });
    socket.on("message", (message: RawData) => {
      const bytes = message as Buffer;
      if (bytes[0] === 0) stream.write(bytes.subarray(1));
    });
    socket.on("close", () => {
      stream.destroy();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
