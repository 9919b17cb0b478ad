/**
 * outriderctl.
 */
import { fromIstioctl } from "./ctl/istioctl-words.ts";
import { outriderctl } from "./ctl/program.ts";
import { runProgram } from "./run-program.ts";

runProgram(outriderctl, fromIstioctl(process.argv.slice(2)));
