/** `node --test --test-update-snapshots` with this file, and with ISTIOD_PATH, writes down what differs now. */
import { test } from "node:test";
import { goldenText } from "../support/golden.ts";
import { compareScene, type ComparedScene, sceneNames } from "../support/istiod/compare-scenes.ts";
import { startIstiod } from "../support/istiod/istiod.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Values in the text that is shown are cut at this length. */
const shownLength = 160;

test("the translation differs from a real istiod's where it is written down, and nowhere else", async (t) => {
  using folder = temporaryFolder();
  await using istiod = await startIstiod(folder.path, {});
  const scenes: ComparedScene[] = [];
  for (const name of sceneNames()) {
    const scene = await compareScene(istiod, name);
    scenes.push(scene);
    for (const line of details(scene)) console.log(line);
  }
  const equal = scenes.filter(({ found }) => found.length === 0).length;
  console.log(`${scenes.length} scenes, ${equal} equal`);
  goldenText(t, "istiod/differences.txt", scenes.flatMap(summary).join("\n") + "\n");
});

/** Which fields, without their values, which others decide. */
function summary({ name, found }: ComparedScene): readonly string[] {
  if (typeof found === "string") return [`${name}: not compared`];
  // What istiod sends comes in an order of its own.
  const inOrder = found.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const fields = inOrder.map(({ path, ours, theirs }) => {
    const what = ours === undefined ? "missing" : theirs === undefined ? "surplus" : "differs";
    return `  ${what} ${path}`;
  });
  return fields.length === 0 ? [`${name}: equal`] : [`${name}:`, ...fields];
}

function details({ name, found }: ComparedScene): readonly string[] {
  if (typeof found === "string") return [`${name}: ${found}`];
  const shown = (value: unknown): string =>
    (value === undefined ? "nothing" : JSON.stringify(value)).slice(0, shownLength);
  return [
    `${name}: ${found.length === 0 ? "equal" : "differs"}`,
    ...found.flatMap(({ path, ours, theirs }) => [
      `  ${path}`,
      `    ours ${shown(ours)}`,
      `    istiod's ${shown(theirs)}`,
    ]),
  ];
}
