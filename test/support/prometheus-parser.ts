/** Prometheus' own parser of expositions: its Python client, from a wheel whose hash is pinned here. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Deadline } from "../../src/lifecycle/timer.ts";
import { runCommand } from "../../src/process/command.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const wheel =
  "prometheus_client==0.26.0 --hash=sha256:fa93d06737aa02bacd05794768508bb97d2fbee28cb3bca04eaae92f0ca953d6\n";

const program = `
import sys
sys.path.insert(0, sys.argv[1])
from prometheus_client.parser import text_string_to_metric_families as text
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
for path in sys.argv[2:]:
    parse = openmetrics if path.endswith(".openmetrics") else text
    with open(path, encoding="utf-8") as file:
        print(len(list(parse(file.read()))))
`;

/** How many families it finds in each. Rejects with what it says of one that it refuses. */
export async function familiesOf(
  expositions: Readonly<Record<"text" | "openmetrics", Buffer>>,
): Promise<readonly number[]> {
  using folder = temporaryFolder();
  const library = join(folder.path, "library");
  const requirements = join(folder.path, "requirements.txt");
  writeFileSync(requirements, wheel);
  await python([
    ...["-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--require-hashes"],
    ...["--target", library, "--requirement", requirements],
  ]);
  const paths = Object.entries(expositions).map(([format, exposition]) => {
    const path = join(folder.path, `merged.${format}`);
    writeFileSync(path, exposition);
    return path;
  });
  return (await python(["-c", program, library, ...paths])).map(Number);
}

async function python(args: readonly string[]): Promise<readonly string[]> {
  using deadline = new Deadline(120_000);
  const { exit, output } = await runCommand({
    ...{ file: "python3", args, env: process.env },
    signal: deadline.signal,
  });
  if (exit.kind !== "exited" || exit.code !== 0) throw new Error(output.join("\n"));
  return output;
}
