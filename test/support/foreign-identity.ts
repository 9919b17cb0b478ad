/** The mesh of most tests with certificates that are not its own: web's from mounted files, api's from a Workload API. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./temporary-folder.ts";
import { type TestPki, validity } from "./test-pki.ts";
import { startWebAndApi, type WebAndApi } from "./web-and-api.ts";
import { svid, TestWorkloadApi } from "./workload-api.ts";

const identityOf = (name: string): string => `spiffe://cluster.local/ns/demo/sa/${name}`;

export interface ForeignIdentity extends AsyncDisposable {
  readonly mesh: WebAndApi;
  /** Where web writes its certificate for applications. */
  readonly outputFolder: string;
  /** Give both a new certificate of `issuer`, and `roots` to trust. Returns the new serials' PEM by name. */
  rotate(issuer: TestPki, roots: readonly TestPki[]): Promise<{ readonly web: string; readonly api: string }>;
}

/** @param first signs the first certificates */
export async function startForeignIdentity(first: TestPki): Promise<ForeignIdentity> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder()).path;
  const files = {
    CERT_CHAIN: join(folder, "tls.crt"),
    KEY: join(folder, "tls.key"),
    ROOT_CERT: join(folder, "ca.crt"),
  };
  const outputFolder = join(folder, "output");
  mkdirSync(folder, { recursive: true });
  const socket = join(folder, "agent.sock");
  const api = stack.use(await TestWorkloadApi.listen(socket, []));
  const rotate: ForeignIdentity["rotate"] = async (issuer, roots) => {
    const pair = await issuer.serverKeyPair([identityOf("web")], validity(-60_000, 3_600_000));
    for (const [path, content] of [
      [files.ROOT_CERT, roots.map(({ rootPem }) => rootPem).join("\n")],
      [files.KEY, pair.privateKeyPem],
      [files.CERT_CHAIN, pair.certificatePem],
    ] as const) {
      writeFileSync(`${path}.new`, content);
      renameSync(`${path}.new`, path);
    }
    const apiPair = await issuer.serverKeyPair([identityOf("api")], validity(-60_000, 3_600_000));
    api.svids.set([
      svid(
        identityOf("api"),
        apiPair,
        roots.map(({ rootPem }) => rootPem),
      ),
    ]);
    return { web: pair.certificatePem, api: apiPair.certificatePem };
  };
  await rotate(first, [first]);
  const mesh = stack.use(
    await startWebAndApi({
      web: {
        env: {
          FILE_MOUNTED_CERTS: "true",
          OUTPUT_CERTS: outputFolder,
          ...Object.fromEntries(
            Object.entries(files).map(([name, path]) => [`ISTIO_META_TLS_CLIENT_${name}`, path]),
          ),
        },
      },
      api: { env: { SPIFFE_ENDPOINT_SOCKET: `unix://${socket}` } },
    }),
  );
  const owned = stack.move();
  return { mesh, outputFolder, rotate, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
