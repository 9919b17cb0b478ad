/** A sidecar whose Envoy runs a finished bootstrap: the cheapest subject for supervision. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ReloadReport } from "../../src/status/contract/reload-report.ts";
import { fetchHttp, type HttpResponse } from "../../src/net/http-client.ts";
import { freePorts } from "./free-ports.ts";
import { get, type SidecarChanges, TestMesh, type TestSidecar } from "./mesh.ts";
import { staticBootstrap, type StaticListener } from "./static-bootstrap.ts";

export interface StaticSidecar extends AsyncDisposable {
  readonly mesh: TestMesh;
  readonly sidecar: TestSidecar;
  /** Another agent in the same folder, once this one has ended. It is not waited for. */
  again(): Promise<TestSidecar>;
  readonly port: number;
  /** Replace the bootstrap; nothing is reloaded yet, but the agent may notice by itself. */
  write(bootstrap: string): void;
  /** The listener's bootstrap with another answer. */
  bootstrap(body: string, changes?: Partial<StaticListener>): string;
  /** Have the agent read its configuration. */
  reload(): Promise<ReloadReport>;
  call(): Promise<HttpResponse>;
  /** The answer of whoever serves. */
  answer(): Promise<string>;
  pid(): Promise<number>;
}

export async function startStaticSidecar(
  changes: SidecarChanges = {},
  listener: Partial<StaticListener> = {},
): Promise<StaticSidecar> {
  await using stack = new AsyncDisposableStack();
  const [port = 0] = await freePorts(1);
  const mesh = stack.use(await TestMesh.start({}));
  const path = join(mesh.folder, "bootstrap.json");
  const bootstrap = (body: string, more: Partial<StaticListener> = {}): string =>
    staticBootstrap([{ port, body, ...listener, ...more }]);
  writeFileSync(path, bootstrap("first"));
  const start = (): Promise<TestSidecar> =>
    mesh.sidecar("lone", {
      ...changes,
      flags: ["--parentShutdownDuration=2s", ...(changes.flags ?? [])],
      proxyConfig: { customConfigFile: path, drainDuration: "1s", ...changes.proxyConfig },
    });
  const sidecar = await start();
  await sidecar.ready();
  const owned = stack.move();
  return {
    mesh,
    sidecar,
    again: start,
    port,
    write: (text) => {
      writeFileSync(path, text);
    },
    bootstrap,
    reload: async () => {
      const { body } = await fetchHttp({
        target: { host: "127.0.0.1", port: sidecar.ports.status },
        method: "POST",
        url: "/reload",
        timeoutMs: 60_000,
      });
      return JSON.parse(body.toString("utf8")) as ReloadReport;
    },
    call: () => get(port, "/"),
    answer: async () => (await get(port, "/")).body.toString("utf8"),
    pid: async () => (await sidecar.report()).envoy.pid ?? 0,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
