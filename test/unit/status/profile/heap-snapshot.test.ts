import assert from "node:assert/strict";
import { test } from "node:test";
import { array, assert as holds, asyncProperty, nat } from "fast-check";
import { withoutSecrets } from "../../../../src/status/profile/heap-snapshot.ts";

const secret = "hunter2-hunter2";
const texts = [
  "<dummy>",
  "plain",
  'with "quotes" and \\ and\nlines',
  `-----BEGIN PRIVATE KEY-----\n${"A".repeat(64)}\n-----END`,
  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAAAAAAAAAAAAAAAA",
  "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ3ZWIifQ.c2ln",
  `token=${secret}`,
  `é${"A".repeat(70)}`,
  "last",
];
const snapshot = `{"snapshot":{},"nodes":[${"1,2,3\n,".repeat(20)}4],"strings":[${texts
  .map((text) => JSON.stringify(text))
  .join(",")}]}`;

test("texts that may be secrets are left out of a snapshot, wherever its pieces are cut, and it stays JSON", async () => {
  await holds(
    asyncProperty(array(nat(snapshot.length), { maxLength: 12 }), async (cuts) => {
      const ends = [...cuts.toSorted((a, b) => a - b), snapshot.length];
      const pieces = ends.map((end, index) => snapshot.slice(ends[index - 1] ?? 0, end));
      let out = "";
      const redact = (line: string): string => line.replaceAll(secret, "…");
      for await (const piece of withoutSecrets(arrived(pieces), redact)) out += piece;
      const { strings } = JSON.parse(out) as { strings: readonly string[] };
      assert.deepEqual(
        strings,
        texts.map((text, index) => ([0, 1, 2, 8].includes(index) ? text : "redacted")),
      );
    }),
  );
});

async function* arrived(pieces: readonly string[]): AsyncGenerator<string> {
  for (const piece of pieces) yield await Promise.resolve(piece);
}
