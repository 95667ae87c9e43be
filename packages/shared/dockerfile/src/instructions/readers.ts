import { quoteText } from "@longshore/go-values";
import type { Linter } from "../lint/linter.ts";
import type { Statement } from "../source/statement.ts";
import { atLeastOne, commandLine, common, exactlyOne, noFlags, pairsOf } from "./common.ts";
import { copying, sourcesOf } from "./copying.ts";
import { checkDescription, descriptionOf } from "./description.ts";
import { parseDevice } from "./device.ts";
import { readFlags } from "./flags.ts";
import { readFrom } from "./from.ts";
import { healthcheckOf } from "./healthcheck.ts";
import type { Instruction, Stage } from "./instruction.ts";
import { mountSource } from "./run-mount.ts";

type Reader = (statement: Statement, linter: Linter) => Instruction | Stage;

/** What each keyword means. They throw Error with BuildKit's words. */
export const readers: Readonly<Record<string, Reader>> = {
  add: (statement) => {
    const words = copying(statement, "ADD");
    const flags = readFlags(statement.flags, {
      chown: "string",
      chmod: "string",
      link: "boolean",
      "keep-git-dir": "boolean",
      checksum: "string",
      unpack: "boolean",
      exclude: "strings",
    });
    return {
      ...common(statement),
      kind: "add",
      ...sourcesOf(statement, words, "ADD"),
      chown: flags.chown ?? "",
      chmod: flags.chmod ?? "",
      link: flags.link ?? false,
      keepGitDir: flags["keep-git-dir"],
      checksum: flags.checksum ?? "",
      unpack: flags.unpack,
      exclude: flags.exclude,
    };
  },
  arg: (statement, linter) => {
    const words = atLeastOne(statement, "ARG");
    const args = words.map((word) => {
      const equals = word.indexOf("=");
      if (equals === 0) throw new Error("ARG names can not be blank");
      const name = equals < 0 ? word : word.slice(0, equals);
      const value = equals < 0 ? undefined : word.slice(equals + 1);
      return { name, value, description: descriptionOf(statement, name) };
    });
    checkDescription(
      statement,
      linter,
      args.map((argument) => argument.name),
    );
    return { ...common(statement), kind: "arg", arguments: args };
  },
  cmd: (statement) => ({ ...noFlags(statement), kind: "cmd", command: commandLine(statement) }),
  copy: (statement) => {
    const words = copying(statement, "COPY");
    const flags = readFlags(statement.flags, {
      chown: "string",
      from: "string",
      chmod: "string",
      link: "boolean",
      exclude: "strings",
      parents: "boolean",
    });
    return {
      ...common(statement),
      kind: "copy",
      ...sourcesOf(statement, words, "COPY"),
      from: flags.from ?? "",
      chown: flags.chown ?? "",
      chmod: flags.chmod ?? "",
      link: flags.link ?? false,
      exclude: flags.exclude,
      parents: flags.parents ?? false,
    };
  },
  entrypoint: (statement) => ({ ...noFlags(statement), kind: "entrypoint", command: commandLine(statement) }),
  env: (statement) => ({ ...noFlags(statement), kind: "env", pairs: pairsOf(statement, "ENV") }),
  expose: (statement) => {
    const ports = atLeastOne(statement, "EXPOSE");
    return { ...noFlags(statement), kind: "expose", ports: ports.toSorted(byBytes) };
  },
  from: readFrom,
  healthcheck: (statement) => ({ ...common(statement), kind: "healthcheck", healthcheck: healthcheckOf(statement) }),
  label: (statement) => ({ ...noFlags(statement), kind: "label", pairs: pairsOf(statement, "LABEL") }),
  maintainer: (statement, linter) => {
    linter.report("MaintainerDeprecated", statement.lines);
    const maintainer = exactlyOne(statement, "MAINTAINER");
    return { ...noFlags(statement), kind: "maintainer", maintainer };
  },
  onbuild: (statement) => {
    const { nested } = statement;
    if (nested === undefined) throw new Error("ONBUILD requires at least one argument");
    const checked = noFlags(statement);
    const trigger = nested.keyword.trim().toUpperCase();
    if (trigger === "ONBUILD") throw new Error("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
    if (trigger === "MAINTAINER" || trigger === "FROM") {
      throw new Error(`${trigger} isn't allowed as an ONBUILD trigger`);
    }
    const body = statement.original.replace(/^\s*ONBUILD\s*/i, "");
    const documents = statement.heredocs.map(({ content, name }) => `\n${content}${name}`);
    return { ...checked, kind: "onbuild", expression: body + documents.join("") };
  },
  run: (statement) => {
    const flags = readFlags(statement.flags, {
      device: "strings",
      mount: "strings",
      network: "string",
      security: "string",
    });
    const { network = "default", security = "sandbox" } = flags;
    const devices = flags.device.map(parseDevice);
    for (const mount of flags.mount) mountSource(mount);
    if (network !== "default" && network !== "none" && network !== "host") {
      throw new Error(`invalid network mode ${quoteText(network)}`);
    }
    if (security !== "sandbox" && security !== "insecure") {
      throw new Error(`security ${quoteText(security)} is not valid`);
    }
    return {
      ...common(statement),
      kind: "run",
      command: commandLine(statement),
      mounts: flags.mount,
      network,
      security,
      devices,
      flagsUsed: statement.flags.map((flag) => flag.slice(2).split("=", 1)[0] ?? ""),
    };
  },
  shell: (statement) => {
    const checked = noFlags(statement);
    const { arguments: given } = statement;
    if (given.form === "none" || (given.form === "exec" && given.values.length === 0)) {
      throw new Error("SHELL requires at least one argument");
    }
    if (given.form !== "exec") throw new Error("SHELL requires the arguments to be in JSON form");
    return { ...checked, kind: "shell", shell: given.values };
  },
  stopsignal: (statement) => ({
    ...common(statement),
    kind: "stopsignal",
    signal: exactlyOne(statement, "STOPSIGNAL"),
  }),
  user: (statement) => ({ user: exactlyOne(statement, "USER"), kind: "user", ...noFlags(statement) }),
  volume: (statement) => {
    const volumes = atLeastOne(statement, "VOLUME").map((volume) => volume.trim());
    const checked = noFlags(statement);
    if (volumes.includes("")) throw new Error("VOLUME specified can not be an empty string");
    return { ...checked, kind: "volume", volumes };
  },
  workdir: (statement) => ({ path: exactlyOne(statement, "WORKDIR"), kind: "workdir", ...noFlags(statement) }),
};

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
