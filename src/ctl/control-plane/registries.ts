/** Registries as a control plane's pages have them. */
import { at, textAt } from "../../lifecycle/json-path.ts";
import type { RegistryStatus } from "./control-plane.ts";

/** Those of its sources that may be gone: files are always there. */
export function registriesIn(sources: readonly unknown[]): readonly RegistryStatus[] {
  return sources.flatMap((source): readonly RegistryStatus[] => {
    const [isUp, ageSeconds] = [at(source, "isUp"), at(source, "ageSeconds")];
    if (typeof isUp !== "boolean") return [];
    const name = textAt(source, "name") ?? "";
    return [{ name, isUp, ageSeconds: typeof ageSeconds === "number" ? ageSeconds : 0 }];
  });
}
