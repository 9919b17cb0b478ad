/**
 * `npm run bench:image`: what the image that `npm run image` has built is in size, and what a sidecar of it takes.
 *
 *     node test/bench/image/main.ts [--runs=5] [--sidecars=10] [--restSeconds=15]
 *
 * The sidecars run under runc in pods, see `sidecars.ts`; needs root, runc, umoci and iproute2. Times say little where others work too;
 * processor time says more.
 */
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { describe } from "../../../src/build/image/make-image.ts";
import { requirePrograms } from "../../../src/build/image/programs.ts";
import { programsToRunImage, unpackImage } from "../../support/image/root.ts";
import { inOwnNetwork } from "../../support/own-network.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { type Figure, jsonLine, table } from "../figure.ts";
import type { FigureOptions, PodFigures } from "./sidecars.ts";

const { values: flags } = parseArgs({
  options: {
    runs: { type: "string", default: "5" },
    sidecars: { type: "string", default: "10" },
    restSeconds: { type: "string", default: "15" },
  },
});

const mebibyte = 2 ** 20;

/** Of all files in a folder, links not followed. */
function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + lstatSync(join(parentPath, name)).size, 0);
}

function sizes(rootfs: string): readonly Figure[] {
  const { layers } = describe(join(import.meta.dirname, "../../../dist-image"));
  const release = bytesIn(join(rootfs, "opt/outrider"));
  const envoy = lstatSync(join(rootfs, "usr/local/bin/envoy")).size;
  const parts = [
    ["Debian's part", layers[0], bytesIn(rootfs) - release - envoy],
    ["Envoy", layers[1], envoy],
    ["outrider with Node.js", layers[2], release],
  ] as const;
  const size = (name: string, subject: string, bytes: number, aim?: number): Figure => ({
    ...{ name, unit: "MiB", subject, values: [bytes / mebibyte] },
    ...(aim === undefined ? {} : { aim }),
  });
  return parts.flatMap(([subject, compressed = 0, whole]) => [
    size("compressed", subject, compressed, subject.startsWith("outrider") ? 60 : undefined),
    size("not compressed", subject, whole),
  ]);
}

function sidecars({ starts, alone, together }: PodFigures): readonly Figure[] {
  const figure = (
    subject: string,
    name: string,
    unit: Figure["unit"],
    values: readonly number[],
    aim?: number,
  ): Figure => ({ name, unit, subject, values, ...(aim === undefined ? {} : { aim }) });
  const one = "one sidecar";
  const all = `each of ${together.length}`;
  return [
    figure(
      "2 CPUs",
      "container start to ready",
      "ms",
      starts.usual.map(({ readyMs }) => readyMs),
      600,
    ),
    figure(
      "2 CPUs",
      "processor time until ready",
      "ms",
      starts.usual.map(({ cpuMs }) => cpuMs),
    ),
    figure(
      "0.1 CPU, 128 MiB",
      "container start to ready",
      "ms",
      starts.scarce.map(({ readyMs }) => readyMs),
      5_000,
    ),
    figure(
      "0.1 CPU, 128 MiB",
      "processor time until ready",
      "ms",
      starts.scarce.map(({ cpuMs }) => cpuMs),
    ),
    figure(one, "working set of the cgroup", "MiB", [alone.workingSet]),
    ...(["agent", "envoy"] as const).flatMap((who) => [
      figure(one, `${who}, PSS`, "MiB", [alone[who].pss]),
      figure(one, `${who}, anonymous`, "MiB", [alone[who].anonymous]),
      figure(
        all,
        `${who}, PSS`,
        "MiB",
        together.map((each) => each[who].pss),
      ),
      figure(
        all,
        `${who}, anonymous`,
        "MiB",
        together.map((each) => each[who].anonymous),
      ),
    ]),
  ];
}

requirePrograms(programsToRunImage, process.env["PATH"], "npm run bench:image");
using folder = temporaryFolder();
const rootfs = unpackImage(folder.path);
const options: FigureOptions = {
  rootfs,
  runs: Number(flags.runs),
  sidecars: Number(flags.sidecars),
  restMs: Number(flags.restSeconds) * 1_000,
};
const measured = await inOwnNetwork<PodFigures>({
  sysctls: {},
  program: join(import.meta.dirname, "sidecars.ts"),
  options,
});
const figures = [...sizes(rootfs), ...sidecars(measured)];
console.log(table(figures));
for (const each of figures) console.log(jsonLine(each));
