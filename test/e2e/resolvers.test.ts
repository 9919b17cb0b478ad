/** The resolvers that applications bring along get right answers through the DNS proxy, however queries come to it. */
import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { hasProgram } from "../support/installed.ts";
import { inOwnNetwork, whyNoOwnNetwork } from "../support/own-network.ts";
import { buildResolvers, resolverTools } from "../support/resolvers.ts";
import type { ResolvingReport } from "../support/resolving-pod.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const api = ["10.96.7.2", "fd00:96::2"];
const both = ["2001:db8::7", "203.0.113.7"];

/** What is looked up, and what there is of it in both families. */
const expected: Readonly<Record<string, readonly string[]>> = {
  api,
  "api.demo": api,
  "API.demo.svc": api,
  "api.demo.svc.cluster.local": api,
  "api.demo.svc.cluster.local.": api,
  // It has no IPv6, which is not that there is no such name.
  old: ["10.96.7.3"],
  "one.wild.example": ["192.0.2.3"],
  "outside.example": ["192.0.2.4"],
  "both.example": both,
  "alias.example": both,
  "absent.example": ["!none"],
  "absent.demo.svc.cluster.local": ["!none"],
  "10.96.7.3": ["old.demo.svc.cluster.local"],
  "192.0.2.9": ["back.example"],
};

/** More than fits into an answer over UDP. */
const many = "many.example";

const places = {
  "captured over IPv4": ["127.0.0.1:15053"],
  "captured over IPv6": ["[::1]:15053"],
  "as the server of resolv.conf": ["0.0.0.0:53", "[::]:53"],
};

test("the resolvers of glibc, musl and Go, and dig, get what there is", async (t) => {
  const obstacle = whyNoOwnNetwork();
  if (obstacle !== undefined) {
    t.skip(obstacle);
    return;
  }
  if (!resolverTools.every((tool) => hasProgram(t, tool))) return;
  using folder = temporaryFolder();
  // Another user runs them.
  chmodSync(folder.path, 0o755);
  const { ways, unprivileged } = await inOwnNetwork<ResolvingReport>({
    sysctls: {},
    program: join(import.meta.dirname, "../support/resolving-pod.ts"),
    options: { programs: buildResolvers(folder.path), words: [...Object.keys(expected), many] },
  });
  for (const [way, resolved] of Object.entries(ways)) {
    assert.deepEqual(resolved.places, places[way as keyof typeof places], way);
    for (const [resolver, lines] of Object.entries(resolved.lines)) {
      const said = Object.fromEntries(
        lines.map((line) => {
          const [asked = "", ...found] = line.split(" ");
          return [asked, found.map((one) => one.replace(/(?<=\w)\.$/, "")).toSorted()];
        }),
      );
      const { [many]: longest = [], ...others } = said;
      assert.deepEqual(others, expected, `${resolver}, ${way}`);
      // musl takes what fits before release 1.2.4, and 48 addresses since.
      assert.ok(resolver === "musl" ? longest.length > 0 : longest.length === 60, `${resolver}, ${way}`);
      assert.equal(new Set(longest).size, longest.length);
      for (const address of longest) assert.match(address, /^198\.51\.100\.\d+$/);
    }
    // The first search domain below a name with dots is a CNAME to what was meant.
    const short = ["fd00:96::2", "api.demo.", "10.96.7.2", "203.0.113.7"];
    assert.deepEqual(resolved.dig, [short, short], way);
  }
  assert.deepEqual(unprivileged, ["127.0.0.1:15053"]);
});
