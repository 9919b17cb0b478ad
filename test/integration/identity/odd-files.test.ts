/** What stands where a file is expected: nothing of it may hold the agent, or fill its memory. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { readClientCertificate, readServerTrust, RootFileError } from "../../../src/grpc/server-trust.ts";
import { outputCerts } from "../../../src/identity/output-certs.ts";
import { kubelet, readToken } from "../../../src/identity/token.ts";
import { watchToken } from "../../../src/identity/token-watch.ts";
import { Watch } from "../../../src/lifecycle/watch.ts";
import { readSystemRoots } from "../../../src/pki/system-roots.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { TestCa } from "../../support/ca.ts";
import { eventually } from "../../support/eventually.ts";
import { identityOptions } from "../../support/identity-options.ts";
import { runManager } from "../../support/running-manager.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { testLog } from "../../support/test-log.ts";

const odd: readonly (readonly [string, (path: string) => void])[] = [
  ["a FIFO", (path) => execFileSync("mkfifo", [path])],
  ["a device without an end", (path) => symlinkSync("/dev/zero", path)],
  ["a terminal", (path) => symlinkSync("/dev/tty", path)],
  ["a folder", (path) => symlinkSync("/", path)],
  ["a link to itself", (path) => symlinkSync(path, path)],
  [
    "more than anybody needs",
    (path) => {
      writeFileSync(path, "");
      truncateSync(path, 20 * 2 ** 30);
    },
  ],
];

const metrics = (): Metrics => new Metrics("istio_agent_");

for (const [what, lay] of odd) {
  describe(`${what} in place of`, () => {
    test("a token, a root, a client's certificate: each is read as none", () => {
      using folder = temporaryFolder();
      const path = join(folder.path, "odd");
      lay(path);
      assert.throws(() => readToken(path, new Date()), { code: "TOKEN_MISSING" });
      const server = {
        name: "the CA",
        address: "ca:1",
        rootSetting: "CA_ROOT_CA",
        addressSetting: "CA_ADDR",
      };
      const tls = { rootCertificatePath: path, serverName: undefined };
      assert.throws(() => readServerTrust({ ...server, tls }), RootFileError);
      const files = { certificateChainPath: path, privateKeyPath: path };
      assert.equal(readClientCertificate(files, new Date()), undefined);
      assert.equal(readSystemRoots([path]), undefined);
    });

    test("the token under watch, the mounted certificate: both are told, and come when they are files", async () => {
      using folder = temporaryFolder();
      await using ca = await TestCa.listen();
      const path = join(folder.path, "odd");
      lay(path);
      const pair = await ca.pki.serverKeyPair(["spiffe://cluster.local/ns/demo/sa/web"], {
        notBefore: new Date(Date.now() - 60_000),
        notAfter: new Date(Date.now() + 3_600_000),
      });
      const files = {
        certificateChainPath: path,
        privateKeyPath: join(folder.path, "key.pem"),
        rootCertificatePath: join(folder.path, "root.pem"),
      };
      writeFileSync(files.privateKeyPath, pair.privateKeyPem);
      writeFileSync(files.rootCertificatePath, ca.pki.rootPem);
      const options = identityOptions(folder.path, ca, { source: { kind: "files", files } });
      await using running = runManager(options);
      assert.match(await running.problem("FILES_MISSING"), /odd cannot be read/);
      const stop = new AbortController();
      const deps = { log: testLog().log, metrics: metrics(), now: () => new Date() };
      const watching = watchToken(
        path,
        kubelet,
        { ...deps, trustBundles: new Watch<readonly string[]>([]) },
        stop.signal,
      );
      rmSync(path);
      writeFileSync(path, pair.certificatePem);
      await running.secret();
      stop.abort();
      await watching;
    });

    test("a file of OUTPUT_CERTS: it is replaced, and nothing is written into it", async () => {
      using folder = temporaryFolder();
      await using ca = await TestCa.listen();
      const out = temporaryFolder();
      using _out = out;
      lay(join(out.path, "key.pem"));
      await using running = runManager(identityOptions(folder.path, ca));
      const secret = await running.secret();
      const stop = new AbortController();
      const { log, lines } = testLog();
      const options = { folder: out.path, mode: 0o600, onRotate: undefined };
      const writing = outputCerts(options, running.manager.state, { log, metrics: metrics() }, stop.signal);
      await eventually("written", () => assert.match(lines.join("\n"), /certificate written/), {
        withinMs: 5_000,
      });
      stop.abort();
      await writing;
      assert.equal(readToken(join(out.path, "key.pem"), new Date()), secret.privateKeyPem.trim());
    });
  });
}
