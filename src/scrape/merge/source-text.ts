/** What a source writes, on its way into the merged exposition. */
export interface SourceText {
  /** What is passed on of `lines`, which are whole and end with a newline. */
  take(lines: Buffer): readonly Uint8Array[];
  /** It says that this was all. Undefined where its format says no such thing. */
  readonly hasEnded: boolean | undefined;
  /** What it writes is no exposition. */
  readonly isHopeless: boolean;
}
