import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { TestDiscoveryServer } from "../../support/discovery-server.ts";
import { directResponseListener, pipeCluster } from "../../support/envoy-config.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { get } from "../../support/mesh.ts";
import { status } from "../../support/module-server.ts";
import { startRegistry, tarLayer } from "../../support/oci-registry.ts";
import { headerPlugin } from "../../support/header-plugin.ts";
import { type StandaloneBootstrap, StandaloneSidecar } from "../../support/standalone-sidecar.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { extensionResponse, wasmExtension, wasmStruct } from "../../support/wasm-config.ts";
import { delta, type Encoding, sotw } from "../../support/xds-messages.ts";

const name = "plugin";
const withinMs = 30_000;

/** What Envoy needs to run it, which the agent does not look at. */
const runtime = "envoy.wasm.runtime.v8";

/** Sends the extension of the moment to whoever asks, and each new one to all. */
class ExtensionControlPlane implements AsyncDisposable {
  readonly #discovery: TestDiscoveryServer;
  readonly #encoding: Encoding;
  readonly #following = new Map<number, Promise<void>>();
  readonly #asking = new Set<number>();
  readonly refusals: string[] = [];
  #current: Uint8Array;
  #nonce = 0;

  private constructor(discovery: TestDiscoveryServer, encoding: Encoding, extension: Uint8Array) {
    this.#discovery = discovery;
    this.#encoding = encoding;
    this.#current = extension;
  }

  static async listen(encoding: Encoding, extension: Uint8Array): Promise<ExtensionControlPlane> {
    return new ExtensionControlPlane(await TestDiscoveryServer.listen(), encoding, extension);
  }

  get address(): string {
    return this.#discovery.address;
  }

  /** Take up new streams; called while a test waits for something. */
  serve(): void {
    for (const [index] of this.#discovery.streams.entries()) {
      if (!this.#following.has(index)) this.#following.set(index, this.#follow(index));
    }
  }

  push(extension: Uint8Array): void {
    this.#current = extension;
    for (const index of this.#asking) this.#send(index);
  }

  async #follow(index: number): Promise<void> {
    const stream = this.#discovery.streams[index];
    try {
      for (;;) {
        const request = this.#encoding.readRequest((await stream?.inbox.next(600_000)) ?? Buffer.alloc(0));
        if (request.typeUrl !== typeUrl.extension) continue;
        if (request.errorDetail !== undefined) this.refusals.push(JSON.stringify(request.errorDetail));
        if (this.#asking.has(index)) continue;
        this.#asking.add(index);
        this.#send(index);
      }
    } catch {
      this.#asking.delete(index);
    }
  }

  #send(index: number): void {
    this.#nonce += 1;
    const response = extensionResponse(this.#encoding, String(this.#nonce), [this.#current]);
    this.#discovery.streams[index]?.stream.enqueue(response);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#discovery[Symbol.asyncDispose]();
  }
}

/** A listener whose filter comes by ECDS, and the way to the agent. */
function bootstrap(port: number, encoding: Encoding): StandaloneBootstrap {
  const filter = {
    name,
    config_discovery: {
      config_source: { ads: {}, resource_api_version: "V3" },
      type_urls: ["wasm", "rbac"].map(
        (kind) =>
          `type.googleapis.com/envoy.extensions.filters.http.${kind}.v3.${kind === "wasm" ? "Wasm" : "RBAC"}`,
      ),
    },
  };
  return {
    listeners: [directResponseListener({ port, httpFilters: [filter] })],
    clusters: [pipeCluster("xds-grpc", "./etc/istio/proxy/XDS")],
    dynamic_resources: {
      ads_config: {
        api_type: encoding.method === "DeltaAggregatedResources" ? "DELTA_GRPC" : "GRPC",
        transport_api_version: "V3",
        grpc_services: [{ envoy_grpc: { cluster_name: "xds-grpc" } }],
      },
    },
  };
}

interface Started {
  readonly sidecar: StandaloneSidecar;
  /** Wait until requests are answered like that. */
  readonly answers: (status: number, header: string | undefined) => Promise<void>;
}

async function start(
  folder: string,
  controlPlane: ExtensionControlPlane,
  encoding: Encoding,
  insecure: string,
): Promise<Started> {
  const [traffic = 0] = await freePorts(1);
  const sidecar = await StandaloneSidecar.start({
    folder,
    flags: ["--wasmFolder", `${folder}/wasm`],
    env: { WASM_INSECURE_REGISTRIES: insecure },
    proxyConfig: { discoveryAddress: controlPlane.address, controlPlaneAuthPolicy: "NONE" },
    bootstrap: bootstrap(traffic, encoding),
  });
  return {
    sidecar,
    answers: (expected, header) =>
      eventually(
        `answer ${expected} with ${header}`,
        async () => {
          controlPlane.serve();
          const answer = await get(traffic, "/");
          assert.deepEqual([answer.status, answer.headers["x-plugin"]], [expected, header]);
        },
        { withinMs },
      ).catch((error: unknown) => {
        const lines = [...sidecar.agent.lines.slice(-20), ...controlPlane.refusals];
        throw new Error(lines.join("\n"), { cause: error });
      }),
  };
}

describe("a Wasm plugin that the control plane sends", () => {
  test("runs in Envoy from a registry, is replaced by the next, and outlives a restart without the registry", async () => {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder()).path;
    const registry = stack.use(await startRegistry());
    for (const version of ["one", "two"])
      registry.push("plugin", version, [await tarLayer({ "plugin.wasm": await headerPlugin(version) })]);
    const plugin = (version: string): Uint8Array =>
      wasmStruct({ name, url: `oci://${registry.address}/plugin:${version}`, timeoutMs: 20_000, runtime });
    const controlPlane = stack.use(await ExtensionControlPlane.listen(delta, plugin("one")));
    {
      const { sidecar, answers } = await start(folder, controlPlane, delta, registry.address);
      await using _ = sidecar;
      await answers(200, "one");
      controlPlane.push(plugin("two"));
      await answers(200, "two");
    }
    const asked = registry.requests.length;
    for (const path of registry.answers.keys()) registry.answers.set(path, status(503));
    const { sidecar, answers } = await start(folder, controlPlane, delta, registry.address);
    await using _ = sidecar;
    await answers(200, "two");
    assert.equal(registry.requests.length, asked);
    assert.deepEqual(controlPlane.refusals, []);
  });

  test("lets traffic pass or not until it can be had, as its failure policy says", async () => {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder()).path;
    const registry = stack.use(await startRegistry());
    const plugin = (failOpen: boolean): Uint8Array =>
      wasmExtension({ name, url: `${registry.address}/plugin:v1`, failOpen, timeoutMs: 20_000, runtime });
    const controlPlane = stack.use(await ExtensionControlPlane.listen(sotw, plugin(true)));
    const { sidecar, answers } = await start(folder, controlPlane, sotw, registry.address);
    await using _ = sidecar;
    await answers(200, undefined);
    controlPlane.push(plugin(false));
    await answers(403, undefined);
    const failures = sidecar.agent.lines.filter((line) => line.includes("Wasm module cannot be loaded"));
    assert.equal(failures.length, 2, sidecar.agent.lines.join("\n"));
    assert.match(failures[1] ?? "", /instead="traffic is denied"/);
    // Nobody says a word to the agent: it looks again by itself.
    registry.push("plugin", "v1", [await tarLayer({ "plugin.wasm": await headerPlugin("one") })]);
    await answers(200, "one");
    assert.deepEqual(controlPlane.refusals, []);
  });
});
