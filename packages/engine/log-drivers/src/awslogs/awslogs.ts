import { Unavailable, messageOf } from "@longshore/errdefs";
import { parsePlain } from "@longshore/go-json";
import type { LogMessage } from "@longshore/logging";
import type { LogDriver, LogOptions, LogTarget } from "../contract.ts";
import { CloudWatchLogs, ServiceError } from "./client.ts";
import { CredentialSource } from "./credentials.ts";
import { Gathering, type LogEvent, batches, eventsOf } from "./events.ts";
import { metadata } from "./metadata.ts";
import { type AwslogsOptions, awslogsOptions, validateAwslogs } from "./options.ts";

async function regionOf(options: LogOptions, signal: AbortSignal): Promise<string> {
  const named = options["awslogs-region"] || process.env["AWS_REGION"];
  if (named) return named;
  try {
    const document = parsePlain(await metadata("dynamic/instance-identity/document", signal)) as Record<
      string,
      unknown
    >;
    return String(document["region"]);
  } catch (error) {
    throw new Unavailable(
      `cannot determine region for awslogs driver: operation error ec2imds: GetRegion, ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** Makes something; that it is there already is right. */
async function create(client: CloudWatchLogs, operation: string, input: object, signal: AbortSignal): Promise<void> {
  try {
    await client.call(operation, input, signal);
  } catch (error) {
    if (!(error instanceof ServiceError && error.type === "ResourceAlreadyExistsException")) throw error;
  }
}

async function createStream(client: CloudWatchLogs, options: AwslogsOptions, signal: AbortSignal): Promise<void> {
  if (!options.createStream) return;
  const group = { logGroupName: options.group };
  const stream = { ...group, logStreamName: options.stream };
  const failed = (what: string) => (error: unknown) => {
    throw new Unavailable(`failed to create Cloudwatch log ${what}: ${messageOf(error)}`, { cause: error });
  };
  try {
    await create(client, "CreateLogStream", stream, signal);
  } catch (error) {
    if (!(error instanceof ServiceError && error.type === "ResourceNotFoundException" && options.createGroup))
      return failed("stream")(error);
    await create(client, "CreateLogGroup", group, signal).catch(failed("group"));
    await create(client, "CreateLogStream", stream, signal).catch(failed("stream"));
  }
}

class LogStream implements LogTarget {
  readonly confirms = true;
  readonly #client: CloudWatchLogs;
  readonly #options: AwslogsOptions;
  readonly #gathering: Gathering | undefined;
  readonly #stop = new AbortController();

  constructor(client: CloudWatchLogs, options: AwslogsOptions) {
    this.#client = client;
    this.#options = options;
    this.#gathering = options.begins === undefined ? undefined : new Gathering(options.begins, options.flushMs);
  }

  get held(): number {
    return this.#gathering?.held ?? 0;
  }

  async send(messages: readonly LogMessage[], signal: AbortSignal): Promise<void> {
    const gathering = this.#gathering;
    const events = messages.flatMap((message) =>
      gathering === undefined
        ? eventsOf(message.line.toString(), Number(message.timeNano / 1_000_000n))
        : gathering.add(message),
    );
    await this.#put([...events, ...(gathering?.expired() ?? [])], AbortSignal.any([signal, this.#stop.signal]));
  }

  async #put(events: readonly LogEvent[], signal: AbortSignal): Promise<void> {
    const { emf, group, stream } = this.#options;
    for (const logEvents of batches(events)) {
      const input = { logGroupName: group, logStreamName: stream, logEvents };
      await this.#client.call("PutLogEvents", input, signal, emf ? { "x-amzn-logs-format": "json/emf" } : {});
    }
  }

  check(): void {
    // Each request is answered.
  }

  async flush(signal: AbortSignal): Promise<void> {
    await this.#put(this.#gathering?.flush() ?? [], AbortSignal.any([signal, this.#stop.signal]));
  }

  async end(): Promise<void> {
    // What is held is sent again: nobody has it.
  }

  close(): void {
    this.#stop.abort();
    this.#client.close();
  }
}

/** Lines to Amazon CloudWatch Logs. */
export const awslogs: LogDriver = {
  options: [
    ...[
      "region",
      "endpoint",
      "group",
      "stream",
      "create-group",
      "create-stream",
      "datetime-format",
      "multiline-pattern",
    ],
    ...["credentials-endpoint", "force-flush-interval-seconds", "max-buffered-events", "format"],
  ].map((name) => `awslogs-${name}`),
  validate: validateAwslogs,
  // As with Docker, `mode=non-blocking` starts without the service.
  startsWithout: (options) => options["mode"] === "non-blocking",
  open: async (context, signal) => {
    const { options } = context;
    const parsed = awslogsOptions(context);
    const region = await regionOf(options, signal);
    const credentials = new CredentialSource(options["awslogs-credentials-endpoint"]);
    const client = new CloudWatchLogs(region, options["awslogs-endpoint"] || undefined, credentials);
    await createStream(client, parsed, signal).catch((error: unknown) => {
      client.close();
      throw error;
    });
    return new LogStream(client, parsed);
  },
};
