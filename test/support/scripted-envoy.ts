/** A program in Envoy's place for what the real one cannot be made to do; otherwise it becomes the real one. */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testEnvoy } from "./envoy.ts";

/** What it does when it is to serve. */
export type EnvoyScript =
  /** It is the real one. */
  | "real"
  /** It dies of a signal before it has done anything. */
  | "crash"
  /** It comes from a release with another hot restart version. */
  | "other-version"
  /** It does not end when it is to check a bootstrap, nor when it is to tell its hot restart version. */
  | "endless-validation"
  | "endless-version"
  /** It has a helper that outlives it and holds its output. */
  | "with-helper"
  /** It does nothing, and ignores SIGTERM. */
  | "deaf"
  /** It is another program, that takes any argument and ends well. */
  | "another-program"
  /** It is none that this machine can run. */
  | "not-executable";

/** Envoy's own words when the shared memory is of another version. */
const versionWords =
  "[critical][assert] assert failure: hot restart version mismatch (parent 11.104, child 99.1)";

function scriptText(script: EnvoyScript, real: string): string {
  const lines = ["#!/bin/sh"];
  switch (script) {
    case "real":
      break;
    case "crash":
      lines.push('case "$*" in *generations/[0-9]*) kill -SEGV $$ ;; esac');
      break;
    case "other-version":
      lines.push('case "$*" in *--hot-restart-version*) echo 99.1; exit 0 ;; esac');
      lines.push(
        `case "$*" in *"--restart-epoch 0"*) ;; *--restart-epoch*) echo '${versionWords}' >&2; kill -ABRT $$ ;; esac`,
      );
      break;
    case "endless-validation":
      lines.push('case "$*" in *"--mode validate"*) sleep 3600; exit 1 ;; esac');
      break;
    case "endless-version":
      lines.push('case "$*" in *--hot-restart-version*) sleep 3600; exit 1 ;; esac');
      break;
    case "with-helper":
      lines.push('case "$*" in *generations/[0-9]*) sleep 30 & esac');
      break;
    case "deaf":
      lines.push("trap '' TERM", 'case "$*" in *generations/[0-9]*) while :; do sleep 1; done ;; esac');
      break;
    case "another-program":
      return "#!/bin/sh\nexit 0\n";
    case "not-executable":
      return "\u007fELF, but no further\n";
  }
  return [...lines, `exec '${real}' "$@"`, ""].join("\n");
}

export class ScriptedEnvoy {
  readonly path: string;
  readonly #real: string;

  private constructor(path: string, real: string) {
    this.path = path;
    this.#real = real;
    this.become("real");
  }

  static async in(folder: string): Promise<ScriptedEnvoy> {
    return new ScriptedEnvoy(join(folder, "envoy"), await testEnvoy());
  }

  /** Replace the program, as a package manager does. */
  become(script: EnvoyScript): void {
    writeFileSync(`${this.path}.new`, scriptText(script, this.#real), { mode: 0o755 });
    renameSync(`${this.path}.new`, this.path);
  }
}
