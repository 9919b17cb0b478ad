/** Which modules have to be loaded anew when one of them changes. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Every module from which `path` is reached by imports, and itself; all of them relative to the folder. */
export function importersOf(path: string, root: string): ReadonlySet<string> {
  const importers = new Map<string, string[]>();
  for (const file of globSync(["src/**/*.ts", "test/**/*.ts"], { cwd: root })) {
    const text = readFileSync(join(root, file), "utf8");
    for (const [, specifier = ""] of text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
      const target = join(dirname(file), specifier);
      importers.set(target, [...(importers.get(target) ?? []), file]);
    }
  }
  const found = new Set<string>([path]);
  for (const reached of found) for (const importer of importers.get(reached) ?? []) found.add(importer);
  return found;
}
