import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { judgeDnsCapture, type SeenDnsCapture } from "../../../src/doctor/dns-capture.ts";
import { expectFinding } from "../../support/findings.ts";

const answered = (id: string) => ({ kind: "answered", id }) as const;
const failed = { kind: "failed", message: "nobody answered" } as const;
const asked = (udp: SeenDnsCapture["proxy"]["answer"], tcp = udp, host = "10.96.0.10") => [
  { ...{ host, port: 53 }, protocol: "udp", answer: udp } as const,
  { ...{ host, port: 53 }, protocol: "tcp", answer: tcp } as const,
];
const ours = answered("outrider 1");
const seen: SeenDnsCapture = {
  proxy: { host: "127.0.0.1", port: 15_053, answer: ours },
  servers: asked(ours),
  isCaptured: true,
};

describe("judgeDnsCapture()", () => {
  test("finds queries that come to the DNS proxy", () => {
    expectFinding(judgeDnsCapture(seen), "ok", /10\.96\.0\.10:53 \(UDP, TCP\) come to .* 127\.0\.0\.1:15053/);
  });

  for (const [what, changes, words, remedy] of [
    [
      "over TCP alone",
      { servers: asked(ours, failed) },
      /10\.96\.0\.10:53 \(TCP\) do not .*nobody/,
      /--redirect-dns/,
    ],
    [
      "to the second server",
      { servers: [...asked(ours), ...asked(answered(""), answered("outrider 2"), "10.96.0.11")] },
      /to 10\.96\.0\.11:53 \(UDP, TCP\) do not .*another server answers/,
      /--redirect-dns/,
    ],
    [
      "where nothing is captured",
      { servers: asked(answered("")), isCaptured: false },
      /do not come/,
      /DNS_PROXY_ADDR=:53.*INTERCEPTION_MODE=REDIRECT/,
    ],
    ["where no server is named", { servers: [] }, /names no server/, /name a server/],
    [
      "where the DNS proxy itself is silent",
      { proxy: { ...seen.proxy, answer: failed } },
      /does not answer at 127\.0\.0\.1:15053: nobody answered/,
      /DNS_PROXY_ADDR/,
    ],
  ] as const)
    test(`says which queries go astray, and what to do: ${what}`, () => {
      expectFinding(judgeDnsCapture({ ...seen, ...changes }), "warning", words, remedy);
    });

  test("says nothing against rules that leave the proxy's own queries alone", () => {
    const finding = judgeDnsCapture({ ...seen, servers: asked(failed), proxyUser: 1_337 });
    expectFinding(finding, "ok", /not to be seen as user 1337/);
    assert.equal(finding.name, "capture-dns");
  });
});
