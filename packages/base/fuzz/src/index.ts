export { Random } from "./random.ts";
export { fuzz } from "./rounds.ts";
