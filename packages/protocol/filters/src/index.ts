export { mapField } from "./adapt.ts";
export { type Adaptor, type Filter, always, any } from "./filter.ts";
export { parse, parseAll } from "./parser.ts";
