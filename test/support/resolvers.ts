/** Resolvers as applications bring them along: those of glibc, musl and Go, each as a small program, and dig(1). */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

const sources = join(import.meta.dirname, "fixtures/resolvers");

/** What each needs on the machine. */
export const resolverTools = ["cc", "musl-gcc", "go", "dig", "dnsmasq"] as const;

/** Compile them into a folder; their paths by name. */
export function buildResolvers(folder: string): Readonly<Record<"glibc" | "musl" | "go", string>> {
  const at = (name: string): string => join(folder, name);
  const build = (file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void => {
    execFileSync(file, args, { stdio: "pipe", env: { ...process.env, ...env } });
  };
  const c = join(sources, "resolve.c");
  build("cc", ["-o", at("glibc"), c]);
  build("musl-gcc", ["-static", "-o", at("musl"), c]);
  // Without C its own resolver is the only one.
  build("go", ["build", "-o", at("go"), join(sources, "resolve.go")], { CGO_ENABLED: "0" });
  return { glibc: at("glibc"), musl: at("musl"), go: at("go") };
}
