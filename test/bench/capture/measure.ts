/** In a network namespace of its own: calls of traffic capture, timed. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { answerAsProgram } from "../../support/namespaced-program.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import type { Figure } from "../figure.ts";
import { machineIsQuiet } from "../quiet.ts";

/** How often, and how long a quiet machine is waited for. */
interface MeasureOptions {
  readonly runs: number;
  readonly patienceMs: number;
}

const dist = join(import.meta.dirname, "../../../dist");
const outrider = join(dist, "bin/outrider");

/** What Istio's injector gives, with DNS. */
const flags = [
  ...["-p", "15001", "-z", "15006", "-u", "1337", "-m", "REDIRECT", "-i", "*", "-x", "", "-b", "*"],
  ...["-d", "15090,15021,15020", "--redirect-dns"],
];

/** How long a pod may wait for rules, in milliseconds. */
const aimMs = 300;

interface Row {
  readonly subject: string;
  readonly words: readonly string[];
  readonly aim?: number;
}

async function measure({ runs, patienceMs }: MeasureOptions): Promise<readonly Figure[]> {
  using folder = temporaryFolder();
  const rules = join(folder.path, "rules");
  const output = execFileSync(outrider, ["iptables", ...flags, "--dry-run"], { encoding: "utf8" });
  writeFileSync(rules, output);
  const programs = [
    "iptables-legacy-save; iptables-nft-save; ip6tables-legacy-save; ip6tables-nft-save; nft list tables",
    `iptables-nft-restore --noflush ${rules}`,
  ].join("; ");
  const clean = [outrider, "clean-iptables"];
  // In their order: rules of one are what the next meets.
  const rows: readonly Row[] = [
    { subject: "bare Node.js", words: [join(dist, "lib/node"), "-e", "0"] },
    { subject: "--dry-run", words: [outrider, "iptables", ...flags, "--dry-run"] },
    { subject: "the kernel's programs alone", words: ["sh", "-c", programs] },
    { subject: "clean", words: clean },
    { subject: "apply", words: [outrider, "iptables", ...flags], aim: aimMs },
    { subject: "apply again", words: [outrider, "iptables", ...flags], aim: aimMs },
    { subject: "clean", words: clean },
    {
      subject: "apply and prove",
      words: [outrider, "iptables", ...flags, "--run-validation"],
    },
    { subject: "clean", words: clean },
    {
      subject: "apply, native nft",
      words: [outrider, "iptables", ...flags, "--native-nftables"],
      aim: aimMs,
    },
    { subject: "clean", words: clean },
  ];
  const seen = new Map<string, { readonly wall: number[]; readonly cpu: number[]; readonly aim?: number }>();
  for (let run = 0; run < runs; run += 1) {
    await machineIsQuiet(patienceMs);
    for (const { subject, words, aim } of rows) {
      const { wallMs, cpuMs } = timed(words);
      const row = seen.get(subject) ?? { wall: [], cpu: [], ...(aim === undefined ? {} : { aim }) };
      row.wall.push(wallMs);
      row.cpu.push(cpuMs);
      seen.set(subject, row);
    }
  }
  return [...seen].flatMap(([subject, { wall, cpu, aim }]): Figure[] => [
    { name: "exec to exit", unit: "ms", subject, values: wall, ...(aim === undefined ? {} : { aim }) },
    { name: "processor time", unit: "ms", subject, values: cpu },
  ]);
}

/** By the shell, which counts what ended children and theirs have used. @throws Error when it fails */
function timed(words: readonly string[]): { readonly wallMs: number; readonly cpuMs: number } {
  const script = 'TIMEFORMAT="%R %U %S"; { time "$@" > /dev/null 2> /dev/null; } 2>&1';
  const text = execFileSync("bash", ["-c", script, "bash", ...words], { encoding: "utf8" });
  const [real = 0, user = 0, system = 0] = text.trim().split(" ").map(Number);
  return { wallMs: real * 1_000, cpuMs: (user + system) * 1_000 };
}

if (import.meta.main) await answerAsProgram(measure);
