import { constants } from "node:os";

const names = new Set([...Object.keys(constants.signals).map((name) => name.slice(3)), "STKFLT"]);

/** Whether the text names a Linux signal, with or without `SIG`, real-time ones included, or is a number but 0, as the real engine has it. */
export function isSignal(text: string): boolean {
  if (/^[+-]?\d+$/.test(text)) return Number(text) !== 0;
  const name = text.toUpperCase().replace(/^SIG/, "");
  return names.has(name) || /^RT(?:MIN(?:\+(?:[1-9]|1[0-5]))?|MAX(?:-(?:[1-9]|1[0-4]))?)$/.test(name);
}
