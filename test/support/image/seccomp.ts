/** The default seccomp profile of container engines, in the form that an OCI runtime takes. */
import { existsSync, readFileSync } from "node:fs";

/** From Debian's golang-github-containers-common, in the format of Docker's and Podman's profiles. */
const profilePath = "/usr/share/containers/seccomp.json";

interface Condition {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
}

interface Rule {
  readonly names: readonly string[];
  readonly action: string;
  readonly args?: readonly object[] | null;
  readonly errnoRet?: number;
  readonly includes?: Condition;
  readonly excludes?: Condition;
}

interface Profile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly archMap: readonly {
    readonly architecture: string;
    readonly subArchitectures: readonly string[];
  }[];
  readonly syscalls: readonly Rule[];
}

const architecture = process.arch === "arm64" ? "SCMP_ARCH_AARCH64" : "SCMP_ARCH_X86_64";
const goArchitecture = process.arch === "arm64" ? "arm64" : "amd64";

/** For a container with these capabilities; undefined where the machine has no profile. */
export function defaultSeccomp(capabilities: readonly string[]): object | undefined {
  if (!existsSync(profilePath)) return undefined;
  const profile = JSON.parse(readFileSync(profilePath, "utf8")) as Profile;
  const holds = ({ caps = [], arches = [] }: Condition): readonly boolean[] => [
    ...(caps.length > 0 ? [caps.some((name) => capabilities.includes(name))] : []),
    ...(arches.length > 0 ? [arches.includes(goArchitecture)] : []),
  ];
  const applies = ({ includes = {}, excludes = {} }: Rule): boolean =>
    holds(includes).every(Boolean) && !holds(excludes).some(Boolean);
  const map = profile.archMap.find((entry) => entry.architecture === architecture);
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures: [architecture, ...(map?.subArchitectures ?? [])],
    syscalls: profile.syscalls.filter(applies).map(({ names, action, args, errnoRet }) => ({
      ...{ names, action },
      ...(args === undefined || args === null || args.length === 0 ? {} : { args }),
      ...(errnoRet === undefined ? {} : { errnoRet }),
    })),
  };
}
