import { constants } from "node:os";

export { parseSignal } from "@longshore/go-values";
export const { SIGKILL } = constants.signals;
