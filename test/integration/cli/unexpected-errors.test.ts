/** An error that nothing catches ends a command with one clear line and exit code 1, whatever the command. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { runOutrider, sources } from "../../support/outrider.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

/** The program, with an error that comes up once it is at work. */
function failing(how: string): { readonly file: string; readonly args: readonly string[] } {
  const preload =
    "data:text/javascript,const timer = setInterval(() => {" +
    "if (process.listenerCount('uncaughtException') === 0) return;" +
    `clearInterval(timer); ${how} }, 20)`;
  return { file: sources.file, args: ["--import", preload, ...sources.args] };
}

describe("an unexpected error", { concurrency: true }, () => {
  for (const [what, how] of [
    ["thrown in a callback", 'throw new Error("broken", { cause: new Error("why") })'],
    ["of a promise", 'Promise.reject(new Error("broken", { cause: new Error("why") }))'],
  ] as const) {
    for (const args of [
      ["wait", "--url=http://127.0.0.1:1/", "--timeoutSeconds=60"],
      ["run", "--quitSidecar=false", "--url=http://127.0.0.1:1/", "--", "true"],
      ["discovery", "--secureGrpcPort=0", "--grpcPort=0", "--httpPort=0", "--configDir=mesh"],
    ] as const) {
      test(`${what} ends outrider ${args[0]} with a line that says what it was`, async () => {
        using folder = temporaryFolder();
        mkdirSync(join(folder.path, "mesh"));
        const { exit, output } = await runOutrider({
          program: failing(how),
          args,
          cwd: folder.path,
          withinMs: 30_000,
        });
        assert.deepEqual(exit, { kind: "exited", code: 1 });
        // Of a command with a log it is a line of that.
        const before = args[0] === "discovery" ? String.raw`20\S+\tfatal\t` : "";
        assert.match(
          output,
          new RegExp(`^${before}outrider ends: an unexpected error in the program: broken: why$`, "m"),
        );
        assert.match(output, /^ +at /m);
        assert.doesNotMatch(output, /Node\.js v/);
      });
    }
  }
});
