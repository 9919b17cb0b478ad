import { describe, test } from "node:test";
import { judgeCaches } from "../../../src/doctor/caches.ts";
import { expectFinding } from "../../support/findings.ts";

const now = new Date("2026-01-01T12:00:00.000Z");
const kept = { kind: "kept", at: new Date("2026-01-01T11:00:00.000Z") } as const;
const configuration = { ...kept, until: undefined };

describe("what is kept for a restart", () => {
  test("is told with its age and how long it is good for", () => {
    expectFinding(
      judgeCaches({ ...kept, until: new Date("2026-01-01T20:00:00.000Z") }, configuration, now),
      "ok",
      /a certificate of 1 h ago is kept for a restart, valid for 8 h; a configuration of 1 h ago is kept/,
    );
    expectFinding(
      judgeCaches(undefined, { kind: "nothing" }, now),
      "ok",
      /no certificate is to be kept.*yet/,
    );
  });

  test("is of no use once the certificate has expired, or where it cannot be read", () => {
    const over = { ...kept, until: new Date("2026-01-01T11:30:00.000Z") };
    expectFinding(judgeCaches(over, configuration, now), "warning", /expired 30 min ago/, /finding ca/);
    const unreadable = { kind: "unreadable", reason: "EACCES" } as const;
    expectFinding(judgeCaches(unreadable, configuration, now), "warning", /EACCES/, /agent's user/);
    const notTold = { kind: "not-told", reason: "EACCES" } as const;
    expectFinding(
      judgeCaches({ ...kept, until: new Date(now.getTime() + 1) }, notTold, now),
      "warning",
      /whether a configuration is kept cannot be told as this user.*EACCES/,
      /as its user/,
    );
  });
});
