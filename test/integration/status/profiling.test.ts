/** Profiles of the agent on its status port, as Go's tools take them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { fetchHttp, type HttpResponse } from "../../../src/net/http-client.ts";
import { servedRoutes } from "../../../src/agent/status-routes.ts";
import type { Profiling } from "../../../src/status/profile/profiling.ts";
import { listenForStatus } from "../../../src/status/server.ts";
import { Redactor } from "../../../src/telemetry/redactor.ts";
import { statusParts } from "../../support/status-parts.ts";
import { testLog } from "../../support/test-log.ts";
import { patience } from "../../support/patience.ts";

async function withStatus(
  profiling: boolean,
  run: (get: (url: string, method?: string) => Promise<HttpResponse>) => Promise<void>,
): Promise<void> {
  await using server = await listenForStatus(
    { host: "127.0.0.1", port: 0, metricsLocalOnly: false },
    servedRoutes({ profiling }),
    statusParts(),
    { log: testLog().log, redactor: new Redactor() },
  );
  await run((url, method = "GET") =>
    fetchHttp({ target: { host: "127.0.0.1", port: server.port }, method, url, timeoutMs: patience(60_000) }),
  );
}

/** The strings of a pprof profile: its field 6. */
function stringsOf(profile: Uint8Array): readonly string[] {
  const reader = new BinaryReader(profile);
  const strings: string[] = [];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 6) strings.push(reader.string());
    else reader.skip(wireType, field);
  }
  return strings;
}

function burnProcessorTime(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;) JSON.stringify({ ms });
}

describe("/debug/pprof/", () => {
  test("profile tells what the process was busy with", async () => {
    await withStatus(true, async (get) => {
      const answered = new AbortController();
      const asked = get("/debug/pprof/profile?seconds=0.5").finally(() => {
        answered.abort();
      });
      while (!answered.signal.aborted) {
        burnProcessorTime(20);
        await setImmediate();
      }
      const { status, headers, body } = await asked;
      assert.equal(status, 200);
      assert.equal(headers["content-type"], "application/octet-stream");
      const strings = stringsOf(gunzipSync(body));
      for (const text of ["cpu", "nanoseconds", "burnProcessorTime", import.meta.filename]) {
        assert.ok(
          strings.some((candidate) => candidate.endsWith(text)),
          `${text} is not in ${strings.join(" ")}`,
        );
      }
    });
  });

  test("one profile is taken at a time, and none of nonsense", async () => {
    await withStatus(true, async (get) => {
      const answers = await Promise.all([1, 2].map(() => get("/debug/pprof/profile?seconds=0.5")));
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200, 503]));
      for (const seconds of ["-1", "0", "1e9", "soon"]) {
        assert.equal((await get(`/debug/pprof/profile?seconds=${seconds}`)).status, 400, seconds);
      }
    });
  });

  test("the rest of it is there as far as Node.js has it", async () => {
    await withStatus(true, async (get) => {
      assert.match((await get("/debug/pprof/")).body.toString("utf8"), /go tool pprof/);
      const words = (await get("/debug/pprof/cmdline")).body.toString("utf8").split("\0");
      assert.equal(words[0], process.execPath);
      assert.match((await get("/debug/pprof/symbol")).body.toString("utf8"), /^num_symbols: /);
      assert.equal((await get("/debug/pprof/trace")).status, 404);
      assert.equal((await get("/debug/pprof")).status, 404);
    });
  });

  test("nothing of it is there with --profiling=false", async () => {
    await withStatus(false, async (get) => {
      assert.equal((await get("/debug/pprof/")).status, 404);
      assert.equal((await get("/debug/pprof/profile?seconds=1")).status, 404);
    });
  });
});

describe("profiles in V8's own form", () => {
  test("are processor time by function", async () => {
    await withStatus(true, async (get) => {
      const { status, body, headers } = await get("/debug/cpuprofile?seconds=0.2");
      assert.equal(status, 200);
      assert.match(String(headers["content-disposition"]), /outrider\.cpuprofile/);
      const profile = JSON.parse(body.toString("utf8")) as { nodes: readonly object[] };
      assert.ok(profile.nodes.length > 1);
      assert.equal((await get("/debug/cpuprofile?seconds=0")).status, 400);
    });
  });

  test("are what the heap holds, without keys and tokens", async () => {
    const { privateKey } = generateKeyPairSync("ec", {
      namedCurve: "P-256",
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    const held = {
      key: privateKey,
      lines: privateKey.split("\n"),
      token: "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ3ZWIifQ.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZw",
      plain: "what-a-snapshot-is-taken-for",
    };
    await withStatus(true, async (get) => {
      const { status, body } = await get("/debug/heapsnapshot");
      assert.equal(status, 200);
      const text = body.toString("utf8");
      const { strings } = JSON.parse(text) as { strings: readonly string[] };
      assert.ok(strings.includes(held.plain));
      for (const line of [...held.lines.filter((one) => one.length > 30), held.token])
        assert.ok(!text.includes(line), line.slice(0, 20));
    });
  });

  test("are of one heap at a time, until it has been read or nobody reads it", async (context) => {
    const { profiling } = statusParts();
    const taken = await profiling.heapSnapshot();
    assert.ok(taken.kind === "stream");
    assert.deepEqual(await statusOfNext(profiling), 503);
    const closed = once(taken.body, "close");
    await buffer(taken.body);
    await closed;

    context.mock.timers.enable({ apis: ["setTimeout"] });
    const forgotten = await profiling.heapSnapshot();
    assert.ok(forgotten.kind === "stream");
    assert.deepEqual(await statusOfNext(profiling), 503);
    context.mock.timers.tick(300_000);
    assert.ok(forgotten.body.destroyed);
    await once(forgotten.body, "close");

    const last = await profiling.heapSnapshot();
    assert.ok(last.kind === "stream");
    last.body.destroy();
  });
});

/** 0 for a profile. */
async function statusOfNext(profiling: Profiling): Promise<number> {
  const answer = await profiling.heapSnapshot();
  if (answer.kind === "text") return answer.status;
  if (answer.kind === "stream") answer.body.destroy();
  return 0;
}
