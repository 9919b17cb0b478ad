import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { doctorCommand } from "../../../src/cli/doctor.ts";
import { examineAgent } from "../../../src/cli/examine.ts";
import { programOf } from "../../../src/cli/program.ts";
import type { CommandContext } from "../../../src/command/command.ts";
import { parseCommandLine } from "../../../src/command/parse.ts";
import { redacted } from "../../../src/telemetry/redact.ts";

test("no finding that leaves the examination has a secret of the configuration in it, whoever writes it down", async () => {
  const secret = "zq7hunter2secretvalue";
  const proxyConfig = { statusPort: 0, configPath: "/nonexistent", discoveryAddress: `${secret}:15012` };
  const context: Pick<CommandContext, "env" | "print" | "printError" | "templates" | "terminal"> = {
    env: { DATABASE_PASSWORD: secret, PROXY_CONFIG: JSON.stringify(proxyConfig) },
    print: () => undefined,
    printError: () => undefined,
    templates: join(import.meta.dirname, "../../../bootstrap-templates"),
    terminal: undefined,
  };
  const invocation = await parseCommandLine([doctorCommand.name], programOf([doctorCommand]));
  assert.equal(invocation.kind, "run");
  const examined = await examineAgent(invocation.args, context as CommandContext);
  const text = JSON.stringify(examined?.findings);
  assert.ok(text.includes(`${redacted}:15012`), text);
  assert.ok(!text.includes(secret), text);
});
