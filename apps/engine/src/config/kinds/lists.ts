import { InvalidArgument } from "@longshore/errdefs";
import { list as listShape, text } from "@longshore/go-json";
import { parseAddress } from "../../listeners/address.ts";
import { decodeMember, type Kind } from "./kind.ts";

/** Of a list in daemon.json; `null` is an empty text. */
export function readTexts(value: unknown, path: readonly string[]): string[] {
  return decodeMember(path, listShape(text), value) ?? [];
}

/** A flag that may be repeated, and a list in daemon.json. @param check throws InvalidArgument for what the command line refuses at once */
function list(check: (text: string) => void = () => undefined): Kind<string[]> {
  return {
    placeholder: "list",
    parse(given, before = []) {
      check(given);
      return [...before, given];
    },
    read: readTexts,
  };
}

export const texts = list();

export const hosts = list((given) => void parseAddress(given));

export const labels = list((given) => {
  if (!given.includes("=")) throw new InvalidArgument(`bad attribute format: ${given}`);
});
