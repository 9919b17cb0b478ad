/**
 * Where this process' control group has its files (cgroups(7)).
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cpuQuota, parseCpuMax } from "./cpu.ts";

const mountPoint = "/sys/fs/cgroup";

/** A controller's folders, most specific first: inside a container only the mount's root may be visible. */
export function controllerFolders(membership: string, controller: string): readonly string[] {
  const rows = membership.split("\n").map((line) => {
    const [, controllers = "", path = "/"] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    return { controllers: controllers.split(","), path };
  });
  const legacy = rows.find(({ controllers }) => controllers.includes(controller));
  const unified = rows.find(({ controllers }) => controllers[0] === "");
  return [
    ...(legacy === undefined
      ? []
      : [join(mountPoint, legacy.controllers.join(","), legacy.path), join(mountPoint, controller)]),
    ...(unified === undefined ? [] : [join(mountPoint, unified.path), mountPoint]),
  ];
}

/** CPUs' worth of time of this process' group; undefined without a limit. */
export function cpuLimit(): number | undefined {
  const folders = controllerFolders(readFileSync("/proc/self/cgroup", "utf8"), "cpu");
  for (const folder of folders) {
    const unified = join(folder, "cpu.max");
    if (existsSync(unified)) return parseCpuMax(readFileSync(unified, "utf8"));
    const quota = join(folder, "cpu.cfs_quota_us");
    if (existsSync(quota)) {
      return cpuQuota(readFileSync(quota, "utf8"), readFileSync(join(folder, "cpu.cfs_period_us"), "utf8"));
    }
  }
  return undefined;
}
