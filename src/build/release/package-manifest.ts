/** The release as a package of npm: https://docs.npmjs.com/cli/configuring-npm/package-json */

/** Of the repository's own manifest. */
export interface OwnManifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
}

/**
 * `package.json` of the release, which brings its own Node.js: it runs on one kind of machine, needs no other package, and has
 * nothing to run when it is installed.
 *
 * @param cpu as `process.arch` has it
 */
export function packageManifest({ name, version, description, license }: OwnManifest, cpu: string): string {
  const manifest = {
    ...{ name, version, description, license },
    ...{ os: ["linux"], cpu: [cpu], bin: { outrider: "bin/outrider", outriderctl: "bin/outriderctl" } },
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
