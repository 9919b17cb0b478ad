/**
 * `npm run mutation [subject or source …]`: which small changes of the sources no test without a process would find.
 * Prints them, a line of figures per file, and fails where fewer are found than should be.
 */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { importersOf } from "./importers.ts";
import { type Mutant, mutantsOf } from "./mutants.ts";
import { leastShare, type Subject, subjects } from "./subjects.ts";
import { tryMutants } from "./try-mutants.ts";
import type { Trial } from "./worker.ts";

const root = join(import.meta.dirname, "../..");

/** Longest time that the tests may take with nothing changed. */
const longestMs = 300_000;

/** Shortest time after which a mutant is taken for one that loops; five times what the tests take, where that is more. */
const leastPatienceMs = 20_000;

interface MadeMutant {
  readonly mutant: Mutant;
  readonly trial: Trial;
}

function made({ sources }: Subject): readonly MadeMutant[] {
  const paths = sources.endsWith(".ts")
    ? [sources]
    : globSync(`${sources}/**/*.ts`, { cwd: root }).toSorted();
  let number = 0;
  return paths.flatMap((path) => {
    const source = readFileSync(join(root, path), "utf8");
    const affected = importersOf(path, root);
    return mutantsOf(path, source).map((mutant) => {
      number += 1;
      const changed = source.slice(0, mutant.start) + mutant.replacement + source.slice(mutant.end);
      return { mutant, trial: { number, path, affected, source: changed } };
    });
  });
}

async function run(name: string, subject: Subject): Promise<void> {
  const mutants = made(subject);
  const tests = subject.tests.flatMap((pattern) => globSync(pattern, { cwd: root }).toSorted());
  const task = { root, tests };
  const [first] = mutants;
  if (first === undefined) throw new Error(`${name}: there is nothing to change`);
  const { path, affected } = first.trial;
  const unchanged = { number: 0, path, affected, source: readFileSync(join(root, path), "utf8") };
  const started = performance.now();
  await tryMutants({ ...task, patienceMs: longestMs }, [unchanged], (_, foundBy) => {
    if (foundBy !== undefined) throw new Error(`${name}: a test fails though nothing is changed: ${foundBy}`);
  });
  // A machine that is busy is no loop, and a loop is not found by a test.
  const patienceMs = Math.max(leastPatienceMs, Math.round(performance.now() - started) * 5);
  const survivors = new Set<Trial>();
  await tryMutants(
    { ...task, patienceMs },
    mutants.map(({ trial }) => trial),
    (trial, foundBy) => {
      if (foundBy === undefined) survivors.add(trial);
    },
  );
  for (const [file, ofFile] of Map.groupBy(mutants, ({ trial }) => trial.path)) {
    const missed = ofFile.filter(({ trial }) => survivors.has(trial));
    console.log(`${file}: ${ofFile.length - missed.length} of ${ofFile.length} found`);
    for (const { mutant } of missed) console.log(`  line ${mutant.line}: ${mutant.what}`);
  }
  const share = 1 - survivors.size / mutants.length;
  console.log(
    JSON.stringify({
      subject: name,
      mutants: mutants.length,
      survived: survivors.size,
      share: Number(share.toFixed(3)),
    }),
  );
  if (share < leastShare) process.exitCode = 1;
}

const known = Object.entries(subjects);
const asked = process.argv.slice(2);
for (const name of asked.length === 0 ? Object.keys(subjects) : asked) {
  const [, subject] =
    known.find(([other, { sources }]) => name === other || name.startsWith(`${sources}/`)) ?? [];
  if (subject === undefined)
    throw new Error(`${name} is in none of ${known.map(([other]) => other).join(", ")}`);
  await run(name, name in subjects ? subject : { ...subject, sources: name });
}
