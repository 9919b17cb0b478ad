/** `npm run build`: the release in `dist/`. */
import { join } from "node:path";
import { makeDist } from "./release/dist.ts";

await makeDist(join(import.meta.dirname, "../.."), process.env);
