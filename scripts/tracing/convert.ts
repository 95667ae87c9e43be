import { writeFileSync } from "node:fs";
import { chromeTrace } from "./chrome.ts";
import { readTrace } from "./read.ts";
import { svgTrace } from "./svg.ts";

const [file, out, traceId] = process.argv.slice(2);
if (file === undefined || out === undefined) {
  console.error("usage: scripts/trace FILE OUT [TRACE-ID]");
  process.exit(2);
}
const spans = readTrace(file, traceId);
writeFileSync(`${out}.json`, chromeTrace(spans));
writeFileSync(`${out}.svg`, svgTrace(spans));
