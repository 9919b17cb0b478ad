import assert from "node:assert/strict";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { KubernetesVolume } from "../../support/kubernetes-volume.ts";
import { startLoad } from "../../support/load.ts";
import { serves } from "../../support/serves.ts";
import { TestPki, validity } from "../../support/test-pki.ts";
import { startWebAndApi } from "../../support/web-and-api.ts";

type Write = (files: Readonly<Record<string, string>>) => void;

/** Plain files in a folder, each renamed into place, key last. */
function folderOf(path: string): Write {
  mkdirSync(path, { recursive: true });
  return (files) => {
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(path, `${name}.new`), content);
      renameSync(join(path, `${name}.new`), join(path, name));
    }
  };
}

describe("GKE's workload certificates at one end, the files of Istio 1.5 at the other", () => {
  test("serve mutual TLS and rotate with no failed request", async () => {
    const pki = await TestPki.create();
    const writes: { web?: Write; api?: Write } = {};
    const rotate = async (): Promise<readonly [string, string]> => {
      const [web, api] = await Promise.all(
        ["web", "api"].map((name) =>
          pki.serverKeyPair([`spiffe://cluster.local/ns/demo/sa/${name}`], validity(-60_000, 3_600_000)),
        ),
      );
      assert.ok(web !== undefined && api !== undefined);
      writes.web?.({
        "certificates.pem": web.certificatePem,
        "private_key.pem": web.privateKeyPem,
        "ca_certificates.pem": pki.rootPem,
      });
      writes.api?.({
        "root-cert.pem": pki.rootPem,
        "cert-chain.pem": api.certificatePem,
        "key.pem": api.privateKeyPem,
      });
      return [web.certificatePem, api.certificatePem];
    };
    await using mesh = await startWebAndApi({
      web: {
        env: { CA_PROVIDER: "GkeWorkloadCertificate" },
        prepare: async (folder) => {
          const volume = new KubernetesVolume(join(folder, "var/run/secrets/workload-spiffe-credentials"));
          writes.web = (files) => {
            volume.write(files);
          };
          await rotate();
        },
      },
      api: {
        // The root beside the certificate would be taken for the control plane's, as in Istio.
        env: { XDS_ROOT_CA: "var/run/secrets/istio/root-cert.pem" },
        prepare: async (folder) => {
          writes.api = folderOf(join(folder, "etc/certs"));
          await rotate();
        },
      },
    });
    assert.equal((await mesh.call()).status, 200);
    await using load = startLoad(() => mesh.call());
    for (let rotations = 0; rotations < 2; rotations += 1) {
      const [web, api] = await rotate();
      await Promise.all([serves(mesh.web, web, 1), serves(mesh.api, api, 1)]);
      await load.more(10);
    }
    assert.deepEqual(await load.stop(), []);
    const sources = await Promise.all(
      [mesh.web, mesh.api].map(async (sidecar) => (await sidecar.report()).identity.source),
    );
    assert.match(
      sources.join("; "),
      /the file .*credentials\/certificates\.pem; the file .*etc\/certs\/cert-chain\.pem/,
    );
  });
});
