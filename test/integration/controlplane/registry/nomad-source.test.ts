/** Whatever Nomad does, what it had last is served. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { NomadTarget } from "../../../../src/controlplane/registry/nomad/nomad-api.ts";
import { NomadSource } from "../../../../src/controlplane/registry/nomad/nomad-source.ts";
import type { SourceState } from "../../../../src/controlplane/registry/source.ts";
import { eventually } from "../../../support/eventually.ts";
import { ScriptedNomad } from "../../../support/scripted-nomad.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { testLog } from "../../../support/test-log.ts";
import { TestPki, validity } from "../../../support/test-pki.ts";

const withinMs = { withinMs: 20_000 };

interface Followed extends AsyncDisposable {
  readonly nomad: ScriptedNomad;
  readonly source: NomadSource;
}

async function follow(
  before: (nomad: ScriptedNomad) => void = () => undefined,
  target: Partial<NomadTarget> = {},
): Promise<Followed> {
  await using stack = new AsyncDisposableStack();
  const nomad = stack.use(await ScriptedNomad.start());
  before(nomad);
  const source = stack.use(
    await NomadSource.open(
      { url: nomad.url, namespace: "*", ...target },
      { log: testLog().log, checksEveryMs: 50 },
    ),
  );
  const owned = stack.move();
  return { nomad, source, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** `host:port endpoint,…` of each service. */
function told(state: SourceState): readonly string[] {
  assert.equal(state.kind, "read");
  return state.objects.flatMap((object) => {
    if (object.kind !== "ServiceEntry") return [];
    const { hosts, ports, endpoints = [] } = object.spec;
    const at = endpoints.map(({ address, ports: own }) => `${address}:${Object.values(own ?? {}).join()}`);
    return [`${hosts.join()}:${ports.map(({ number }) => number).join()} ${at.join()}`];
  });
}

async function shows({ source }: Pick<Followed, "source">, ...services: readonly string[]): Promise<void> {
  await eventually("these services", () => assert.deepEqual(told(source.states.current), services), withinMs);
}

/** Resolves with why Nomad is said to be broken. */
function breaks({ source }: Pick<Followed, "source">, reason: RegExp): Promise<string> {
  return eventually(
    "a broken registry",
    () => {
      const { kind, problems } = source.states.current;
      assert.equal(kind, "broken");
      const message = problems[0]?.message ?? "";
      assert.match(message, reason);
      return message;
    },
    withinMs,
  );
}

const web = { Tags: ["port=80", "protocol=http"] };

describe("services of Nomad", () => {
  test("are there at the start, and come and go by events", async () => {
    await using followed = await follow((nomad) => nomad.register("web", web));
    const { nomad } = followed;
    assert.deepEqual(told(followed.source.states.current), ["web.service.nomad:80 10.0.0.1:20001"]);
    const second = nomad.register("web", web);
    await shows(followed, "web.service.nomad:80 10.0.0.1:20001,10.0.0.2:20002");
    nomad.register("db", { Namespace: "prod", Port: 5432 });
    await shows(
      followed,
      "web.service.nomad:80 10.0.0.1:20001,10.0.0.2:20002",
      "db.prod.service.nomad:5432 10.0.0.3:5432",
    );
    nomad.deregister(second);
    await shows(followed, "web.service.nomad:80 10.0.0.1:20001", "db.prod.service.nomad:5432 10.0.0.3:5432");
    assert.equal(followed.source.health().isUp, true);
    // One stream, one list of all, and one question for the one service that was there.
    const lists = nomad.questions.filter((path) => path.startsWith("/v1/service"));
    assert.deepEqual(lists, ["/v1/services?namespace=*", "/v1/service/web?namespace=default"]);
  });

  test("lose an instance while its checks fail, and have a new one once they went well", async () => {
    await using followed = await follow((nomad) => {
      const { AllocID } = nomad.register("web", web);
      nomad.checks(AllocID, { web: "success" });
    });
    const { nomad } = followed;
    await shows(followed, "web.service.nomad:80 10.0.0.1:20001");
    nomad.checks("alloc-web-1", { web: "failure" });
    await shows(followed, "web.service.nomad:80 ");
    nomad.checks("alloc-web-1", { web: "success" });
    await shows(followed, "web.service.nomad:80 10.0.0.1:20001");
    // What is about to run again has the verdict that it had; what has never run has none.
    nomad.checks("alloc-web-1", { web: "pending" });
    nomad.checks("alloc-web-2", { web: "pending" });
    nomad.register("web", web);
    nomad.register("other", web);
    await shows(followed, "other.service.nomad:80 10.0.0.3:20003", "web.service.nomad:80 10.0.0.1:20001");
    nomad.checks("alloc-web-2", { web: "success" });
    await shows(
      followed,
      "other.service.nomad:80 10.0.0.3:20003",
      "web.service.nomad:80 10.0.0.1:20001,10.0.0.2:20002",
    );
  });

  for (const status of ["lost", "failed", "unknown", "complete"])
    test(`lose an instance whose allocation is ${status}, and have it again when it runs`, async () => {
      await using followed = await follow((nomad) => nomad.register("web", web));
      followed.nomad.allocation("alloc-web-1", status);
      await shows(followed, "web.service.nomad:80 ");
      followed.nomad.allocation("alloc-web-1", "running");
      await shows(followed, "web.service.nomad:80 10.0.0.1:20001");
    });

  test("are all listed anew when the stream has ended, with what changed meanwhile", async () => {
    await using followed = await follow((nomad) => nomad.register("web", web));
    const { nomad } = followed;
    nomad.endStreams();
    nomad.register("db", { Port: 5432 });
    await shows(followed, "db.service.nomad:5432 10.0.0.2:5432", "web.service.nomad:80 10.0.0.1:20001");
    assert.equal(followed.source.health().isUp, true);
  });

  test("of one namespace, and of one region, are asked for", async () => {
    await using followed = await follow(
      (nomad) => {
        nomad.register("web", { ...web, Namespace: "prod" });
        nomad.register("web", { ...web, Namespace: "test" });
      },
      { namespace: "prod", region: "eu" },
    );
    await shows(followed, "web.prod.service.nomad:80 10.0.0.1:20001");
    assert.ok(followed.nomad.questions.some((path) => /region=eu&namespace=prod/.test(path)));
  });
});

describe("what Nomad had last is served", () => {
  const bad: readonly [what: string, status: number, body: string, reason: RegExp][] = [
    ["refuses the token", 403, "Permission denied", /refuses the token .*--nomadTokenFile.* is served$/],
    ["has no leader", 500, "No cluster leader", /has no leader. Look at its servers.* is served$/],
    ["is something else", 200, "<html>", /answered with what |sent what is no event/],
    ["fails", 502, "bad gateway", /answered with status 502/],
  ];
  for (const [what, status, body, reason] of bad)
    test(`when it ${what}`, async () => {
      await using followed = await follow((nomad) => nomad.register("web", web));
      const { nomad, source } = followed;
      nomad.refusing = { status, body };
      nomad.endStreams();
      await breaks(followed, reason);
      assert.equal(source.health().isUp, false);
      nomad.refusing = undefined;
      await shows(followed, "web.service.nomad:80 10.0.0.1:20001");
      assert.equal(source.health().isUp, true);
    });

  test("when it is gone, and when it has begun anew and knows nothing yet", async () => {
    await using stack = new AsyncDisposableStack();
    const first = await ScriptedNomad.start();
    first.register("web", web);
    const source = stack.use(
      await NomadSource.open({ url: first.url, namespace: "*" }, { log: testLog().log }),
    );
    await shows({ source }, "web.service.nomad:80 10.0.0.1:20001");
    await first[Symbol.asyncDispose]();
    await breaks({ source }, /cannot be asked: .*Look at its agent, and at --nomadAddress/);
    const second = stack.use(await ScriptedNomad.start({ port: first.port, index: 3 }));
    await breaks({ source }, /has begun anew and shows less than before/);
    second.register("web", { ...web, ID: "_nomad-task-web-1", Address: "10.0.0.1", Port: 20_001 });
    await shows({ source }, "web.service.nomad:80 10.0.0.1:20001");
  });

  test("and a start says what is wrong", async () => {
    await using followed = await follow((nomad) => {
      nomad.refusing = { status: 403, body: "Permission denied" };
    });
    const { states } = followed.source;
    assert.equal(states.current.kind, "broken");
    assert.match(states.current.problems[0]?.message ?? "", /^refuses the token/);
  });
});

test("the token is read anew for each question", async () => {
  using folder = temporaryFolder();
  const tokenFile = join(folder.path, "token");
  writeFileSync(tokenFile, "old\n");
  await using followed = await follow(
    (nomad) => {
      nomad.register("web", web);
      nomad.token = "old";
    },
    { tokenFile },
  );
  await shows(followed, "web.service.nomad:80 10.0.0.1:20001");
  const { nomad } = followed;
  nomad.token = "new";
  nomad.endStreams();
  await breaks(followed, /refuses the token/);
  writeFileSync(tokenFile, "new\n");
  await shows(followed, "web.service.nomad:80 10.0.0.1:20001");
});

test("Nomad is asked over TLS, by its name and the roots that are given", async () => {
  using folder = temporaryFolder();
  const pki = await TestPki.create();
  const pair = await pki.serverKeyPair(["127.0.0.1"], validity(-60_000, 3_600_000));
  const caFile = join(folder.path, "ca.pem");
  writeFileSync(caFile, pki.rootPem);
  await using nomad = await ScriptedNomad.start({ pair });
  nomad.register("web", web);
  await using source = await NomadSource.open(
    { url: nomad.url, namespace: "*", caFile },
    { log: testLog().log },
  );
  await shows({ source }, "web.service.nomad:80 10.0.0.1:20001");
  await using stranger = await NomadSource.open({ url: nomad.url, namespace: "*" }, { log: testLog().log });
  await breaks({ source: stranger }, /cannot be asked: /);
});
