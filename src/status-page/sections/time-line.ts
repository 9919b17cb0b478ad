/** Generations on a time line: who served when, and how each ended. */
import type { GenerationReport } from "../../status/contract/agent-report.ts";
import { html, type Html } from "../html.ts";

/** Rows that are drawn. */
const shownGenerations = 8;
/** Longest time that is drawn, in milliseconds: what was before begins at the left edge. */
const longestMs = 3_600_000;
/** Units of the picture. */
const [width, rowHeight, labelWidth] = [600, 20, 44];

/** A bar for each phase of each generation, the newest below. */
export function timeLine(generations: readonly GenerationReport[], now: Date): Html | undefined {
  const shown = generations.slice(-shownGenerations);
  const [first] = shown;
  if (first === undefined) return undefined;
  const end = now.getTime();
  const begin = Math.max(Date.parse(first.startedAt), end - longestMs);
  const x = (ms: number): number => {
    const share = (Math.max(begin, ms) - begin) / Math.max(1, end - begin);
    return Math.round(labelWidth + share * (width - labelWidth));
  };
  const height = shown.length * rowHeight;
  return html`<svg
    class="time-line"
    viewBox="0 0 ${width} ${height}"
    role="img"
    aria-label="${described(shown)}"
  >
    ${shown.map((generation, row) => bars(generation, row * rowHeight, x, end))}
  </svg>`;
}

function bars(generation: GenerationReport, top: number, x: (ms: number) => number, now: number): Html {
  const { phases, end } = generation;
  const last = end === undefined ? now : Date.parse(end.at);
  return html`<text x="0" y="${top + 14}">${generation.generation}</text>${phases.map(
      ({ kind, at }, index) => {
        const until = phases[index + 1]?.at;
        const [left, right] = [x(Date.parse(at)), x(until === undefined ? last : Date.parse(until))];
        return html`<rect
          class="phase ${kind}"
          x="${left}"
          y="${top + 3}"
          width="${Math.max(2, right - left)}"
          height="14"
          ><title>${kind}</title></rect
        >`;
      },
    )}${
      end === undefined
        ? undefined
        : html`<text
            class="end ${end.reason === "asked" ? "asked" : "unasked"}"
            x="${x(last) - 6}"
            y="${top + 15}"
            >${end.reason === "asked" ? "■" : "✖"}<title>${end.message}</title></text
          >`
    }`;
}

function described(generations: readonly GenerationReport[]): string {
  const each = generations.map(({ generation, phases, end }) => {
    const how = end === undefined ? (phases.at(-1)?.kind ?? "started") : `ended, ${end.reason}`;
    return `generation ${generation} ${how}`;
  });
  return `Time line: ${each.join("; ")}`;
}
