import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { looked, type ProblemBook, problemsOf } from "../../../src/agent/problems/book.ts";
import { noLooks, type ProblemFacts } from "../../../src/agent/problems/facts.ts";
import { findProblems, silentAtMs } from "../../../src/agent/problems/find.ts";
import { peersSeen, untrustedPeers } from "../../../src/agent/problems/peers.ts";
import type { TlsCounts } from "../../../src/envoy/admin/tls-failures.ts";
import type { FoundProblem } from "../../../src/status/contract/problem.ts";

const at = new Date("2026-01-01T12:00:00.000Z");

const well: ProblemFacts = {
  identity: {},
  xds: { kind: "connected", address: "istiod:15012", sinceMs: 30_000, types: {}, refused: [] },
  configuration: { refused: [], odd: [] },
  refusedGeneration: undefined,
  lastExit: undefined,
  looks: noLooks,
  nowMs: 90_000,
};

const counts = (changes: Partial<TlsCounts>): TlsCounts => ({
  ...{ side: "cluster", name: "outbound|80||api", handshakes: 0, unverified: 0, wrongName: 0, missing: 0 },
  ...changes,
});

const inbound = (changes: Partial<TlsCounts>): TlsCounts =>
  counts({ side: "listener", name: "15006", ...changes });

/** The book after these looks, one every four seconds. */
function lookedAt(looks: readonly TlsCounts[]): ReturnType<typeof peersSeen> {
  let book: ReturnType<typeof peersSeen> = new Map();
  for (const [index, one] of looks.entries()) book = peersSeen(book, [one], index * 4_000);
  return book;
}

describe("findProblems()", () => {
  test("finds none where all is well", () => {
    assert.deepEqual(findProblems(well), []);
  });

  const throttling = { limit: 0.1, periods: 150, throttledPeriods: 144, throttledMs: 9_000 };
  const folder = { path: "/etc/istio/proxy", refusal: undefined, freeBytes: 2_048 };
  for (const [cause, changes, reason] of [
    [
      "identity-token-expired",
      { identity: { problem: { code: "TOKEN_EXPIRED", message: "the token expired" } } },
      /the token expired/,
    ],
    [
      "discovery-unresolved",
      { xds: { ...well.xds, kind: "disconnected", problem: "no such name", failure: "unresolved" } },
      /no such name/,
    ],
    ["discovery-silent", { xds: { ...well.xds, kind: "connecting" } }, /has not answered for 1 min/],
    ["xds-stale", { xds: { ...well.xds, kind: "stale", asOf: at } }, /from the cache.*2026-01-01T12:00/],
    ["names-stale", { namesAsOf: at }, /name table of 2026-01-01T12:00/],
    [
      "clock-skew",
      { identity: { clockSkew: { aheadMs: -900_000, source: "its certificate", provenAtMs: 30_000 } } },
      /900 s behind the CA's, by its certificate, 1 min ago/,
    ],
    [
      "xds-refused",
      {
        xds: {
          ...well.xds,
          refused: [
            {
              ...{ typeUrl: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration", name: "80" },
              ...{ reason: "bad regex", since: at, serves: "nothing", wasAccepted: false, isKept: false },
            },
          ],
        },
      },
      /Envoy refuses RouteConfiguration "80" \(bad regex\): nothing serves/,
    ],
    [
      "envoy-oom-kill",
      {
        lastExit: {
          ...{ reason: "oom_kill", message: "killed for memory", exitCode: 137, generation: 2 },
          at: { at: new Date(at.getTime() + 50_000), atMs: 80_000 },
        },
      },
      /Envoy \(generation 2\) ended 10 s ago: killed for memory/,
    ],
    ["configuration-refused", { configuration: { refused: ["mesh: bad"], odd: [] } }, /mesh: bad/],
    ["configuration-odd", { configuration: { refused: [], odd: ["X is ignored"] } }, /X is ignored/],
    ["generation-refused", { refusedGeneration: "no such field" }, /no such field/],
    [
      "cpu-throttled",
      {
        looks: { ...noLooks, throttling, throttled: { periods: 50, throttledPeriods: 48, share: 0.96 } },
      },
      /in 48 of 50 periods \(96 %\) their limit of 0\.1 CPUs/,
    ],
    ["disk-full", { looks: { ...noLooks, folders: [folder] } }, /\/etc\/istio\/proxy has 2 KiB left/],
    [
      "folder-unwritable",
      { looks: { ...noLooks, folders: [{ ...folder, refusal: "EROFS" }] } },
      /cannot be written: EROFS/,
    ],
    [
      "socket-removed",
      { looks: { ...noLooks, sockets: [{ path: "admin.sock", reason: undefined }] } },
      /removed the socket admin\.sock; the agent has given it back/,
    ],
    [
      "socket-lost",
      { looks: { ...noLooks, sockets: [{ path: "admin.sock", reason: "EACCES" }] } },
      /cannot be given back its name: EACCES/,
    ],
    [
      "not-ready-live",
      {
        looks: {
          ...noLooks,
          readiness: {
            ...{ ready: false, reason: "no" },
            conditions: [
              { name: "process", status: "holds", since: "" },
              { name: "live", status: "fails", since: "", reason: "Envoy is INITIALIZING" },
            ],
          },
        },
      },
      /Envoy is INITIALIZING/,
    ],
    [
      "upstream-untrusted",
      {
        looks: {
          ...noLooks,
          peers: peersSeen(new Map(), [counts({ unverified: 3 })], 0),
          described: new Map([
            [
              "outbound|80||api",
              {
                address: "10.0.0.7:8080",
                certificate: {
                  ...{ issuer: "O=other", names: "spiffe://other/ns/demo/sa/api", trustDomain: "other" },
                  ...{ notAfter: at, isSignedByOurRoots: false },
                },
              },
            ],
          ]),
        },
      },
      /outbound\|80\|\|api is not trusted.*3 handshakes; 10\.0\.0\.7:8080 shows.*trust domain other, issued by "O=other"/,
    ],
    [
      "client-untrusted",
      { looks: { ...noLooks, peers: lookedAt([1, 2, 3].map((unverified) => inbound({ unverified }))) } },
      /3 at listener 15006 \(unverified\)/,
    ],
    [
      "client-without-certificate",
      { looks: { ...noLooks, peers: lookedAt([1, 2, 3].map((missing) => inbound({ missing }))) } },
      /no certificate.*3 at listener 15006/,
    ],
  ] as const satisfies readonly (readonly [string, Partial<ProblemFacts>, RegExp])[]) {
    test(`${cause}, and nothing else`, () => {
      const found = findProblems({ ...well, ...changes });
      assert.deepEqual(
        found.map((one) => one.cause),
        [cause],
      );
      assert.match(found[0]?.reason ?? "", reason);
    });
  }

  test("a process at rest that is throttled once is no problem", () => {
    const throttled = { periods: 2, throttledPeriods: 2, share: 1 };
    assert.deepEqual(findProblems({ ...well, looks: { ...noLooks, throttling, throttled } }), []);
  });

  test("an Envoy that has died a while ago is a problem no more", () => {
    const died = { reason: "signal", message: "SIGSEGV", exitCode: 139, generation: 1 } as const;
    const found = (atMs: number) =>
      findProblems({ ...well, lastExit: { ...died, at: { at, atMs } } }).map(({ reason }) => reason);
    assert.deepEqual(found(well.nowMs - 61_000), []);
    assert.match(found(well.nowMs - 9_000).join(), /ended 9 s ago/);
  });

  test("a folder that cannot be written is not hidden by a full one before it, nor one by another", () => {
    const unwritable = { ...folder, path: "/var/run", refusal: "EROFS" };
    const folders = [folder, unwritable, { ...folder, path: "/dev/shm" }];
    assert.deepEqual(
      findProblems({ ...well, looks: { ...noLooks, folders } }).map(({ cause, reason }) => [cause, reason]),
      [
        ["folder-unwritable", "/var/run cannot be written: EROFS"],
        [
          "disk-full",
          "/etc/istio/proxy has 2 KiB left: Envoy's next bootstrap does not fit; /dev/shm has 2 KiB left: Envoy's next bootstrap does not fit",
        ],
      ],
    );
  });

  test("a discovery server that has been asked a moment ago is not silent", () => {
    assert.deepEqual(
      findProblems({ ...well, xds: { ...well.xds, kind: "connecting", sinceMs: well.nowMs } }),
      [],
    );
    const asked = { ...well.xds, kind: "connecting" } as const;
    const causes = (nowMs: number) => findProblems({ ...well, xds: asked, nowMs }).map(({ cause }) => cause);
    assert.deepEqual(causes(silentAtMs(asked) - 1), []);
    assert.deepEqual(causes(silentAtMs(asked)), ["discovery-silent"]);
    assert.equal(silentAtMs(well.xds), Infinity);
  });
});

describe("a peer", () => {
  const seen = (...looks: readonly TlsCounts[]): readonly (readonly [string, number])[] => {
    return untrustedPeers(lookedAt(looks)).map(({ why, failures }) => [why, failures]);
  };

  test("of a listener is no matter before three looks have found more of it: strangers come by, too", () => {
    for (const field of ["unverified", "wrongName", "missing"] as const) {
      const after = (...failures: readonly number[]): number =>
        seen(...failures.map((count) => inbound({ handshakes: 10, [field]: count }))).length;
      assert.equal(after(0, 1, 1, 1, 1), 0, field);
      assert.equal(after(0, 7, 9, 9), 0, field);
      assert.equal(after(0, 1, 1, 2, 2, 3), 1, field);
    }
  });

  test("that is refused is not hidden by a client without a certificate, nor kept by it", () => {
    const refused = [1, 2, 3].map((unverified) => inbound({ unverified, missing: unverified }));
    assert.deepEqual(seen(...refused, inbound({ unverified: 3, missing: 4 })), [
      ["unverified", 3],
      ["no certificate", 4],
    ]);
    assert.deepEqual(seen(...refused, inbound({ unverified: 3, missing: 4, handshakes: 1 })), [
      ["no certificate", 4],
    ]);
  });

  test("is untrusted from the first failure until a handshake succeeds and none fails", () => {
    assert.deepEqual(seen(counts({ handshakes: 9 })), []);
    assert.deepEqual(seen(counts({}), counts({ unverified: 2 }), counts({ unverified: 5 })), [
      ["unverified", 5],
    ]);
    // Nobody has tried since.
    assert.deepEqual(seen(counts({ unverified: 2 }), counts({ unverified: 2 })), [["unverified", 2]]);
    // One endpoint of several succeeds, another fails.
    assert.deepEqual(seen(counts({ wrongName: 2 }), counts({ wrongName: 3, handshakes: 4 })), [
      ["wrong name", 3],
    ]);
    assert.deepEqual(seen(counts({ unverified: 2 }), counts({ unverified: 2, handshakes: 1 })), []);
  });

  test("of an Envoy that has taken over counts from 0 on", () => {
    assert.deepEqual(seen(counts({ unverified: 7 }), counts({ unverified: 1 })), [["unverified", 8]]);
    assert.deepEqual(seen(counts({ handshakes: 7 }), counts({ handshakes: 1 })), []);
  });

  test("that nobody has called for ten minutes is a matter no more", () => {
    const first = peersSeen(new Map(), [counts({ unverified: 1 })], 0);
    assert.equal(untrustedPeers(peersSeen(first, [counts({ unverified: 1 })], 599_000)).length, 1);
    assert.equal(untrustedPeers(peersSeen(first, [counts({ unverified: 1 })], 601_000)).length, 0);
  });
});

describe("the book of problems", () => {
  const throttled: FoundProblem = { cause: "cpu-throttled", reason: "96 %", remedy: "more" };
  const told: FoundProblem = { cause: "identity-token-expired", reason: "old", isTold: true };
  const minutes = (count: number): number => count * 60_000;

  /** What the log hears of these looks. */
  function said(
    ...looks: readonly (readonly [atMs: number, found: readonly FoundProblem[]])[]
  ): readonly string[] {
    let book: ProblemBook = new Map();
    return looks.flatMap(([atMs, found]) => {
      const step = looked(book, found, { at: new Date(atMs), atMs });
      book = step.book;
      return step.news.map(({ kind, found: one, forMs }) => `${kind} ${one.cause} ${forMs / 60_000}`);
    });
  }

  test("tells the beginning, each ten minutes that it lasts, and the end", () => {
    assert.deepEqual(
      said(
        [0, [throttled]],
        [minutes(9), [throttled]],
        [minutes(10), [throttled]],
        [minutes(19), [throttled]],
        [minutes(20), [throttled]],
        [minutes(21), []],
      ),
      ["begins cpu-throttled 0", "lasts cpu-throttled 10", "lasts cpu-throttled 20", "over cpu-throttled 21"],
    );
  });

  test("leaves beginning and end to the part that tells them, and not that it lasts", () => {
    assert.deepEqual(said([0, [told]], [minutes(10), [told]], [minutes(11), []]), [
      "lasts identity-token-expired 10",
    ]);
  });

  test("has the newest words and the first time", () => {
    const at = (ms: number, setMs = 0) => ({ at: new Date(ms + setMs), atMs: ms });
    const first = looked(new Map(), [throttled], at(0)).book;
    const { book } = looked(first, [{ ...throttled, reason: "99 %" }], at(4_000));
    assert.deepEqual(problemsOf(book, at(8_000)), [
      { cause: "cpu-throttled", reason: "99 %", remedy: "more", since: "1970-01-01T00:00:00.000Z" },
    ]);
    const [afterSet] = problemsOf(book, at(8_000, 3_600_000));
    assert.equal(afterSet?.since, "1970-01-01T01:00:00.000Z", "eight seconds ago, as the clock is set now");
  });
});
