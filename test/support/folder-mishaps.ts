/** What befalls a folder of configuration. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { type ConfigurationFolder, serviceEntry } from "./configuration-folder.ts";

export interface Mishap {
  readonly what: string;
  readonly prepare?: (folder: string) => void;
  readonly damage: (fixture: ConfigurationFolder) => void;
  /** Undefined for what is no problem at all. */
  readonly problem?: RegExp;
  readonly mend?: (fixture: ConfigurationFolder) => void;
}

const inLatin1 = (path: string): Buffer => Buffer.from(path, "latin1");

const away = (fixture: ConfigurationFolder): string => `${fixture.folder}-away`;

export const mishaps: readonly Mishap[] = [
  {
    what: "replaced by another",
    damage: (fixture) => {
      mkdirSync(`${fixture.folder}-new`);
      writeFileSync(join(`${fixture.folder}-new`, "api.yaml"), serviceEntry("api"));
      renameSync(fixture.folder, away(fixture));
      renameSync(`${fixture.folder}-new`, fixture.folder);
    },
  },
  {
    what: "renamed away and back",
    damage: (fixture) => {
      renameSync(fixture.folder, away(fixture));
    },
    problem: /mesh: cannot be read: ENOENT/,
    mend: (fixture) => {
      renameSync(away(fixture), fixture.folder);
    },
  },
  {
    what: "removed and made anew",
    damage: ({ folder }) => {
      rmSync(folder, { recursive: true });
    },
    problem: /mesh: cannot be read: ENOENT/,
    mend: (fixture) => {
      mkdirSync(fixture.folder);
      writeFileSync(fixture.path("api.yaml"), serviceEntry("api"));
    },
  },
  {
    what: "a file in the folder's place",
    damage: (fixture) => {
      renameSync(fixture.folder, away(fixture));
      writeFileSync(fixture.folder, "");
    },
    problem: /mesh: cannot be read: ENOTDIR/,
    mend: (fixture) => {
      unlinkSync(fixture.folder);
      renameSync(away(fixture), fixture.folder);
    },
  },
  {
    what: "a link to itself in the folder's place",
    damage: (fixture) => {
      renameSync(fixture.folder, away(fixture));
      symlinkSync("mesh", fixture.folder);
    },
    problem: /mesh: cannot be read: ELOOP/,
    mend: (fixture) => {
      unlinkSync(fixture.folder);
      renameSync(away(fixture), fixture.folder);
    },
  },
  {
    what: "unreadable and back",
    damage: ({ folder }) => {
      chmodSync(folder, 0o000);
      // Root reads everything.
      if (process.getuid?.() === 0) process.seteuid?.(65_534);
    },
    problem: /mesh: cannot be read: EACCES/,
    mend: ({ folder }) => {
      if (process.getuid?.() === 0) process.seteuid?.(0);
      chmodSync(folder, 0o755);
    },
  },
  {
    what: "a link to itself among the files",
    damage: (fixture) => {
      symlinkSync("loop.yaml", fixture.path("loop.yaml"));
    },
    problem: /loop\.yaml: cannot be read: ELOOP/,
    mend: (fixture) => {
      unlinkSync(fixture.path("loop.yaml"));
    },
  },
  {
    what: "a link that leads nowhere",
    damage: (fixture) => {
      symlinkSync("/nowhere.yaml", fixture.path("lost.yaml"));
    },
    problem: /lost\.yaml: cannot be read: ENOENT/,
    mend: (fixture) => {
      unlinkSync(fixture.path("lost.yaml"));
    },
  },
  {
    what: "links from folder to folder in a circle",
    damage: (fixture) => {
      mkdirSync(fixture.path("a"));
      symlinkSync("..", fixture.path("a/b"));
      symlinkSync(".", fixture.path("c"));
    },
  },
  {
    what: "a FIFO that nobody writes to",
    damage: (fixture) => {
      execFileSync("mkfifo", [fixture.path("pipe.yaml")]);
    },
    problem: /pipe\.yaml: is not a regular file/,
    mend: (fixture) => {
      unlinkSync(fixture.path("pipe.yaml"));
    },
  },
  {
    what: "a device that never ends",
    damage: (fixture) => {
      symlinkSync("/dev/zero", fixture.path("zero.yaml"));
    },
    problem: /zero\.yaml: is not a regular file/,
    mend: (fixture) => {
      unlinkSync(fixture.path("zero.yaml"));
    },
  },
  {
    what: "a file too large",
    damage: (fixture) => {
      writeFileSync(fixture.path("large.yaml"), "");
      truncateSync(fixture.path("large.yaml"), 17 * 2 ** 20);
    },
    problem: /large\.yaml: cannot be read: .*has more than/,
    mend: (fixture) => {
      unlinkSync(fixture.path("large.yaml"));
    },
  },
  {
    what: "a file of brackets",
    damage: (fixture) => {
      writeFileSync(fixture.path("deep.yaml"), "[".repeat(100_000));
    },
    problem: /deep\.yaml: /,
    mend: (fixture) => {
      unlinkSync(fixture.path("deep.yaml"));
    },
  },
  {
    what: "a file whose name is no UTF-8",
    damage: (fixture) => {
      writeFileSync(inLatin1(fixture.path("x\u00e4.yaml")), serviceEntry("x"));
    },
    problem: /x\ufffd\.yaml: has a name that is no UTF-8/,
    mend: (fixture) => {
      unlinkSync(inLatin1(fixture.path("x\u00e4.yaml")));
    },
  },
  {
    what: "a half-written file",
    damage: (fixture) => {
      writeFileSync(fixture.path("api.yaml"), serviceEntry("api").slice(0, 150));
    },
    problem: /api\.yaml: /,
    mend: (fixture) => {
      writeFileSync(fixture.path("api.yaml"), serviceEntry("api"));
    },
  },
  {
    what: "an object with a wrong value",
    damage: (fixture) => {
      writeFileSync(fixture.path("api.yaml"), serviceEntry("api").replace("STATIC", "STATICAL"));
    },
    problem: /api\.yaml: must be one of STATIC/,
    mend: (fixture) => {
      writeFileSync(fixture.path("api.yaml"), serviceEntry("api"));
    },
  },
  {
    what: "the same object a second time",
    damage: (fixture) => {
      writeFileSync(fixture.path("copy.yaml"), serviceEntry("api"));
    },
    problem: /copy\.yaml: ServiceEntry demo\/api is already in/,
    mend: (fixture) => {
      unlinkSync(fixture.path("copy.yaml"));
    },
  },
  {
    what: "the files of editors",
    damage: (fixture) => {
      writeFileSync(fixture.path(".api.yaml.swp"), Buffer.alloc(4_096, 0xff));
      symlinkSync("somebody@somewhere.1234:5678", fixture.path(".#api.yaml"));
      writeFileSync(fixture.path("#api.yaml#"), "kind: [");
      writeFileSync(fixture.path("api.yaml~"), "kind: [");
      writeFileSync(fixture.path(".api.yaml"), "kind: [");
      writeFileSync(fixture.path("4913"), "");
      // As vim and most tools save: a new file takes the name.
      writeFileSync(fixture.path("api.yaml.tmp"), serviceEntry("api"));
      renameSync(fixture.path("api.yaml.tmp"), fixture.path("api.yaml"));
    },
  },
];
