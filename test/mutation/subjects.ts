/** What mutants are made of, and which tests are to find them: tests that need no process. */

export interface Subject {
  /** Folder or file whose sources are changed. */
  readonly sources: string;
  /** Those that find most come first. */
  readonly tests: readonly string[];
}

export const subjects: Readonly<Record<string, Subject>> = {
  "controlplane/networking": {
    sources: "src/controlplane/networking",
    tests: ["test/unit/controlplane/networking/**/*.test.ts", "test/unit/controlplane/*.test.ts"],
  },
  "config/merging": {
    sources: "src/config/proxy-config/merge.ts",
    tests: ["test/unit/config/proxy-config/*.test.ts"],
  },
};

/** Share of the mutants of a subject that have to be found. */
export const leastShare = 0.8;
