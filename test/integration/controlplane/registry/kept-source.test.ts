/** What a registry had outlives the control plane, without Secrets, and is served until the registry answers. */
import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { ConfigObject } from "../../../../src/controlplane/config/objects.ts";
import { KeptSource } from "../../../../src/controlplane/registry/kept-source.ts";
import { readKept } from "../../../../src/controlplane/registry/kept-state.ts";
import type { ConfigSource, SourceState } from "../../../../src/controlplane/registry/source.ts";
import { waitForSources } from "../../../../src/controlplane/registry/wait-for-sources.ts";
import { Watch } from "../../../../src/lifecycle/watch.ts";
import { eventually } from "../../../support/eventually.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { testLog } from "../../../support/test-log.ts";

const withinMs = 10_000;

const at = { name: "web", namespace: "demo", source: "a registry", line: 0 };
const entry: ConfigObject = {
  ...at,
  kind: "ServiceEntry",
  spec: { hosts: ["web"], ports: [{ number: 80, name: "http" }] },
};
const secret: ConfigObject = { ...at, kind: "Secret", spec: { data: { "tls.key": "a2V5" } } };
const gone = { source: "registry", line: 0, path: "", message: "does not answer" };

function registry(state: SourceState): ConfigSource & { readonly states: Watch<SourceState> } {
  return { name: "registry", states: new Watch(state) };
}

const read = (...objects: readonly ConfigObject[]): SourceState => ({ kind: "read", objects, problems: [] });
const broken: SourceState = { kind: "broken", problems: [gone] };

interface Place {
  readonly build?: string;
  readonly server?: string;
  readonly patienceMs?: number;
}

function open(
  source: ConfigSource,
  path: string,
  { build = "1", server = "https://a", patienceMs = 600_000 }: Place = {},
): KeptSource {
  const folder = { folder: path, build, log: testLog().log };
  return new KeptSource(source, {
    ...{ folder, server, patienceMs },
    state: readKept(folder, { name: source.name, server }),
  });
}

async function keep(folder: string, state: SourceState): Promise<void> {
  await using _ = open(registry(state), folder);
  await eventually("a file", () => statSync(join(folder, "registry.jsonl")), { withinMs });
}

describe("a registry that is kept", () => {
  test("is served while it does not answer, until it does", async () => {
    using temporary = temporaryFolder();
    const folder = join(temporary.path, "registries");
    await keep(folder, read(entry, secret));
    const path = join(folder, "registry.jsonl");
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.ok(!readFileSync(path, "utf8").includes("tls.key"), "keys are on no disk");
    const source = registry(broken);
    await using kept = open(source, folder);
    const { current } = kept.states;
    assert.ok(current.kind === "read");
    assert.deepEqual(current.objects, [entry]);
    assert.equal(current.problems[0], gone);
    assert.match(
      current.problems[1]?.message ?? "",
      /has not answered since.*what it had at \d{4}-.* is served/,
    );
    source.states.set(read());
    await eventually(
      "what it has now",
      () => {
        assert.deepEqual(kept.states.current, read());
      },
      { withinMs },
    );
    source.states.set(broken);
    await eventually(
      "what it has not",
      () => {
        assert.equal(kept.states.current, broken);
      },
      { withinMs },
    );
  });

  test("is waited for as long as nothing is wrong with it, and not for ever", async () => {
    using temporary = temporaryFolder();
    const folder = join(temporary.path, "registries");
    await keep(folder, read(entry));
    const silent: SourceState = { kind: "broken", problems: [] };
    const source = registry(silent);
    await using kept = open(source, folder);
    assert.equal(kept.states.current, silent);
    source.states.set(broken);
    await eventually("what was kept", () => assert.equal(kept.states.current.kind, "read"), { withinMs });
    await using late = open(registry(silent), folder, { patienceMs: 1 });
    await eventually("what was kept", () => assert.equal(late.states.current.kind, "read"), { withinMs });
  });

  test("is none where another build wrote it, or of another server, or it is not as it was written", async () => {
    using temporary = temporaryFolder();
    const folder = join(temporary.path, "registries");
    const kind = async (place?: Place): Promise<string> => {
      await using kept = open(registry(broken), folder, place);
      return kept.states.current.kind;
    };
    assert.equal(await kind(), "broken");
    await keep(folder, read(entry));
    assert.equal(await kind(), "read");
    assert.equal(await kind({ build: "2" }), "broken");
    assert.equal(await kind({ server: "https://b" }), "broken");
    const path = join(folder, "registry.jsonl");
    const text = readFileSync(path, "utf8");
    const changed = ['"ports":[null]', '"ports":5'].map((ports) => text.replace(/"ports":\[.*?\]/, ports));
    for (const bad of ["", "[]", "{}", text.slice(0, -3), ...changed]) {
      assert.notEqual(bad, text);
      writeFileSync(path, bad);
      assert.equal(await kind(), "broken", bad);
    }
  });

  test("is waited for where nothing is known of it, and each reason is told once", async () => {
    const { log, lines } = testLog();
    const source = registry(broken);
    const waited = waitForSources([registry(read(entry)), source], log, new AbortController().signal);
    await eventually(
      "a reason",
      () => {
        assert.equal(lines.length, 1);
      },
      { withinMs },
    );
    assert.match(lines[0] ?? "", /waits for a registry.*registry: does not answer/);
    source.states.set({ kind: "broken", problems: [gone] });
    source.states.set(read(entry));
    await waited;
    assert.equal(lines.length, 1);
    const stop = new AbortController();
    const stopped = waitForSources([registry(broken)], log, stop.signal);
    stop.abort();
    await stopped;
  });
});
