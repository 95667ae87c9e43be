export { Filters, hasLabel } from "./filters.ts";
