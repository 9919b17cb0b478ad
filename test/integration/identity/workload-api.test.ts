import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { IdentityOptions } from "../../../src/identity/options.ts";
import { chainsToRoot } from "../../../src/pki/certificate.ts";
import { splitPem } from "../../../src/pki/pem.ts";
import { TestCa } from "../../support/ca.ts";
import { eventually } from "../../support/eventually.ts";
import { identityOptions, webIdentity } from "../../support/identity-options.ts";
import { runManager } from "../../support/running-manager.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { TestPki, validity } from "../../support/test-pki.ts";
import { type Svid, svid, TestWorkloadApi } from "../../support/workload-api.ts";

interface Spiffe extends AsyncDisposable {
  readonly options: IdentityOptions;
  readonly path: string;
  readonly pki: TestPki;
  issue(spiffeId?: string): Promise<Svid>;
}

async function spiffe(): Promise<Spiffe> {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder());
  const ca = stack.use(await TestCa.listen());
  const path = join(folder.path, "agent.sock");
  return {
    options: identityOptions(folder.path, ca, {
      source: { kind: "workload-api", target: `unix:${path}` },
    }),
    path,
    pki: ca.pki,
    issue: async (spiffeId = webIdentity) =>
      svid(spiffeId, await ca.pki.serverKeyPair([spiffeId], validity(-60_000, 3_600_000)), [ca.pki.rootPem]),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe("a certificate from a SPIFFE Workload API", () => {
  test("is the first SVID, and each one that follows on the same stream", async () => {
    await using given = await spiffe();
    const other = await given.issue("spiffe://cluster.local/ns/demo/sa/other");
    await using api = await TestWorkloadApi.listen(given.path, [await given.issue(), other]);
    await using running = runManager(given.options);
    const first = await running.secret();
    assert.equal(first.spiffeId, webIdentity);
    assert.equal(first.rootPem, given.pki.rootPem.trim());
    assert.equal(running.manager.state.current.source, `the Workload API unix:${given.path}`);

    api.svids.set([await given.issue()]);
    await running.secret(({ serial }) => serial !== first.serial);
    assert.equal(api.streams, 1);
    assert.equal(api.rejected, 0);
    assert.doesNotMatch(running.lines.join("\n"), /PRIVATE KEY/);
  });

  test("brings its intermediates and every root of its bundle, old and new", async () => {
    await using given = await spiffe();
    const intermediate = await given.pki.intermediate();
    const next = await TestPki.create();
    const pair = await intermediate.serverKeyPair([webIdentity], validity(-60_000, 3_600_000));
    const roots = [given.pki.rootPem, next.rootPem];
    await using _api = await TestWorkloadApi.listen(given.path, [
      svid(webIdentity, pair, roots, [intermediate.rootPem]),
    ]);
    await using running = runManager(given.options);
    const { certificateChainPem, rootPem } = await running.secret();
    const [leaf = "", ...others] = splitPem(certificateChainPem);
    assert.ok(chainsToRoot(leaf, others, splitPem(rootPem)));
    assert.equal(
      rootPem,
      roots
        .map((pem) => pem.trim())
        .toSorted()
        .join("\n"),
    );
  });

  test("outlives its server, and is followed again over a new stream once that is back", async () => {
    await using given = await spiffe();
    await using api = await TestWorkloadApi.listen(given.path, [await given.issue()]);
    await using running = runManager(given.options);
    const first = await running.secret();
    await api[Symbol.asyncDispose]();
    assert.match(await running.problem("WORKLOAD_API_UNAVAILABLE"), /SPIFFE_ENDPOINT_SOCKET/);
    assert.equal(running.manager.state.current.secret?.serial, first.serial);

    await using _again = await TestWorkloadApi.listen(given.path, [await given.issue()]);
    await running.secret(({ serial }) => serial !== first.serial);
  });

  test("is no longer used once it is taken back", async () => {
    await using given = await spiffe();
    await using api = await TestWorkloadApi.listen(given.path, [await given.issue()]);
    await using running = runManager(given.options);
    await running.secret();
    api.svids.set([]);
    assert.match(
      await running.problem("WORKLOAD_API_DENIED"),
      /PERMISSION_DENIED: no identity issued. Register/,
    );
    assert.equal(running.manager.state.current.secret, undefined);
    api.svids.set([await given.issue()]);
    await running.secret();
  });

  test("an answer with an empty mandatory field is reported and discarded", async () => {
    await using given = await spiffe();
    const whole = await given.issue();
    await using api = await TestWorkloadApi.listen(given.path, [whole]);
    await using running = runManager(given.options);
    const { serial } = await running.secret();
    for (const [changes, message] of [
      [{ spiffeId: "" }, /empty: spiffe_id/],
      [{ x509SvidKey: new Uint8Array() }, /empty: x509_svid_key/],
      [{ bundle: new Uint8Array() }, /empty: bundle/],
      [{ x509Svid: Buffer.from("3082", "hex") }, /the DER/],
      [{ spiffeId: "spiffe://cluster.local/else" }, /its certificate is for spiffe:\/\/cluster.local\/ns/],
    ] as const) {
      api.svids.set([{ ...whole, ...changes }]);
      await eventually(
        String(message),
        () => assert.match(running.manager.state.current.problem?.message ?? "", message),
        { withinMs: 5_000 },
      );
      assert.equal(running.manager.state.current.secret?.serial, serial);
    }
    api.svids.set([whole]);
    await eventually("good again", () => assert.equal(running.manager.state.current.problem, undefined), {
      withinMs: 5_000,
    });
  });

  test("is not taken with a bundle whose trust domain is none, or its own", async () => {
    await using given = await spiffe();
    await using api = await TestWorkloadApi.listen(given.path, [await given.issue()]);
    await using running = runManager(given.options);
    const { serial } = await running.secret();
    for (const [id, reason] of [
      ["other.org", /other\.org is no SPIFFE ID of a trust domain/],
      ["spiffe://cluster.local", /a federated bundle is for cluster\.local itself/],
    ] as const) {
      api.federatedBundles = { [id]: new X509Certificate(given.pki.rootPem).raw };
      api.svids.set([await given.issue()]);
      await eventually(
        "the reason",
        () => assert.match(running.manager.state.current.problem?.message ?? "", reason),
        { withinMs: 5_000 },
      );
    }
    assert.equal(running.manager.state.current.secret?.serial, serial);
  });

  test("of another trust domain than TRUST_DOMAIN is taken, said once, and followed into the next", async () => {
    await using given = await spiffe();
    await using api = await TestWorkloadApi.listen(given.path, [
      await given.issue("spiffe://example.org/web"),
    ]);
    await using running = runManager(given.options);
    const first = await running.secret();
    assert.equal(first.spiffeId, "spiffe://example.org/web");
    const { askedTrustDomain, trustDomains } = running.manager.state.current;
    assert.equal(askedTrustDomain, "cluster.local");
    assert.deepEqual(trustDomains, ["example.org", "cluster.local"]);

    api.svids.set([await given.issue("spiffe://example.org/web")]);
    await running.secret(({ serial }) => serial !== first.serial);
    api.svids.set([await given.issue("spiffe://next.org/web")]);
    await running.secret(({ spiffeId }) => spiffeId === "spiffe://next.org/web");
    assert.deepEqual(running.manager.state.current.trustDomains, [
      "next.org",
      "example.org",
      "cluster.local",
    ]);
    const warnings = running.lines.filter((line) => line.includes("trust domain is not the configured one"));
    assert.equal(warnings.length, 2, warnings.join("\n"));
  });

  test("that is no SPIFFE ID is refused", async () => {
    await using given = await spiffe();
    await using _api = await TestWorkloadApi.listen(given.path, [
      await given.issue("https://example.org/web"),
    ]);
    await using running = runManager(given.options);
    assert.match(await running.problem("WORKLOAD_API_INVALID"), /is no SPIFFE ID/);
  });
});
