/**
 * A sidecar that captures: iptables hands it every connection to a port of its pod, declared or not.
 *
 * Run in a network namespace of its own, it starts the control plane and the sidecar, and prints who got through to an
 * application that nothing declares.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { HttpServer } from "../../src/net/http-server.ts";
import { eventually } from "./eventually.ts";
import { get, startMs, TestMesh } from "./mesh.ts";
import { mutualTls } from "./mesh-objects.ts";
import { answerAsProgram } from "./namespaced-program.ts";

/** Port of an application that no object of the mesh names. */
export const undeclaredPort = 7_777;

/** The path that the injector puts in place of the application's. */
const probePath = "/app-health/api/readyz";

/** The answer to a request, or `closed`. */
type Answer = string;

/** Of a call in plain text and one in mutual TLS, by the mode of the namespace. */
export interface CaptureReport {
  readonly strict: readonly [plain: Answer, mutualTls: Answer];
  readonly permissive: readonly [plain: Answer, mutualTls: Answer];
  readonly disabled: readonly [plain: Answer];
  /** Of the kubelet's probe through the agent, while plain text is refused. */
  readonly probe: Answer;
}

async function live(): Promise<CaptureReport> {
  await using mesh = await TestMesh.start({ "mtls.yaml": [mutualTls("STRICT")] });
  await using _app = await HttpServer.listen({ host: "127.0.0.1", port: undeclaredPort }, (_, response) => {
    response.end("application");
  });
  const sidecar = await mesh.sidecar("api", {
    env: {
      ISTIO_META_INTERCEPTION_MODE: "REDIRECT",
      OUTPUT_CERTS: join(mesh.folder, "certificates"),
      ISTIO_KUBE_APP_PROBERS: JSON.stringify({
        [probePath]: { httpGet: { path: "/ready", port: undeclaredPort }, timeoutSeconds: 10 },
      }),
    },
  });
  await sidecar.ready();
  const certificate = (name: string): string => readFileSync(join(mesh.folder, "certificates", name), "utf8");
  const inMutualTls = (): Promise<Answer> =>
    callInTls({ key: certificate("key.pem"), cert: certificate("cert-chain.pem"), ca: mesh.rootPem });
  const strict = [await inPlainText(), await inMutualTls()] as const;
  const probe = (await get(sidecar.ports.status, probePath)).body.toString("utf8");
  mesh.write("mtls.yaml", mutualTls("PERMISSIVE"));
  await eventually("plain text", async () => expect(await inPlainText(), "application"), {
    withinMs: startMs,
  });
  const permissive = [await inPlainText(), await inMutualTls()] as const;
  mesh.write("mtls.yaml", mutualTls("STRICT"));
  await eventually("no plain text", async () => expect(await inPlainText(), "closed"), { withinMs: startMs });
  mesh.write("mtls.yaml", mutualTls("DISABLE"));
  await eventually("plain text", async () => expect(await inPlainText(), "application"), {
    withinMs: startMs,
  });
  return { strict, permissive, disabled: [await inPlainText()], probe };
}

function expect(answer: Answer, wanted: Answer): void {
  if (answer !== wanted) throw new Error(`the answer is ${answer}`);
}

async function inPlainText(): Promise<Answer> {
  try {
    return (await get(undeclaredPort, "/")).body.toString("utf8");
  } catch {
    return "closed";
  }
}

/** As another sidecar calls: with its certificate, and Istio's ALPN. */
function callInTls(identity: {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connect({
      host: "127.0.0.1",
      port: undeclaredPort,
      ...identity,
      ALPNProtocols: ["istio"],
      // A SPIFFE ID is no host name; the chain is checked.
      checkServerIdentity: () => undefined,
      timeout: startMs,
    });
    let answer = "";
    socket.on("data", (chunk) => (answer += chunk.toString("utf8")));
    socket.on("error", () => {
      resolve("closed");
    });
    socket.on("timeout", () => {
      socket.destroy();
    });
    socket.on("close", () => {
      resolve(answer.endsWith("application") ? "application" : "closed");
    });
    socket.on("secureConnect", () => {
      socket.write("GET / HTTP/1.1\r\nhost: api\r\nconnection: close\r\n\r\n");
    });
  });
}

if (import.meta.main) await answerAsProgram(live);
