/**
 * Texts of configuration become objects, and everything that is wrong with each and among them. Pure.
 */
import { analyze } from "../../controlplane/config/analysis/analyze.ts";
import type { ConfigObject } from "../../controlplane/config/objects.ts";
import {
  type ParsedFile,
  parseDocuments,
  passedOverMessage,
} from "../../controlplane/config/parse-documents.ts";
import { refusedBy } from "../../controlplane/config/refused.ts";
import type { ConfigProblem } from "../../controlplane/config/problem.ts";
import { atOnce } from "../../lifecycle/in-turns.ts";
import { mergeFiles } from "../../controlplane/registry/file/merge-files.ts";
import { checks } from "./checks/checks.ts";
import { analyzedMesh, clusterServices } from "./checks/mesh.ts";
import { kubernetesObjects } from "./kubernetes-objects.ts";

/** What they hold. */
export interface Inputs {
  readonly objects: readonly ConfigObject[];
  /** Texts that hold an object, whosever kind it is. */
  readonly sources: ReadonlySet<string>;
  /** Of single objects, and of what they do to each other. */
  readonly problems: readonly ConfigProblem[];
  /** Those of single objects. */
  readonly ownProblems: readonly ConfigProblem[];
}

/** @param unseen problems of files and folders that could not be looked at */
export function inputsOf(texts: ReadonlyMap<string, string>, unseen: readonly ConfigProblem[]): Inputs {
  const parsed = [...texts].map(([source, text]): ParsedFile => parseDocuments(source, text));
  const { objects, problems: ownProblems } = atOnce(mergeFiles(parsed, unseen, []));
  const kubernetes = [...texts].flatMap(([source, text]) => kubernetesObjects(source, text));
  const mesh = analyzedMesh(objects, kubernetes);
  const ofMesh = analyze(objects, [...clusterServices(kubernetes).keys()], refusedBy(ownProblems));
  return {
    objects,
    sources: new Set([...objects, ...kubernetes].map(({ source }) => source)),
    ownProblems,
    problems: [...ownProblems.filter(isOfAnalysis), ...ofMesh, ...checks.flatMap((check) => check(mesh))],
  };
}

/** What is passed over when objects are served is looked at here. */
function isOfAnalysis({ path, message }: ConfigProblem): boolean {
  return path !== "kind" || !message.startsWith(passedOverMessage);
}
