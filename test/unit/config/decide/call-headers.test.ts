import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { callHeaders } from "../../../../src/config/decide/call-headers.ts";
import type { ConfigProblem } from "../../../../src/schema/config-problem.ts";

function decide(env: Readonly<Record<string, string | undefined>>): {
  readonly headers: Readonly<Record<string, string>>;
  readonly problems: readonly ConfigProblem[];
} {
  const problems: ConfigProblem[] = [];
  return { headers: callHeaders(env, "XDS_HEADER_", problems), problems };
}

describe("XDS_HEADER_ and CA_HEADER_", () => {
  const sent = [
    ["a name in mixed case", { "XDS_HEADER_X-One": "1" }, { "x-one": "1" }],
    ["all that a name may hold", { "XDS_HEADER_a.B_c-9": "v" }, { "a.b_c-9": "v" }],
    [
      "a value as it is, but for blanks around it",
      { XDS_HEADER_X: "  Bearer a=b, c " },
      { x: "Bearer a=b, c" },
    ],
    ["an empty value", { XDS_HEADER_X: "" }, { x: "" }],
    ["bytes in base 64", { "XDS_HEADER_Key-Bin": "größe\n" }, { "key-bin": "Z3LDtsOfZQo=" }],
    ["names that differ in case", { XDS_HEADER_X: "1", XDS_HEADER_x: "2" }, { x: "1,2" }],
    [
      "a credential of one's own",
      { XDS_HEADER_Authorization: "Basic YQ==" },
      { authorization: "Basic YQ==" },
    ],
    ["nothing of other variables", { CA_HEADER_X: "1", MY_XDS_HEADER_Y: "2", XDS_HEADER: "3" }, {}],
    ["nothing of what is not set", { XDS_HEADER_X: undefined }, {}],
  ] as const;
  for (const [what, env, expected] of sent) {
    test(`send ${what}`, () => {
      assert.deepEqual(decide(env), { headers: expected, problems: [] });
    });
  }

  const refused = [
    ...["Connection", "Proxy-Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "HTTP2-Settings"],
    ...["Host", "TE", "Content-Type", "Content-Length", "User-Agent"],
    ...[":path", ":authority", ":foo", "grpc-timeout", "GRPC-Foo", "grpc-trace-bin"],
    ...["", "a b", "a:b", "ü", "a\n", "x~y"],
  ];
  for (const name of refused) {
    test(`refuse the name ${JSON.stringify(name)}, by its variable and with a remedy`, () => {
      const { headers, problems } = decide({ [`XDS_HEADER_${name}`]: "1", XDS_HEADER_Good: "2" });
      assert.deepEqual(headers, { good: "2" });
      assert.deepEqual(
        problems.map(({ source }) => source),
        [`XDS_HEADER_${name}`],
      );
      assert.match(problems[0]?.message ?? "", /remove|use /);
    });
  }

  for (const value of ["a\nb", "a\r\nx: y", "\u0000", "tab\t", "\u007f", "größe"]) {
    test(`refuse the value ${JSON.stringify(value)} without telling it`, () => {
      const { headers, problems } = decide({ XDS_HEADER_X: `secret${value}` });
      assert.deepEqual(headers, {});
      assert.equal(problems.length, 1);
      assert.doesNotMatch(JSON.stringify(problems), /secret/);
    });
  }
});
