/** Two machines, as two network namespaces with a cable between them: what the control plane's page says to do. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { spawnChild } from "../../src/process/child.ts";
import { testEnvoy } from "../support/envoy.ts";
import { eventually } from "../support/eventually.ts";
import { runOutrider, type RunningOutrider, startOutrider } from "../support/outrider.ts";
import { hasRoot } from "../support/privilege.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const addresses = { first: "10.77.0.1", second: "10.77.0.2" } as const;

const withinMs = 60_000;

/** A network namespace for as long as a process lives, with loopback. */
async function machine(stack: AsyncDisposableStack): Promise<number> {
  const holder = spawnChild({
    file: "unshare",
    args: ["--net", "sh", "-c", "ip link set lo up; echo up; exec sleep infinity"],
    env: { PATH: process.env["PATH"] },
    stdout: () => {
      ready.resolve();
    },
    stderr: "ignore",
  });
  const ready = Promise.withResolvers<void>();
  stack.defer(async () => {
    holder.kill("SIGKILL");
    await holder.exited;
  });
  await ready.promise;
  return holder.pid ?? 0;
}

function on(pid: number): readonly string[] {
  return ["nsenter", `--target=${pid}`, "--net", "--"];
}

function run(words: readonly string[]): string {
  const [file = "", ...args] = words;
  return execFileSync(file, args, { encoding: "utf8", timeout: withinMs });
}

function cable(first: number, second: number): void {
  run([
    "ip",
    "link",
    "add",
    "wire0",
    "netns",
    String(first),
    "type",
    "veth",
    "peer",
    "wire0",
    "netns",
    String(second),
  ]);
  for (const [pid, address] of [
    [first, addresses.first],
    [second, addresses.second],
  ] as const) {
    run([...on(pid), "ip", "address", "add", `${address}/24`, "dev", "wire0"]);
    run([...on(pid), "ip", "link", "set", "wire0", "up"]);
  }
}

/** api is called on the first machine's address, web calls through a port of its own loopback. */
const mesh = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api, namespace: demo}
spec:
  hosts: [api.demo.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: ${addresses.first}, ports: {http: 18080}, serviceAccount: api}]
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: api, namespace: demo}
spec:
  workloadSelector: {labels: {app: api}}
  ingress: [{port: {number: 18080, name: http, protocol: HTTP}, bind: ${addresses.first}, captureMode: NONE, defaultEndpoint: "127.0.0.1:8081"}]
  egress: [{hosts: ["./*"]}]
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: web, namespace: demo}
spec:
  workloadSelector: {labels: {app: web}}
  egress: [{port: {number: 19080, name: http, protocol: HTTP}, bind: 127.0.0.1, captureMode: NONE, hosts: ["./*"]}]
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: demo}
spec: {mtls: {mode: STRICT}}
`;

const application = `require("http").createServer((q, r) => r.end(q.headers["x-forwarded-client-cert"] ?? "nobody")).listen(8081, "127.0.0.1")`;

const call = `require("http").get({ port: 19080, headers: { host: "api.demo.svc.cluster.local" } },
  (r) => { process.stdout.write(r.statusCode + " "); r.pipe(process.stdout); })
  .on("error", (error) => process.stdout.write(String(error)))`;

describe("a second machine", () => {
  test("joins with a token that was minted on the first, and calls it over mutual TLS", async (t) => {
    if (!hasRoot(t)) return;
    using folder = temporaryFolder();
    await using stack = new AsyncDisposableStack();
    const [first, second] = [await machine(stack), await machine(stack)];
    cable(first, second);
    const [state, config] = [join(folder.path, "state"), join(folder.path, "mesh")];
    mkdirSync(config);
    writeFileSync(join(config, "mesh.yaml"), mesh);
    const env = { ENVOY_PATH: await testEnvoy(), HOME: folder.path };

    const early = await runOutrider({ args: ["token", "--stateDir", state], env, withinMs });
    assert.deepEqual(early.exit, { kind: "exited", code: 64 });
    assert.match(early.output, /^--stateDir: no control plane has kept the key of its tokens in /);

    const plane = stack.use(
      startOutrider({
        launcher: on(first),
        args: ["discovery", "--configDir", config, "--stateDir", state, "--host", addresses.first],
        env,
      }),
    );
    await eventually("the control plane", () => assert.match(plane.lines.join("\n"), /control plane is up/), {
      withinMs,
    });

    const joined = async (name: "web" | "api", pid: number, address: string): Promise<RunningOutrider> => {
      const home = join(folder.path, name);
      for (const path of ["var/run/secrets/tokens", "var/run/secrets/istio", "etc/istio/pod"])
        mkdirSync(join(home, path), { recursive: true });
      writeFileSync(join(home, "etc/istio/pod/labels"), `app="${name}"\n`);
      const token = join(home, "var/run/secrets/tokens/istio-token");
      const flags = [
        "--namespace",
        "demo",
        "--serviceAccount",
        name,
        "--lifetime",
        "24h",
        "--stateDir",
        state,
      ];
      const minted = await runOutrider({ args: ["token", ...flags, "--output", token], env, withinMs });
      assert.deepEqual([minted.exit, minted.output], [{ kind: "exited", code: 0 }, ""]);
      assert.equal(statSync(token).mode & 0o777, 0o600);
      copyFileSync(join(state, "root-cert.pem"), join(home, "var/run/secrets/istio/root-cert.pem"));
      return stack.use(
        startOutrider({
          launcher: on(pid),
          args: ["proxy", "sidecar"],
          cwd: home,
          env: {
            ...env,
            POD_NAME: `${name}-1`,
            POD_NAMESPACE: "demo",
            SERVICE_ACCOUNT: name,
            INSTANCE_IP: address,
            ISTIO_META_INTERCEPTION_MODE: "NONE",
            ISTIOD_SAN: "istiod.istio-system.svc",
            PROXY_CONFIG: `{discoveryAddress: "${addresses.first}:15012", concurrency: 1, terminationDrainDuration: 1s}`,
          },
        }),
      );
    };
    const app = spawnChild({
      file: "nsenter",
      args: [...on(first).slice(1), process.execPath, "--eval", application],
      env: {},
      stdout: "ignore",
      stderr: "ignore",
    });
    stack.defer(async () => {
      app.kill("SIGKILL");
      await app.exited;
    });
    const api = await joined("api", first, addresses.first);
    const web = await joined("web", second, addresses.second);
    await eventually(
      "a call from the second machine",
      () => {
        const answer = run([...on(second), process.execPath, "--eval", call]);
        assert.match(
          answer,
          /^200 .*URI=spiffe:\/\/cluster\.local\/ns\/demo\/sa\/web/,
          [answer, ...api.lines, ...web.lines].join("\n"),
        );
      },
      { withinMs },
    );
  });
});
