import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { parseBool, parseInteger } from "@longshore/go-values";
import { compileRegExp, type Pattern } from "@longshore/patterns";
import type { DriverContext, LogOptions } from "../contract.ts";

const emf = "json/emf";

export interface AwslogsOptions {
  group: string;
  stream: string;
  createGroup: boolean;
  createStream: boolean;
  /** So long what belongs to one event is gathered, in milliseconds. */
  flushMs: number;
  /** Where an event of several lines begins. */
  begins: Pattern | undefined;
  emf: boolean;
}

/** What stands for strftime's fields in `awslogs-datetime-format`, as Docker reads them. */
const fields: Readonly<Record<string, string>> = {
  a: "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)",
  A: "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)",
  w: "[0-6]",
  d: "(?:0[1-9]|[1,2][0-9]|3[0,1])",
  b: "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)",
  B: "(?:January|February|March|April|May|June|July|August|September|October|November|December)",
  m: "(?:0[1-9]|1[0-2])",
  Y: String.raw`\d{4}`,
  y: String.raw`\d{2}`,
  H: "(?:[0,1][0-9]|2[0-3])",
  I: "(?:0[0-9]|1[0-2])",
  p: "[A,P]M",
  M: "[0-5][0-9]",
  S: "[0-5][0-9]",
  f: String.raw`\d{6}`,
  z: String.raw`[+-]\d{4}`,
  Z: "[A-Z]{1,4}T",
  j: "(?:0[0-9][1-9]|[1,2][0-9][0-9]|3[0-5][0-9]|36[0-6])",
  L: String.raw`\.\d{3}`,
};

function isPositive(text: string): boolean {
  try {
    return parseInteger(text, "Atoi") > 0;
  } catch {
    return false;
  }
}

/** @throws InvalidArgument in Docker's words */
export function validateAwslogs(options: LogOptions): void {
  const given = (name: string): string => options[`awslogs-${name}`] ?? "";
  const refuse = (message: string): never => {
    throw new InvalidArgument(message);
  };
  if (given("group") === "") refuse("must specify a value for log opt 'awslogs-group'");
  if (given("create-group") !== "") {
    try {
      parseBool(given("create-group"));
    } catch (error) {
      refuse(`must specify valid value for log opt 'awslogs-create-group': ${messageOf(error)}`);
    }
  }
  for (const name of ["force-flush-interval-seconds", "max-buffered-events"]) {
    if (given(name) !== "" && !isPositive(given(name)))
      refuse(`must specify a positive integer for log opt 'awslogs-${name}': ${given(name)}`);
  }
  const [datetime, multiline] = ["awslogs-datetime-format", "awslogs-multiline-pattern"] as const;
  const gathers = [datetime, multiline].filter((name) => options[name] !== undefined);
  if (gathers.length === 2) refuse(`you cannot configure log opt '${datetime}' and '${multiline}' at the same time`);
  if (given("format") === "") return;
  if (given("format") !== emf) refuse(`unsupported log format '${given("format")}'`);
  if (gathers.length > 0)
    refuse(
      `you cannot configure log opt '${datetime}' or '${multiline}' when log opt 'awslogs-format' is set to '${emf}'`,
    );
}

function beginsOf(datetime: string, multiline: string): Pattern | undefined {
  const pattern =
    datetime === ""
      ? multiline
      : datetime.replaceAll(
          /%(.)/g,
          (_, name: string) => (Object.hasOwn(fields, name) ? fields[name] : undefined) ?? "",
        );
  if (pattern === "") return undefined;
  try {
    return compileRegExp(pattern);
  } catch (error) {
    throw new InvalidArgument(`awslogs could not parse multiline pattern key "": ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** What is known when a container starts. @throws InvalidArgument */
export function awslogsOptions({ info, options, tag }: DriverContext): AwslogsOptions {
  const given = (name: string): string => options[`awslogs-${name}`] ?? "";
  const seconds = given("force-flush-interval-seconds");
  return {
    group: given("group"),
    stream: given("stream") || (options["tag"] ? tag : info.ContainerID),
    createGroup: given("create-group") !== "" && parseBool(given("create-group")),
    createStream: given("create-stream") === "" || parseBool(given("create-stream")),
    flushMs: (seconds === "" ? 5 : parseInteger(seconds, "Atoi")) * 1000,
    begins: beginsOf(given("datetime-format"), given("multiline-pattern")),
    emf: given("format") !== "",
  };
}
