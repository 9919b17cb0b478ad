/** `outrider doctor` run to its end, and what it found. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { buffer } from "node:stream/consumers";
import type { Finding } from "../../src/doctor/finding.ts";
import { expectFinding } from "./findings.ts";
import { eventually } from "./eventually.ts";
import { mainPath, sourcesEnvironment } from "./outrider.ts";
import type { Workload } from "./workload.ts";

export interface Diagnosis {
  readonly code: number | null;
  readonly output: string;
  readonly findings: readonly Finding[];
  readonly tookMs: number;
  /** The findings of this name. */
  readonly named: (name: string) => readonly Finding[];
}

export interface DiagnosisChanges {
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** A command that runs its arguments, such as `["prlimit", "--nofile=128"]`. */
  readonly within?: readonly string[];
}

export async function diagnose(workload: Workload, changes: DiagnosisChanges = {}): Promise<Diagnosis> {
  const command = [
    ...(changes.within ?? []),
    ...[process.execPath, mainPath, "doctor", "--json"],
    ...(changes.args ?? []),
  ];
  const [file = "", ...args] = command;
  const child = spawn(file, args, {
    cwd: workload.folder,
    env: sourcesEnvironment({ ...workload.env, ...changes.env }),
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 60_000,
  });
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
  const output = (await buffer(child.stdout)).toString("utf8");
  const code = await exited;
  assert.ok(output.startsWith("{"), `exit code ${code ?? "none"}, printed: ${output}`);
  const { findings, tookMs } = JSON.parse(output) as Pick<Diagnosis, "findings" | "tookMs">;
  return {
    code,
    output,
    findings,
    tookMs,
    named: (name) => findings.filter((finding) => finding.name === name),
  };
}

/**
 * The diagnosis of a workload with which nothing is wrong. A check has seconds for the answer of a server, and on a machine
 * that has other things to do it may say with right that none came; so it is asked until it has seen all of them.
 */
export function diagnoseWell(workload: Workload, changes: DiagnosisChanges = {}): Promise<Diagnosis> {
  return eventually(
    "a diagnosis without failures",
    async () => {
      const diagnosis = await diagnose(workload, changes);
      assert.equal(diagnosis.code, 0, diagnosis.output);
      return diagnosis;
    },
    { withinMs: 60_000 },
  );
}

/** Exactly these findings fail, and the exit code says that some do. */
export async function expectFailures(
  one: Workload,
  expected: Readonly<Record<string, readonly [seen: RegExp, remedy: RegExp]>>,
  changes: DiagnosisChanges = {},
): Promise<void> {
  const diagnosis = await diagnose(one, changes);
  const failures = diagnosis.findings.filter(({ verdict }) => verdict === "failure");
  assert.deepEqual(
    failures.map(({ name }) => name).toSorted(),
    Object.keys(expected).toSorted(),
    diagnosis.output,
  );
  for (const finding of failures) {
    const [seen, remedy] = expected[finding.name] ?? [/^$/, /^$/];
    expectFinding(finding, "failure", seen, remedy);
  }
  assert.equal(diagnosis.code, 1);
  assert.ok(diagnosis.tookMs < 5_000, `took ${diagnosis.tookMs} ms`);
}

/** This finding is a warning, which leaves the exit code 0. */
export async function expectWarning(
  one: Workload,
  name: string,
  seen: RegExp,
  remedy: RegExp,
  changes: DiagnosisChanges = {},
): Promise<void> {
  const { code, named, output } = await diagnose(one, changes);
  expectFinding(named(name)[0], "warning", seen, remedy);
  assert.equal(code, 0, output);
}
