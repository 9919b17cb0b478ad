import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { commandGroups, commands } from "../../../src/cli/commands.ts";
import { programOf } from "../../../src/cli/program.ts";
import { bashCompletion } from "../../../src/command/completion/bash.ts";
import { fishCompletion } from "../../../src/command/completion/fish.ts";
import { type OfferedCommand, offersOf } from "../../../src/command/completion/offers.ts";
import { zshCompletion } from "../../../src/command/completion/zsh.ts";
import { outriderctl } from "../../../src/ctl/program.ts";
import { announce } from "../../../src/status/announcement.ts";
import { hasProgram } from "../../support/installed.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const programs = {
  outrider: [offersOf(programOf(commands, commandGroups)), []],
  outriderctl: [offersOf(outriderctl), outriderctl.prefixes],
} as const;

/** The program of a line, what it offers, and what may stand before a command. */
function programIn(line: string): readonly [string, readonly OfferedCommand[], readonly string[]] {
  const name = line.startsWith("outriderctl") ? "outriderctl" : "outrider";
  const [offers, prefixes = []] = programs[name];
  return [name, offers, prefixes];
}

interface Shell {
  readonly name: "bash" | "zsh" | "fish";
  /** What the shell offers for a line that ends where the cursor is. */
  readonly complete: (line: string, folder: string) => readonly string[];
}

/** The shell with nothing of the developer's, in a folder that holds one file. */
function ask(file: string, args: readonly string[], folder: string): readonly string[] {
  const { PATH = "" } = process.env;
  const env = {
    PATH: `${folder}/bin:${PATH}`,
    HOME: folder,
    TERM: "xterm",
    LC_ALL: "C.UTF-8",
    OUTRIDER_RUNTIME_FOLDER: `${folder}/run`,
  };
  const output = execFileSync(file, args, { cwd: folder, env, encoding: "utf8", timeout: 120_000 });
  return output.split("\n").filter((line) => line !== "");
}

const bash: Shell = {
  name: "bash",
  complete: (line, folder) => {
    const script = join(folder, ".completion");
    const [name] = programIn(line);
    writeFileSync(script, bashCompletion(...programIn(line)));
    // As readline splits it: the equals sign is one of COMP_WORDBREAKS.
    const words = line.split(/ +|(=)/).filter((word) => word !== undefined);
    const quoted = words.map((word) => `'${word}'`).join(" ");
    return ask(
      "bash",
      [
        "--norc",
        "-c",
        `source ${script}; complete -p ${name} >/dev/null || exit 3
         COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _${name}; printf '%s\\n' "\${COMPREPLY[@]}"`,
      ],
      folder,
    );
  },
};

const fish: Shell = {
  name: "fish",
  complete: (line, folder) => {
    const script = join(folder, ".completion");
    const [name, offers] = programIn(line);
    writeFileSync(script, fishCompletion(name, offers));
    return ask(
      "fish",
      ["--no-config", "-c", `source ${script}; complete --do-complete ${JSON.stringify(line)}`],
      folder,
    ).map((offer) => (offer.split("\t")[0] ?? "").replace(/^--.*=/, ""));
  },
};

/** zsh completes in its line editor only, so one runs in a terminal that another zsh gives it. */
const zsh: Shell = {
  name: "zsh",
  complete: (line, folder) => {
    const script = join(folder, ".completion");
    writeFileSync(script, zshCompletion(...programIn(line)));
    const driver = `
      zmodload zsh/zpty
      zpty shell zsh -f -i
      zpty -w shell "PS1= RPS1=; stty cols 200 rows 500; unsetopt zle_bracketed_paste 2>/dev/null; unset zle_bracketed_paste"
      zpty -w shell "autoload -Uz compinit; compinit -u -D; source ${script}; LISTMAX=10000"
      zpty -w shell 'zstyle ":completion:*" verbose no; zstyle ":completion:*" list-separator ""; setopt auto_list; unsetopt auto_menu list_ambiguous list_beep'
      # Whatever the completion inserts or offers is put between marks.
      zpty -w shell 'compadd() { local -a found; builtin compadd -O found "$@"; offers+=("$found[@]"); builtin compadd "$@" }'
      zpty -w shell 'show() { offers=(); zle complete-word; print -r -- "<<$offers>>"; }; zle -N show; bindkey "^I" show; typeset -ga offers; print -r -- rea""dy'
      local output="" part=""
      while [[ $output != *ready* ]]; do zpty -r shell part || exit 4; output+="$part"; done
      zpty -w -n shell $'${line}\\t'
      output=""
      while [[ $output != *'>>'* ]]; do zpty -r shell part || exit 5; output+="$part"; done
      print -r -- "$output"
      zpty -d shell`;
    const output = ask("zsh", ["-f", "-c", driver], folder).join("\n");
    const [, found = ""] = /<<(.*?)>>/s.exec(output) ?? [];
    return found.split(/\s+/).filter((word) => word !== "");
  },
};

/** outrider on the PATH of the shells, and agents that say that they are here. */
function agents(folder: string, pids: Readonly<Record<string, number>>): DisposableStack {
  mkdirSync(join(folder, "bin"));
  const main = join(import.meta.dirname, "../../../src/main.ts");
  writeFileSync(join(folder, "bin/outrider"), `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`, {
    mode: 0o700,
  });
  const ports = { statusPort: 15_020, adminPort: 15_000, envoyStatusPort: 15_021 };
  const stack = new DisposableStack();
  for (const [name, pid] of Object.entries(pids))
    stack.use(announce(join(folder, "run"), { name, pid, ...ports, configPath: folder }));
  return stack;
}

for (const shell of [bash, zsh, fish]) {
  describe(`completion in a real ${shell.name}`, () => {
    const offered = (line: string): readonly string[] => {
      using folder = temporaryFolder();
      writeFileSync(join(folder.path, "mesh.yaml"), "");
      return shell.complete(line, folder.path);
    };

    test("offers commands, flags of a command and values, by what was typed", (t) => {
      if (!hasProgram(t, shell.name)) return;
      const all = offered("outrider ");
      for (const { name } of commands) assert.ok(all.includes(name), `${name} is not in ${all.join(" ")}`);
      assert.deepEqual(offered("outrider istio-c"), ["istio-clean-iptables"]);
      const flags = offered("outrider up --in");
      assert.ok(
        flags.some((flag) => flag.startsWith("--intervalMs")),
        flags.join(" "),
      );
      for (const line of ["outrider proxy --swapMode hot ", "outrider proxy --swapMode=hot "]) {
        const types = offered(line);
        assert.ok(types.includes("sidecar"), `the value of a flag is no word: ${line}: ${types.join(" ")}`);
      }
      assert.ok(!flags.some((flag) => flag.startsWith("--json")), "a flag of another command");
      for (const line of ["outrider proxy --swapMode ", "outrider proxy --swapMode="]) {
        const modes = offered(line);
        for (const mode of ["auto", "overlap", "hot", "cold"])
          assert.ok(modes.includes(mode), `${line}: ${modes.join(" ")}`);
      }
      const types = offered("outrider proxy ");
      for (const type of ["sidecar", "router"]) assert.ok(types.includes(type), types.join(" "));
    });

    test("takes other names of a command, and words before it", (t) => {
      if (!hasProgram(t, shell.name)) return;
      const isThere = (line: string, wanted: string): void => {
        const found = offered(line);
        assert.ok(
          found.some((word) => word.startsWith(wanted)),
          `${line}: ${found.join(" ")}`,
        );
      };
      isThere("outriderctl pc ", "listener");
      isThere("outriderctl ps --xds", "--xds-address");
      isThere("outriderctl x analyze --fail", "--failure-threshold");
    });

    test("offers the agents that run here as a name", (t) => {
      if (!hasProgram(t, shell.name)) return;
      using folder = temporaryFolder();
      using _agents = agents(folder.path, { "web-1.demo": process.pid, "api-1.demo": process.ppid });
      const found = (line: string): readonly string[] => shell.complete(line, folder.path).toSorted();
      const names = ["api-1.demo", "web-1.demo"];
      assert.deepEqual(found("outrider status --name "), names);
      assert.deepEqual(found("outrider doctor --name="), names);
      assert.deepEqual(found("outrider reload --name we"), ["web-1.demo"]);
    });
  });
}

test("bash offers a name as it is: nothing in it is run", (t) => {
  if (!hasProgram(t, "bash")) return;
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, "bin"));
  writeFileSync(join(folder.path, "bin/outrider"), "#!/bin/sh\necho 'web-$(touch${IFS}hit) a*'\n", {
    mode: 0o700,
  });
  const found = bash.complete("outrider status --name ", folder.path);
  assert.deepEqual(found, [String.raw`web-\$\(touch\$\{IFS\}hit\)`, String.raw`a\*`]);
  assert.ok(!existsSync(join(folder.path, "hit")));
});
