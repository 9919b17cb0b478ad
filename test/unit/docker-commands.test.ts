/** Command lines in docker/ are those of commands that there are, with flags that there are. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { commands } from "../../src/cli/commands.ts";
import { programOf } from "../../src/cli/program.ts";
import { readCommandLine } from "../../src/command/command-line.ts";

const folder = join(import.meta.dirname, "../../docker");
const program = programOf(commands);

type Words = readonly string[];

function read(name: string): string {
  return readFileSync(join(folder, name), "utf8");
}

/** Every value of these names, wherever it stands. */
function valuesOf(value: unknown, names: readonly string[]): readonly unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    ...(names.includes(name) ? [inner] : []),
    ...valuesOf(inner, names),
  ]);
}

const isWords = (value: unknown): value is Words =>
  Array.isArray(value) && value.every((word) => typeof word === "string");

/** A word that names the program is left out; of other programs there is nothing to check. */
function ownWords([first = "", ...others]: Words): readonly Words[] {
  if (first === "CMD") return ownWords(others);
  if (/(?:^|\/)(?:outrider|pilot-agent)$/.test(first)) return [others];
  return program.commands.some(({ name }) => name === first) ? [[first, ...others]] : [];
}

const inYaml: Readonly<Record<string, readonly string[]>> = {
  "kubernetes/*.yaml": ["args", "command"],
  "ecs/*.yaml": ["Command"],
  "compose.yaml": ["command", "test"],
};

function commandLines(name: string): readonly Words[] {
  if (name.endsWith(".service"))
    return [...read(name).matchAll(/^Exec\w+=(.*)$/gm)].map(([, line = ""]) => line.split(" "));
  if (name.endsWith(".hcl"))
    return [...read(name).matchAll(/^\s*args\s*=\s*(\[.*\])$/gm)].map(
      ([, list = ""]) => JSON.parse(list) as Words,
    );
  const [, names = []] =
    Object.entries(inYaml).find(([pattern]) => globSync(pattern, { cwd: folder }).includes(name)) ?? [];
  // CloudFormation's own tags stand for values of the deployment.
  const text = read(name).replaceAll(/!Ref (\w+)/g, "$1");
  const documents =
    name === "compose.yaml"
      ? [parse(text, { merge: true }) as unknown]
      : parseAllDocuments(text).map((each) => each.toJS() as unknown);
  return documents.flatMap((document) => valuesOf(document, names)).filter(isWords);
}

describe("the image that Istio's injector is told", () => {
  for (const name of ["kubernetes/istio-helm-values.yaml", "kubernetes/istio-operator.yaml"]) {
    test(`is a whole reference to it in ${name}: a slash is what it looks for`, () => {
      const images = parseAllDocuments(read(name)).flatMap((each) => valuesOf(each.toJS(), ["image"]));
      assert.equal(images.length, 2);
      for (const image of images) assert.match(String(image), /^[^/]+\/outrider:/);
    });
  }
});

describe("every command line can be run that is in", () => {
  const files = [...Object.keys(inYaml), "systemd/*.service", "nomad/*.hcl"].flatMap((pattern) =>
    globSync(pattern, { cwd: folder }),
  );
  const noLines = [
    "kubernetes/istio-helm-values.yaml",
    "kubernetes/istio-operator.yaml",
    "kubernetes/registry.yaml",
    "kubernetes/injection.yaml",
  ];

  for (const name of files.filter((name) => !noLines.includes(name))) {
    test(name, async () => {
      const lines = commandLines(name).flatMap(ownWords);
      assert.ok(lines.length > 0);
      for (const words of lines) {
        const invocation = await readCommandLine(words, program);
        assert.equal(invocation.kind, "run", `${words.join(" ")}\n${JSON.stringify(invocation)}`);
        assert.deepEqual(invocation.kind === "run" ? invocation.args.unknown : [], [], words.join(" "));
      }
    });
  }
});
