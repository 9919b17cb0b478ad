import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answeredAt, happened, judgeClock } from "../../../src/doctor/clock.ts";
import { judgeEndpoint } from "../../../src/doctor/control-plane.ts";
import { judgeResolution, parseResolvConf } from "../../../src/doctor/dns.ts";
import type { EndpointAnswer } from "../../../src/doctor/endpoint.ts";
import { judgeRoots, type RootFacts } from "../../../src/doctor/root-certificate.ts";
import { judgeToken } from "../../../src/doctor/token.ts";
import type { TokenClaims } from "../../../src/identity/token.ts";
import { expectFinding } from "../../support/findings.ts";

const now = new Date("2026-01-02T03:04:05Z");
const at = (offsetMs: number): Date => new Date(now.getTime() + offsetMs);
const hour = 3_600_000;
const day = 24 * hour;

describe("token", () => {
  const expected = { path: "./token", namespace: "demo", serviceAccount: "web", google: undefined };
  const good: TokenClaims = {
    iat: at(-hour),
    exp: at(hour),
    audiences: ["istio-ca"],
    subject: "system:serviceaccount:demo:web",
  };
  const judge = (changes: Partial<TokenClaims>) =>
    judgeToken({ kind: "jwt", claims: { ...good, ...changes }, writtenAt: now }, expected, now);

  test("a fresh one is well, and its age is told", () => {
    expectFinding(judge({}), "ok", /expires in 1 h, at 2026-01-02T04:04:05\.000Z; 50% of its life/);
  });

  test("80% of its life is an alarm: the kubelet should have replaced it", () => {
    expectFinding(judge({ iat: at(-4 * hour), exp: at(hour) }), "warning", /80% of its life/, /kubelet/);
    expectFinding(judge({ iat: at(-3.99 * hour), exp: at(1.01 * hour) }), "ok", /80% of its life/);
  });

  test("expired, not yet valid, for another account: each fails", () => {
    expectFinding(judge({ exp: at(-90_000) }), "failure", /expired 1 min 30 s ago/, /kubelet/);
    expectFinding(judge({ exp: now }), "failure", /expired 0 s ago/, /kubelet/);
    expectFinding(judge({ nbf: at(5_000) }), "failure", /not valid before.*5 s from now/, /clocks/);
    expectFinding(
      judge({ subject: "system:serviceaccount:demo:other" }),
      "failure",
      /is for system:serviceaccount:demo:other.*say system:serviceaccount:demo:web/,
      /correct the variables/,
    );
  });

  test("a subject of another kind, and an account that is not told, are left alone", () => {
    expectFinding(judge({ subject: "vm-17" }), "ok", /expires/);
    const claims = { ...good, subject: "system:serviceaccount:a:b" };
    const untold = { path: "./token", namespace: "", serviceAccount: "", google: undefined };
    expectFinding(judgeToken({ kind: "jwt", claims, writtenAt: now }, untold, now), "ok", /expires/);
  });

  test("one that the agent fetches from Google's metadata server is missed by nobody", () => {
    const google = { host: "169.254.169.254", port: 80, audience: "demo.svc.id.goog" };
    const unreadable = { kind: "unreadable", reason: "ENOENT" } as const;
    expectFinding(
      judgeToken(unreadable, { ...expected, google }, now),
      "ok",
      /fetch it from the metadata server/,
    );
    const claims = { ...good, audiences: [google.audience] };
    expectFinding(
      judgeToken({ kind: "jwt", claims, writtenAt: now }, { ...expected, google }, now),
      "ok",
      /expires/,
    );
  });

  test("another audience may be right", () => {
    expectFinding(judge({ audiences: ["api"] }), "warning", /audience api, not istio-ca/, /projected/);
    expectFinding(judge({ audiences: [] }), "warning", /no audience/, /projected/);
    expectFinding(judge({ audiences: ["api", "istio-ca"] }), "ok", /expires/);
  });

  test("no file, an empty one, an opaque token, one without times", () => {
    expectFinding(
      judgeToken({ kind: "unreadable", reason: "ENOENT" }, expected, now),
      "failure",
      /ENOENT/,
      /mount/,
    );
    expectFinding(judgeToken({ kind: "empty" }, expected, now), "failure", /is empty/, /mount/);
    expectFinding(judgeToken({ kind: "opaque" }, expected, now), "ok", /age is unknown/);
    const claims = { audiences: ["istio-ca"] };
    expectFinding(judgeToken({ kind: "jwt", claims, writtenAt: now }, expected, now), "ok", /never expires/);
  });
});

describe("root certificate", () => {
  const root: RootFacts = {
    subject: "O=mesh",
    notBefore: at(-day),
    notAfter: at(100 * day),
    isAuthority: true,
  };
  const judge = (...roots: readonly RootFacts[]) =>
    judgeRoots("root.pem", "CA_ROOT_CA", { kind: "roots", roots }, now);

  test("one that is valid for long is well", () => {
    expectFinding(judge(root), "ok", /root\.pem: O=mesh is valid until .*100 d/);
  });

  test("an old one beside a new one does no harm, alone it fails", () => {
    const old = { ...root, subject: "O=old", notAfter: at(-1) };
    expectFinding(judge(old, root), "ok", /O=old expired at/);
    expectFinding(judge(old), "failure", /O=old expired at/, /CA_ROOT_CA.*clocks/);
  });

  test("not yet valid, soon over, no authority", () => {
    expectFinding(judge({ ...root, notBefore: at(1) }), "failure", /not valid before/, /clocks/);
    expectFinding(judge({ ...root, notAfter: at(29 * day) }), "warning", /29 d/, /rotate/);
    expectFinding(
      judge({ ...root, isAuthority: false }),
      "warning",
      /none is a certificate of an authority/,
      /mount/,
    );
  });

  test("no file, no certificate, the system's", () => {
    expectFinding(
      judgeRoots("root.pem", "CA_ROOT_CA", { kind: "unreadable", reason: "ENOENT" }, now),
      "failure",
      /ENOENT/,
      /istio-ca-root-cert.*CA_ROOT_CA/,
    );
    expectFinding(judge(), "failure", /no PEM certificate/, /istio-ca-root-cert/);
    expectFinding(judgeRoots("SYSTEM", "CA_ROOT_CA", { kind: "system" }, now), "ok", /operating system/);
  });
});

describe("names", () => {
  const config = parseResolvConf(
    "# made by hand\nsearch a.example\nnameserver 10.0.0.1 ; first\nsearch demo.svc svc\noptions edns0 ndots:5\n",
  );

  test("resolv.conf is read as the resolver does", () => {
    assert.deepEqual(config, { nameservers: ["10.0.0.1"], search: ["demo.svc", "svc"], ndots: 5 });
    assert.deepEqual(parseResolvConf(""), { nameservers: [], search: [], ndots: 1 });
  });

  test("what came of a name", () => {
    const judge = (resolution: Parameters<typeof judgeResolution>[2]) =>
      judgeResolution("istiod", "CA_ADDR", resolution, config);
    expectFinding(
      judge({ kind: "resolved", addresses: ["10.1.1.1", "fd00::1"], tookMs: 3 }),
      "ok",
      /^istiod is 10\.1\.1\.1, fd00::1, after 3 ms$/,
    );
    expectFinding(
      judge({ kind: "resolved", addresses: ["10.1.1.1"], tookMs: 1_500 }),
      "warning",
      /after 1500 ms \(nameservers 10\.0\.0\.1; search demo\.svc svc; ndots 5\)/,
      /nameserver that does not answer/,
    );
    expectFinding(
      judge({ kind: "failed", code: "ENOTFOUND", tookMs: 3 }),
      "failure",
      /ENOTFOUND/,
      /no such name/,
    );
    expectFinding(
      judge({ kind: "failed", code: "EAI_AGAIN", tookMs: 3 }),
      "failure",
      /EAI_AGAIN/,
      /does not answer/,
    );
    expectFinding(judge({ kind: "silent", tookMs: 3_000 }), "failure", /within 3000 ms/, /reachable/);
    expectFinding(judge({ kind: "silent", tookMs: 90 }), "warning", /only 90 ms were left/, /too busy/);
  });
});

describe("control plane", () => {
  const server = {
    name: "the CA",
    address: "istiod:15012",
    tls: { rootCertificatePath: "root.pem" },
    rootSetting: "CA_ROOT_CA",
    addressSetting: "CA_ADDR",
  };
  const asked = { name: "ca", server, service: "certificate service", tokenPath: "./token" };
  const certificate = { subject: "DNS:istiod", notBefore: at(-hour), notAfter: at(2 * hour) };
  const answer = (status: number | undefined, message = ""): EndpointAnswer => ({
    kind: "answered",
    status,
    message,
    httpStatus: 200,
    body: Buffer.alloc(0),
    askedAt: now,
    answeredAt: now,
    certificate,
    tookMs: 9,
  });
  const failed = (cause: string): EndpointAnswer => ({
    kind: "failed",
    step: "TLS handshake",
    cause,
    certificate,
    tookMs: 9,
  });

  // What came back, verdict, what is said, what is advised.
  const cases: readonly (readonly [string, EndpointAnswer, "ok" | "warning" | "failure", RegExp, RegExp?])[] =
    [
      [
        "it complains about the empty request",
        answer(3),
        "ok",
        /answered after 9 ms.*verifies.*2 h.*accepts the token/,
      ],
      ["it takes the empty stream", answer(0), "ok", /accepts the token/],
      [
        "it refuses the token",
        answer(16, "expired"),
        "failure",
        /not accept the token \.\/token: expired/,
        /audience/,
      ],
      ["it is another gRPC server", answer(12), "failure", /has no certificate service/, /CA_ADDR/],
      ["it is no gRPC server", answer(undefined), "failure", /HTTP 200, but no gRPC/, /CA_ADDR/],
      ["it is on its way down", answer(14), "failure", /not available/, /log/],
      [
        "another root",
        failed("unable to verify the first certificate"),
        "failure",
        /root\.pem/,
        /CA_ROOT_CA/,
      ],
      [
        "another name",
        failed("does not match certificate's altnames"),
        "failure",
        /another name/,
        /ISTIOD_SAN/,
      ],
      ["an old certificate", failed("certificate has expired"), "failure", /not valid now/, /clocks/],
      [
        "nobody listens",
        {
          kind: "failed",
          step: "connect",
          cause: "connect ECONNREFUSED 10.0.0.1:1",
          certificate: undefined,
          tookMs: 1,
        },
        "failure",
        /cannot be reached: connect ECONNREFUSED 10\.0\.0\.1:1 \(connect, after 1 ms\)/,
        /Check CA_ADDR/,
      ],
      [
        "packets are dropped",
        { kind: "silent", step: "connect", certificate: undefined, tookMs: 3_000 },
        "failure",
        /did not answer within 3000 ms \(connect\)/,
        /NetworkPolicy/,
      ],
      [
        "a busy machine has left no time to ask",
        { kind: "silent", step: "connect", certificate: undefined, tookMs: 90 },
        "warning",
        /only 90 ms were left to ask it \(connect\)/,
        /too busy/,
      ],
      [
        "it takes the connection only",
        { kind: "silent", step: "TLS handshake", certificate: undefined, tookMs: 3_000 },
        "failure",
        /TLS handshake/,
        /something else/,
      ],
    ];
  for (const [what, came, verdict, seen, remedy] of cases) {
    test(`${what}: ${verdict}`, () => {
      expectFinding(judgeEndpoint(asked, came, now), verdict, seen, remedy);
    });
  }

  test("without a token a refusal still shows that it is there", () => {
    const bare = { ...asked, tokenPath: undefined };
    expectFinding(judgeEndpoint(bare, answer(16), now), "ok", /no token was there to present/);
  });

  test("a certificate in its last hour is not renewed as it should", () => {
    const late = { ...answer(0), certificate: { ...certificate, notAfter: at(hour) } };
    expectFinding(judgeEndpoint(asked, late, now), "warning", /valid for 1 h/, /renew/);
  });
});

describe("clock", () => {
  const certificate = (aheadMs: number) => happened("the certificate", at(aheadMs), now);

  test("nothing to compare with, or nothing that is later, is well", () => {
    expectFinding(judgeClock([]), "ok", /nothing to compare/);
    expectFinding(judgeClock([certificate(-hour), certificate(4_000)]), "ok", /not behind the certificate/);
  });

  test("what has happened already shows that the clock is behind", () => {
    expectFinding(
      judgeClock([certificate(30_000)]),
      "warning",
      /behind by at least 30 s, by the certificate/,
      /NTP/,
    );
    expectFinding(
      judgeClock([certificate(-1), certificate(hour)]),
      "failure",
      /behind by at least 1 h/,
      /NTP/,
    );
  });

  test("a date bounds the difference from both sides", () => {
    const asked = now;
    const answered = at(200);
    const dated = (offsetMs: number) => answeredAt("the answer", at(offsetMs), asked, answered);
    expectFinding(judgeClock([dated(0)]), "ok", /ahead by -1\.0 s to 0\.2 s, by the answer/);
    expectFinding(judgeClock([dated(-60_000)]), "warning", /ahead by at least 59 s/, /NTP/);
    expectFinding(judgeClock([dated(10 * 60_000)]), "failure", /behind by at least 10 min/, /NTP/);
  });
});
