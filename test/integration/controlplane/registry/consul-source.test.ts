/** Whatever Consul does, what it had last is served, and it is asked no more than it has to be. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ConsulSource } from "../../../../src/controlplane/registry/consul/consul-source.ts";
import type { ConsulTarget } from "../../../../src/controlplane/registry/consul/blocking-query.ts";
import { measureSources } from "../../../../src/controlplane/registry/source-health.ts";
import type { SourceState } from "../../../../src/controlplane/registry/source.ts";
import { Metrics } from "../../../../src/telemetry/metrics.ts";
import { eventually } from "../../../support/eventually.ts";
import {
  nodesWith,
  type ScriptedAnswer,
  type ScriptedConsul,
  startScriptedConsul,
} from "../../../support/scripted-consul.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { testLog } from "../../../support/test-log.ts";
import { TestPki, validity } from "../../../support/test-pki.ts";

const withinMs = 20_000;

interface Followed extends AsyncDisposable {
  readonly consul: ScriptedConsul;
  readonly source: ConsulSource;
  readonly metrics: Metrics;
}

async function follow(first: ScriptedAnswer, target: Partial<ConsulTarget> = {}): Promise<Followed> {
  await using stack = new AsyncDisposableStack();
  const consul = stack.use(await startScriptedConsul(first));
  const metrics = new Metrics("pilot_");
  const source = stack.use(await ConsulSource.open({ url: consul.url, ...target }, { log: testLog().log }));
  measureSources(metrics, [source]);
  const owned = stack.move();
  return { consul, source, metrics, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function hosts(state: SourceState): readonly string[] {
  assert.equal(state.kind, "read");
  return state.objects.flatMap((object) => (object.kind === "ServiceEntry" ? object.spec.hosts : []));
}

async function shows({ source }: Pick<Followed, "source">, ...names: readonly string[]): Promise<void> {
  const wanted = names.map((name) => `${name}.service.consul`);
  await eventually("these services", () => assert.deepEqual(hosts(source.states.current), wanted), {
    withinMs,
  });
}

/** Resolves with why Consul is said to be broken. */
function breaks({ source }: Followed, reason: RegExp): Promise<string> {
  return eventually(
    "a broken registry",
    () => {
      const { kind, problems } = source.states.current;
      assert.equal(kind, "broken");
      const message = problems[0]?.message ?? "";
      assert.match(message, reason);
      return message;
    },
    { withinMs },
  );
}

describe("Consul as a source", () => {
  test("is asked once for each change, however many services there are", async () => {
    const many = Array.from({ length: 300 }, (_, at) => `service-${String(at).padStart(3, "0")}`);
    await using followed = await follow({ index: 7, body: nodesWith(...many) });
    const { consul } = followed;
    await shows(followed, ...many);
    const entry = followed.source.states.current;
    assert.ok(entry.kind === "read" && entry.objects[0]?.kind === "ServiceEntry");
    assert.equal(entry.objects[0].spec.endpoints?.[0]?.locality, "dc9");
    await eventually("the next question", () => assert.equal(consul.questions.length, 2), { withinMs });
    consul.answer({ index: 8, body: nodesWith(...many, "zebra") });
    await shows(followed, ...many, "zebra");
    await eventually("a question for what is newer", () => assert.equal(consul.questions.length, 3), {
      withinMs,
    });
    assert.deepEqual(consul.questions, ["0 -", "7 -", "8 -"]);
  });

  test("is asked from the beginning when its index goes backwards", async () => {
    await using followed = await follow({ index: 90, body: nodesWith("web") });
    const { consul } = followed;
    await eventually("the next question", () => assert.equal(consul.questions.length, 2), { withinMs });
    consul.answer({ index: 3, body: nodesWith("api", "web") });
    await shows(followed, "api", "web");
    await eventually("a question for what is newer", () => assert.equal(consul.questions.at(-1), "3 -"), {
      withinMs,
    });
    assert.deepEqual(consul.questions.slice(0, 3), ["0 -", "90 -", "0 -"]);
  });

  test("keeps what it had when it has begun anew and not everybody has told of himself again", async () => {
    await using followed = await follow({ index: 90, body: nodesWith("api", "web") });
    const { consul } = followed;
    for (const names of [[], ["web"]]) {
      consul.answer({ index: 3, body: nodesWith(...names) });
      await breaks(followed, /has begun anew and shows less than before/);
    }
    consul.answer({ index: 9, body: nodesWith("api", "web", "zebra") });
    await shows(followed, "api", "web", "zebra");
    // From now on it counts by this: what is gone is gone.
    consul.answer({ index: 10, body: nodesWith("web") });
    await shows(followed, "web");
  });

  test("keeps what it had whatever is answered, tells why, and is well again", async () => {
    const well: ScriptedAnswer = { index: 5, body: nodesWith("web") };
    const wrong: readonly (readonly [RegExp, ScriptedAnswer])[] = [
      [
        /status 403, "ACL not found"\): put one into --consulTokenFile/,
        { status: 403, body: "ACL not found\n" },
      ],
      [/has no leader\. Look at its servers/, { status: 500, body: "No cluster leader" }],
      // What a server that has just started has is nothing, until it hears of a leader.
      [
        /what it answers may be of any age/,
        { index: 9, headers: { "x-consul-knownleader": "false" }, body: "[]" },
      ],
      [
        /shows less than before/,
        { index: 9, headers: { "x-consul-results-filtered-by-acls": "true" }, body: "[]" },
      ],
      [/without an X-Consul-Index/, { headers: { "x-consul-index": "many" }, body: "[]" }],
      [/what is not JSON/, { index: 9, body: "<html>" }],
      [/nested more than 32 levels/, { index: 9, body: "[".repeat(1_000) }],
      [/no list of nodes/, { index: 9, body: '{"Node": "n1"}' }],
      [/status 502, "bad gateway"\. Look at its log/, { status: 502, body: "bad gateway" }],
    ];
    const live = async ([reason, answer]: (typeof wrong)[number]): Promise<void> => {
      await using followed = await follow(well);
      const { consul, metrics } = followed;
      consul.answer(answer);
      const message = await breaks(followed, reason);
      assert.match(message, /What it had at \d{4}-\S+Z is served$/);
      assert.match(await metrics.render(), /pilot_registry_up\{registry="consul"\} 0/);
      consul.answer(well);
      await shows(followed, "web");
      const text = await metrics.render();
      assert.match(text, /pilot_registry_up\{registry="consul"\} 1/);
      assert.match(text, /pilot_registry_age_seconds\{registry="consul"\} 0/);
      assert.match(text, /pilot_registry_failures_total\{registry="consul"\} [1-9]/);
    };
    await Promise.all(wrong.map(live));
  });

  test("shows less when its token has shown only a part all along", async () => {
    const headers = { "x-consul-results-filtered-by-acls": "true" };
    await using followed = await follow({ index: 5, headers, body: nodesWith("api", "web") });
    followed.consul.answer({ index: 6, headers, body: nodesWith("web") });
    await shows(followed, "web");
  });

  test("starts broken where nobody answers, and reads what is there once somebody does", async () => {
    const consul = await startScriptedConsul({ body: nodesWith("web") });
    await consul[Symbol.asyncDispose]();
    const context = { log: testLog().log };
    await using source = await ConsulSource.open({ url: consul.url }, context);
    const { kind, problems } = source.states.current;
    assert.equal(kind, "broken");
    assert.match(problems[0]?.message ?? "", /ECONNREFUSED.*Look at its agent, and at --consulserverURL$/);
  });

  test("is asked with the newest token", async () => {
    using folder = temporaryFolder();
    const tokenFile = join(folder.path, "token");
    writeFileSync(tokenFile, "first\n");
    await using followed = await follow({ index: 5, body: nodesWith("web") }, { tokenFile });
    const { consul } = followed;
    await eventually("the next question", () => assert.equal(consul.questions.length, 2), { withinMs });
    writeFileSync(tokenFile, "second\n");
    consul.answer({ index: 6, body: nodesWith("web") });
    await eventually("the new token", () => assert.equal(consul.questions.at(-1), "6 second"), { withinMs });
    assert.equal(consul.questions[0], "0 first");
  });

  test("is known by its certificate over TLS", async () => {
    using folder = temporaryFolder();
    const [pki, other] = [await TestPki.create(), await TestPki.create()];
    const pair = await pki.serverKeyPair(["127.0.0.1"], validity(-60_000, 3_600_000));
    await using consul = await startScriptedConsul({ body: nodesWith("web") }, pair);
    const open = (root: string): Promise<ConsulSource> => {
      const caFile = join(folder.path, "ca.pem");
      writeFileSync(caFile, root);
      const context = { log: testLog().log };
      return ConsulSource.open({ url: consul.url, caFile }, context);
    };
    await using trusted = await open(pki.rootPem);
    assert.deepEqual(hosts(trusted.states.current), ["web.service.consul"]);
    await using stranger = await open(other.rootPem);
    assert.equal(stranger.states.current.kind, "broken");
  });
});
