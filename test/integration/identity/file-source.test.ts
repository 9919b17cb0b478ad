import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { IdentityFiles, IdentityOptions } from "../../../src/identity/options.ts";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { TestCa } from "../../support/ca.ts";
import { identityOptions, webIdentity } from "../../support/identity-options.ts";
import { KubernetesVolume } from "../../support/kubernetes-volume.ts";
import { runManager } from "../../support/running-manager.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { type IssuedKeyPair, TestPki, validity } from "../../support/test-pki.ts";

interface Mounted extends AsyncDisposable {
  readonly options: IdentityOptions;
  readonly pki: TestPki;
  readonly files: IdentityFiles;
  issue(startMs?: number, endMs?: number): Promise<IssuedKeyPair>;
  write(pair: IssuedKeyPair): void;
}

async function mounted(): Promise<Mounted> {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder());
  const ca = stack.use(await TestCa.listen());
  const certificates = join(folder.path, "certs");
  mkdirSync(certificates);
  const files = {
    certificateChainPath: join(certificates, "cert-chain.pem"),
    privateKeyPath: join(certificates, "key.pem"),
    rootCertificatePath: join(certificates, "root-cert.pem"),
  };
  return {
    options: identityOptions(folder.path, ca, { source: { kind: "files", files } }),
    pki: ca.pki,
    files,
    issue: (startMs = -60_000, endMs = 3_600_000) =>
      ca.pki.serverKeyPair([webIdentity], validity(startMs, endMs)),
    write: (pair) => {
      writeFileSync(files.rootCertificatePath, ca.pki.rootPem);
      writeFileSync(files.certificateChainPath, pair.certificatePem);
      writeFileSync(files.privateKeyPath, pair.privateKeyPem);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe("a certificate in mounted files", () => {
  test("is served, with its key and root, and no CA is asked", async () => {
    await using mount = await mounted();
    const pair = await mount.issue();
    mount.write(pair);
    await using running = runManager(mount.options);
    const secret = await running.secret();
    assert.equal(secret.spiffeId, webIdentity);
    assert.equal(secret.privateKeyPem, pair.privateKeyPem);
    assert.equal(secret.rootPem, mount.pki.rootPem.trim());
    assert.equal(running.manager.state.current.source, `the file ${mount.files.certificateChainPath}`);
    const metrics = await running.metrics.render();
    assert.match(metrics, /^istio_agent_num_file_secret_failures_total 0$/m);
    assert.match(metrics, /^istio_agent_num_file_watcher_failures_total 0$/m);
    assert.doesNotMatch(running.lines.join("\n"), /PRIVATE KEY/);
  });

  test("is seen at each swap of a Kubernetes volume, again and again", async () => {
    await using mount = await mounted();
    const folder = join(mount.files.certificateChainPath, "..", "volume");
    const volume = new KubernetesVolume(folder);
    const write = ({ certificatePem, privateKeyPem }: IssuedKeyPair): void => {
      volume.write({
        "cert-chain.pem": certificatePem,
        "key.pem": privateKeyPem,
        "root-cert.pem": mount.pki.rootPem,
      });
    };
    write(await mount.issue());
    const files = {
      certificateChainPath: join(folder, "cert-chain.pem"),
      privateKeyPath: join(folder, "key.pem"),
      rootCertificatePath: join(folder, "root-cert.pem"),
    };
    await using running = runManager({ ...mount.options, source: { kind: "files", files } });
    await running.secret();

    for (let revision = 1; revision <= 5; revision += 1) {
      const pair = await mount.issue();
      write(pair);
      await running.secret(({ privateKeyPem }) => privateKeyPem === pair.privateKeyPem);
    }
    assert.doesNotMatch(running.lines.join("\n"), /no new workload certificate/);
  });

  test("is seen when files are renamed over, key last, and the old pair serves while they do not fit", async () => {
    await using mount = await mounted();
    const first = await mount.issue();
    mount.write(first);
    await using running = runManager(mount.options);
    await running.secret();

    const second = await mount.issue();
    const { certificateChainPath, privateKeyPath } = mount.files;
    writeFileSync(`${certificateChainPath}.new`, second.certificatePem);
    renameSync(`${certificateChainPath}.new`, certificateChainPath);
    assert.match(await running.problem("CERTIFICATE_INVALID"), /key and its certificate are not a pair/);
    assert.equal(running.manager.state.current.secret?.privateKeyPem, first.privateKeyPem);
    assert.match(await running.metrics.render(), /^istio_agent_num_file_secret_failures_total [1-9]/m);

    writeFileSync(`${privateKeyPath}.new`, second.privateKeyPem);
    renameSync(`${privateKeyPath}.new`, privateKeyPath);
    await running.secret(({ privateKeyPem }) => privateKeyPem === second.privateKeyPem);
    assert.equal(running.manager.state.current.problem, undefined);
  });

  test("is still served after its files are gone, and the next one once they are back", async () => {
    await using mount = await mounted();
    const first = await mount.issue();
    mount.write(first);
    await using running = runManager(mount.options);
    await running.secret();

    rmSync(mount.files.privateKeyPath);
    assert.match(await running.problem("FILES_MISSING"), /key\.pem cannot be read: ENOENT.*Mount the key/);
    assert.equal(running.manager.state.current.secret?.privateKeyPem, first.privateKeyPem);

    const second = await mount.issue();
    mount.write(second);
    await running.secret(({ privateKeyPem }) => privateKeyPem === second.privateKeyPem);
  });

  test("is not replaced by an expired one", async () => {
    await using mount = await mounted();
    const good = await mount.issue();
    mount.write(good);
    await using running = runManager(mount.options);
    await running.secret();
    mount.write(await mount.issue(-3_600_000, -60_000));
    assert.match(await running.problem("CERTIFICATE_INVALID"), /it expired at/);
    assert.equal(running.manager.state.current.secret?.privateKeyPem, good.privateKeyPem);
  });

  test("is held until it is valid", async () => {
    await using mount = await mounted();
    mount.write(await mount.issue(2_500, 3_600_000));
    await using running = runManager(mount.options);
    assert.match(await running.problem("CERTIFICATE_NOT_YET_VALID"), /held until then/);
    assert.equal(running.manager.state.current.secret, undefined);
    assert.ok((await running.secret()).notBefore <= new Date());
  });

  test("is complained of when it expires and nobody has replaced it", async () => {
    await using mount = await mounted();
    mount.write(await mount.issue(-60_000, 2_000));
    await using running = runManager(mount.options);
    await running.secret();
    assert.match(await running.problem("CERTIFICATE_INVALID"), /has not been replaced/);
  });

  test("waits for files that come later, and takes what can be read of the roots", async () => {
    await using mount = await mounted();
    await using running = runManager(mount.options);
    await running.problem("FILES_MISSING");
    mount.write(await mount.issue());
    const other = await TestPki.create();
    writeFileSync(
      mount.files.rootCertificatePath,
      `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n${other.rootPem}\n${mount.pki.rootPem}`,
    );
    const expected = [other.rootPem, mount.pki.rootPem].map((pem) => pem.trim()).toSorted();
    const { rootPem } = await running.secret(({ rootPem: pem }) => pem.includes(other.rootPem.trim()));
    assert.equal(rootPem, expected.join("\n"));
  });
});

describe("trust bundles of the mesh", () => {
  test("are merged with the source's root, sorted, each once, and pushed without a new certificate", async () => {
    await using mount = await mounted();
    mount.write(await mount.issue());
    await using running = runManager(mount.options);
    const before = await running.secret();
    const other = await TestPki.create();

    running.trustBundles.set([`${other.rootPem}\n${mount.pki.rootPem}`]);

    const both = [other.rootPem, mount.pki.rootPem].map((pem) => pem.trim()).toSorted();
    const after = await running.secret(({ rootPem }) => rootPem === both.join("\n"));
    assert.equal(after.serial, before.serial);
    running.trustBundles.set([]);
    await running.secret(({ rootPem }) => rootPem === before.rootPem);
    await sleep(300);
    assert.equal(running.lines.filter((line) => line.includes("workload certificate issued")).length, 1);
  });
});
