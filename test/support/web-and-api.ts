/** The mesh of most tests: web calls api through both Envoys. */
import { apiHost, egress, ingress, mutualTls, service } from "./mesh-objects.ts";
import { freePorts } from "./free-ports.ts";
import { type HttpApp, startApp } from "./http-app.ts";
import { get, type SidecarChanges, TestMesh, type TestSidecar } from "./mesh.ts";
import type { HttpResponse } from "../../src/net/http-client.ts";

export interface WebAndApi extends AsyncDisposable {
  readonly mesh: TestMesh;
  readonly web: TestSidecar;
  readonly api: TestSidecar;
  readonly app: HttpApp;
  readonly inboundPort: number;
  /** Where web's application calls others. */
  readonly outboundPort: number;
  /** A request of web's application to api. */
  call(path?: string): Promise<HttpResponse>;
}

export async function startWebAndApi(
  changes: {
    readonly web?: SidecarChanges;
    readonly api?: SidecarChanges;
    readonly flags?: readonly string[];
  } = {},
): Promise<WebAndApi> {
  await using stack = new AsyncDisposableStack();
  const [inboundPort = 0, outboundPort = 0] = await freePorts(2);
  const app = stack.use(await startApp("api"));
  const mesh = stack.use(
    await TestMesh.start(
      {
        "api.yaml": [service("api", [{ port: inboundPort }]), ingress("api", inboundPort, app.port)],
        "web.yaml": [egress("web", outboundPort)],
        "mtls.yaml": [mutualTls("STRICT")],
      },
      changes.flags,
    ),
  );
  const [web, api] = await Promise.all([mesh.sidecar("web", changes.web), mesh.sidecar("api", changes.api)]);
  await Promise.all([web.ready(), api.ready()]);
  const owned = stack.move();
  return {
    mesh,
    web,
    api,
    app,
    inboundPort,
    outboundPort,
    call: (path = "/") => get(outboundPort, path, { host: apiHost }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
