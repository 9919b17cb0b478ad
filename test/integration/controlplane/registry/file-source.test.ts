/** Whatever becomes of the folder: what was served last goes on, what is wrong is told once, and all is seen again. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ConfiguredModels } from "../../../../src/controlplane/model/configured-models.ts";
import { FileSource } from "../../../../src/controlplane/registry/file/file-source.ts";
import { Registry } from "../../../../src/controlplane/registry/registry.ts";
import { createLogger } from "../../../../src/telemetry/log.ts";
import { eventually } from "../../../support/eventually.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";

const withinMs = 20_000;

function serviceEntry(name: string): string {
  return [
    "apiVersion: networking.istio.io/v1",
    "kind: ServiceEntry",
    `metadata: { name: ${name}, namespace: demo }`,
    "spec:",
    `  hosts: [${name}.demo.svc.cluster.local]`,
    "  resolution: STATIC",
    "  ports: [{ number: 80, name: http, protocol: HTTP }]",
    "  endpoints: [{ address: 10.0.0.1 }]",
    "",
  ].join("\n");
}

class Fixture implements AsyncDisposable {
  readonly folder: string;
  readonly errors: string[] = [];
  readonly #registry: Registry;
  readonly #configured: ConfiguredModels;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    folder: string,
    parts: { readonly registry: Registry; readonly configured: ConfiguredModels },
    errors: string[],
    stack: AsyncDisposableStack,
  ) {
    this.folder = folder;
    this.errors = errors;
    this.#registry = parts.registry;
    this.#configured = parts.configured;
    this.#stack = stack;
  }

  static async start(prepare?: (folder: string) => void): Promise<Fixture> {
    await using stack = new AsyncDisposableStack();
    const folder = join(stack.use(temporaryFolder()).path, "mesh");
    mkdirSync(folder);
    writeFileSync(join(folder, "api.yaml"), serviceEntry("api"));
    prepare?.(folder);
    const errors: string[] = [];
    const log = createLogger({
      json: true,
      levels: { default: "error" },
      write: (line) => errors.push(line),
      now: () => new Date(),
    });
    const settings = { trustDomains: ["cluster.local"], rootNamespace: "istio-system" };
    const source = stack.use(await FileSource.open({ folder, debounceMs: 20 }));
    const registry = stack.use(new Registry([source], log));
    const configured = stack.use(new ConfiguredModels(registry.configuration, settings, log));
    return new Fixture(folder, { registry, configured }, errors, stack.move());
  }

  get services(): readonly string[] {
    return this.#configured.models.current.model.services.map(({ host }) => host.split(".")[0] ?? "");
  }

  get problems(): readonly string[] {
    return this.#registry.status.problems.map(({ source, message }) => `${source}: ${message}`);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async serves(...names: readonly string[]): Promise<void> {
    await eventually(
      `${names.join()} served`,
      () => {
        assert.deepEqual(this.services.toSorted(), names.toSorted());
      },
      { withinMs },
    );
  }

  async refuses(pattern: RegExp): Promise<void> {
    await eventually(
      "the problem",
      () => {
        assert.match(this.problems.join("\n"), pattern);
      },
      { withinMs },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

interface Mishap {
  readonly what: string;
  readonly prepare?: (folder: string) => void;
  readonly damage: (fixture: Fixture) => void;
  /** Undefined for what is no problem at all. */
  readonly problem?: RegExp;
  readonly mend?: (fixture: Fixture) => void;
}

const inLatin1 = (path: string): Buffer => Buffer.from(path, "latin1");

const away = (fixture: Fixture): string => `${fixture.folder}-away`;

const mishaps: readonly Mishap[] = [
  {
    what: "replaced by another",
    damage: (fixture) => {
      mkdirSync(`${fixture.folder}-new`);
      writeFileSync(join(`${fixture.folder}-new`, "api.yaml"), serviceEntry("api"));
      renameSync(fixture.folder, away(fixture));
      renameSync(`${fixture.folder}-new`, fixture.folder);
    },
  },
  {
    what: "renamed away and back",
    damage: (fixture) => {
      renameSync(fixture.folder, away(fixture));
    },
    problem: /mesh: cannot be read: ENOENT/,
    mend: (fixture) => {
      renameSync(away(fixture), fixture.folder);
    },
  },
  {
    what: "removed and made anew",
    damage: ({ folder }) => {
      rmSync(folder, { recursive: true });
    },
    problem: /mesh: cannot be read: ENOENT/,
    mend: (fixture) => {
      mkdirSync(fixture.folder);
      writeFileSync(fixture.path("api.yaml"), serviceEntry("api"));
    },
  },
  {
    what: "a file in the folder's place",
    damage: (fixture) => {
      renameSync(fixture.folder, away(fixture));
      writeFileSync(fixture.folder, "");
    },
    problem: /mesh: cannot be read: ENOTDIR/,
    mend: (fixture) => {
      unlinkSync(fixture.folder);
      renameSync(away(fixture), fixture.folder);
    },
  },
  {
    what: "a link to itself in the folder's place",
    damage: (fixture) => {
      renameSync(fixture.folder, away(fixture));
      symlinkSync("mesh", fixture.folder);
    },
    problem: /mesh: cannot be read: ELOOP/,
    mend: (fixture) => {
      unlinkSync(fixture.folder);
      renameSync(away(fixture), fixture.folder);
    },
  },
  {
    what: "unreadable and back",
    damage: ({ folder }) => {
      chmodSync(folder, 0o000);
      // Root reads everything.
      if (process.getuid?.() === 0) process.seteuid?.(65_534);
    },
    problem: /mesh: cannot be read: EACCES/,
    mend: ({ folder }) => {
      if (process.getuid?.() === 0) process.seteuid?.(0);
      chmodSync(folder, 0o755);
    },
  },
  {
    what: "a link to itself among the files",
    damage: (fixture) => {
      symlinkSync("loop.yaml", fixture.path("loop.yaml"));
    },
    problem: /loop\.yaml: cannot be read: ELOOP/,
    mend: (fixture) => {
      unlinkSync(fixture.path("loop.yaml"));
    },
  },
  {
    what: "a link that leads nowhere",
    damage: (fixture) => {
      symlinkSync("/nowhere.yaml", fixture.path("lost.yaml"));
    },
    problem: /lost\.yaml: cannot be read: ENOENT/,
    mend: (fixture) => {
      unlinkSync(fixture.path("lost.yaml"));
    },
  },
  {
    what: "links from folder to folder in a circle",
    damage: (fixture) => {
      mkdirSync(fixture.path("a"));
      symlinkSync("..", fixture.path("a/b"));
      symlinkSync(".", fixture.path("c"));
    },
  },
  {
    what: "a FIFO that nobody writes to",
    damage: (fixture) => {
      execFileSync("mkfifo", [fixture.path("pipe.yaml")]);
    },
    problem: /pipe\.yaml: is not a regular file/,
    mend: (fixture) => {
      unlinkSync(fixture.path("pipe.yaml"));
    },
  },
  {
    what: "a device that never ends",
    damage: (fixture) => {
      symlinkSync("/dev/zero", fixture.path("zero.yaml"));
    },
    problem: /zero\.yaml: is not a regular file/,
    mend: (fixture) => {
      unlinkSync(fixture.path("zero.yaml"));
    },
  },
  {
    what: "a file too large",
    damage: (fixture) => {
      writeFileSync(fixture.path("large.yaml"), "");
      truncateSync(fixture.path("large.yaml"), 17 * 2 ** 20);
    },
    problem: /large\.yaml: cannot be read: .*has more than/,
    mend: (fixture) => {
      unlinkSync(fixture.path("large.yaml"));
    },
  },
  {
    what: "a file of brackets",
    damage: (fixture) => {
      writeFileSync(fixture.path("deep.yaml"), "[".repeat(100_000));
    },
    problem: /deep\.yaml: /,
    mend: (fixture) => {
      unlinkSync(fixture.path("deep.yaml"));
    },
  },
  {
    what: "a file whose name is no UTF-8",
    damage: (fixture) => {
      writeFileSync(inLatin1(fixture.path("x\u00e4.yaml")), serviceEntry("x"));
    },
    problem: /x\ufffd\.yaml: has a name that is no UTF-8/,
    mend: (fixture) => {
      unlinkSync(inLatin1(fixture.path("x\u00e4.yaml")));
    },
  },
  {
    what: "a half-written file",
    damage: (fixture) => {
      writeFileSync(fixture.path("api.yaml"), serviceEntry("api").slice(0, 150));
    },
    problem: /api\.yaml: /,
    mend: (fixture) => {
      writeFileSync(fixture.path("api.yaml"), serviceEntry("api"));
    },
  },
  {
    what: "an object with a wrong value",
    damage: (fixture) => {
      writeFileSync(fixture.path("api.yaml"), serviceEntry("api").replace("STATIC", "STATICAL"));
    },
    problem: /api\.yaml: must be one of STATIC/,
    mend: (fixture) => {
      writeFileSync(fixture.path("api.yaml"), serviceEntry("api"));
    },
  },
  {
    what: "the same object a second time",
    damage: (fixture) => {
      writeFileSync(fixture.path("copy.yaml"), serviceEntry("api"));
    },
    problem: /copy\.yaml: ServiceEntry demo\/api is already in/,
    mend: (fixture) => {
      unlinkSync(fixture.path("copy.yaml"));
    },
  },
  {
    what: "the files of editors",
    damage: (fixture) => {
      writeFileSync(fixture.path(".api.yaml.swp"), Buffer.alloc(4_096, 0xff));
      symlinkSync("somebody@somewhere.1234:5678", fixture.path(".#api.yaml"));
      writeFileSync(fixture.path("#api.yaml#"), "kind: [");
      writeFileSync(fixture.path("api.yaml~"), "kind: [");
      writeFileSync(fixture.path(".api.yaml"), "kind: [");
      writeFileSync(fixture.path("4913"), "");
      // As vim and most tools save: a new file takes the name.
      writeFileSync(fixture.path("api.yaml.tmp"), serviceEntry("api"));
      renameSync(fixture.path("api.yaml.tmp"), fixture.path("api.yaml"));
    },
  },
];

describe("a folder of configuration", () => {
  for (const { what, damage, problem, mend } of mishaps) {
    test(`${what}: what was served goes on, and what comes after is seen`, async () => {
      await using fixture = await Fixture.start();
      damage(fixture);
      try {
        if (problem !== undefined) {
          await fixture.refuses(problem);
          assert.deepEqual(fixture.services, ["api"]);
        }
      } finally {
        mend?.(fixture);
      }
      writeFileSync(fixture.path("web.yaml"), serviceEntry("web"));
      await fixture.serves("api", "web");
      assert.deepEqual(fixture.problems, []);
      writeFileSync(fixture.path("web.yaml"), serviceEntry("web2"));
      await fixture.serves("api", "web2");
      unlinkSync(fixture.path("web.yaml"));
      await fixture.serves("api");
      assert.equal(fixture.errors.length, problem === undefined ? 0 : 1, fixture.errors.join("\n"));
    });
  }

  test("a start serves what is well, tells the rest once, and sees it mended", async () => {
    const bad = new Map([
      ["unknown.yaml", "kind: X\n"],
      ["half.yaml", serviceEntry("half").slice(0, 150)],
      ["value.yaml", serviceEntry("value").replace("STATIC", "STATICAL")],
      ["copy.yaml", serviceEntry("api")],
    ]);
    await using fixture = await Fixture.start((folder) => {
      for (const [name, content] of bad) writeFileSync(join(folder, name), content);
    });
    assert.deepEqual(fixture.services, ["api"]);
    for (const name of bad.keys()) await fixture.refuses(new RegExp(name));
    for (const name of bad.keys()) unlinkSync(fixture.path(name));
    writeFileSync(fixture.path("web.yaml"), serviceEntry("web"));
    await fixture.serves("api", "web");
    assert.deepEqual(fixture.problems, []);
    assert.equal(fixture.errors.length, bad.size, fixture.errors.join("\n"));
  });

  test("a start with nothing that could be served says why there is none", async () => {
    const start = Fixture.start((folder) => {
      writeFileSync(join(folder, "api.yaml"), "kind: X\n");
    });
    await assert.rejects(start, { name: "ConfigurationError", message: /api\.yaml/ });
  });

  test("what is wrong with one file costs the others nothing, not even those beside it", async () => {
    await using fixture = await Fixture.start();
    execFileSync("mkfifo", [fixture.path("pipe.yaml")]);
    writeFileSync(fixture.path("broken.yaml"), `kind: [\n---\n${serviceEntry("beside")}`);
    writeFileSync(fixture.path("web.yaml"), serviceEntry("web"));
    await fixture.serves("api", "beside", "web");
    unlinkSync(fixture.path("api.yaml"));
    await fixture.serves("beside", "web");
    assert.equal(fixture.problems.length, 2);
  });

  test("two thousand files at once are read, and one of them alone is seen", async () => {
    await using fixture = await Fixture.start();
    for (let index = 0; index < 2_000; index += 1)
      writeFileSync(fixture.path(`service-${index}.yaml`), serviceEntry(`service-${index}`));
    await eventually("all of them", () => assert.equal(fixture.services.length, 2_001), { withinMs });
    writeFileSync(fixture.path("service-7.yaml"), serviceEntry("seven"));
    await eventually("the one", () => assert.ok(fixture.services.includes("seven")), { withinMs });
    assert.deepEqual(fixture.errors, []);
  });

  test("a ConfigMap's volume is read once, and seen when it swaps", async () => {
    const publish = (folder: string, version: string, ...names: readonly string[]): void => {
      mkdirSync(join(folder, version, "sub"), { recursive: true });
      for (const name of names)
        writeFileSync(join(folder, version, "sub", `${name}.yaml`), serviceEntry(name));
      symlinkSync(version, join(folder, "..data_tmp"));
      renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    };
    await using fixture = await Fixture.start((folder) => {
      unlinkSync(join(folder, "api.yaml"));
      publish(folder, "..2026_01", "api");
      symlinkSync("..data/sub", join(folder, "sub"));
    });
    await fixture.serves("api");
    publish(fixture.folder, "..2026_02", "api", "web");
    rmSync(fixture.path("..2026_01"), { recursive: true });
    await fixture.serves("api", "web");
    assert.deepEqual(fixture.errors, []);
  });

  test("a folder behind a link is seen when the link leads elsewhere", async () => {
    await using fixture = await Fixture.start((folder) => {
      renameSync(folder, `${folder}-1`);
      symlinkSync("mesh-1", folder);
    });
    mkdirSync(`${fixture.folder}-2`);
    writeFileSync(join(`${fixture.folder}-2`, "api.yaml"), serviceEntry("web"));
    symlinkSync("mesh-2", `${fixture.folder}-link`);
    renameSync(`${fixture.folder}-link`, fixture.folder);
    await fixture.serves("web");
    writeFileSync(fixture.path("more.yaml"), serviceEntry("more"));
    await fixture.serves("web", "more");
  });
});

test("a folder that never has the quiet that is asked for is read all the same", async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, "api.yaml"), serviceEntry("api"));
  await using source = await FileSource.open({
    folder: folder.path,
    debounceMs: 3_600_000,
    debounceMaxMs: 50,
  });
  writeFileSync(join(folder.path, "web.yaml"), serviceEntry("web"));
  await eventually(
    "both objects",
    () => {
      const state = source.states.current;
      assert.equal(state.kind === "read" && state.objects.length, 2);
    },
    { withinMs },
  );
});
