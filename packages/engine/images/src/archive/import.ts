import { STATUS_CODES } from "node:http";
import { withLease } from "@longshore/containerd-client";
import type { ImageConfig } from "@longshore/docker-api";
import { decompress } from "@longshore/archive";
import { InvalidArgument, Unknown, messageOf } from "@longshore/errdefs";
import type { Platform } from "@longshore/oci";
import { applyChanges } from "../changes/changes.ts";
import type { ImagesContext } from "../model/context.ts";
import type { ProgressOutput } from "../model/contract.ts";
import { emitImage } from "../model/events.ts";
import { httpGet } from "../registry/http-get.ts";
import { makeLayer, makeManifest } from "../commit/make-image.ts";
import { withoutEmpty } from "../commit/merge-config.ts";
import { danglingName, putRecord } from "../model/records.ts";
import { nameImage, parseRepoTag } from "../manage/tag.ts";

export interface ImportRequest {
  /** `-` for a tar in the request, else a URL, or `host/path` of one. */
  readonly source: string;
  readonly repo: string;
  readonly tag: string;
  /** Dockerfile instructions. */
  readonly changes: readonly string[];
  /** The history's comment; by default it names the source. */
  readonly message: string;
  readonly platform?: Platform | undefined;
}

async function download(
  source: string,
  signal: AbortSignal,
  output: ProgressOutput,
): Promise<AsyncIterable<Uint8Array>> {
  const url = /^https?:\/\//.test(source) ? source : `http://${source}`;
  if (!URL.canParse(url) || url === "http://")
    throw new Unknown(`Get ${JSON.stringify(url.replace(/\/*$/, ""))}: http: no Host in request URL`);
  const response = await httpGet(url, signal);
  if (!response.ok || response.body === null)
    throw new InvalidArgument(
      `failed to GET ${url} with status ${response.status} ${STATUS_CODES[response.status] ?? ""}`,
    );
  output({ status: `Downloading from ${url}` });
  output({ status: "Importing", progressDetail: {} });
  return response.body;
}

/**
 * Makes an image of one layer from a root file system in a tar, packed or not.
 * @param body the request's body, for the source `-`
 * @returns the image's ID, which is also the last line
 * @throws InvalidArgument for a bad name, change or archive; nothing is recorded then
 */
export async function importImage(
  context: ImagesContext,
  request: ImportRequest,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  output: ProgressOutput,
): Promise<string> {
  const reference = parseRepoTag(request.repo, request.tag);
  const config: ImageConfig = withoutEmpty(applyChanges({}, request.changes));
  const source = request.source === "-" ? body : await download(request.source, signal, output);
  const created = new Date().toISOString();
  const comment = request.message || `Imported from ${request.source}`;
  return withLease(context, async (lease) => {
    const layer = await makeLayer(context, lease, decompress(source));
    const { os, architecture, variant } = request.platform ?? context.platform;
    const document = {
      architecture,
      os,
      ...(variant === undefined ? {} : { variant }),
      config,
      created,
      history: [{ created, comment }],
      rootfs: { type: "layers" as const, diff_ids: [layer.diffId] },
    };
    const target = await makeManifest(context, lease, document, [layer.descriptor]).catch((error: unknown) => {
      throw new Unknown(messageOf(error), { cause: error });
    });
    const image = { target, labels: {} };
    if (reference === undefined) await putRecord(context, { name: danglingName(target.digest), ...image });
    else await nameImage(context, image, reference);
    await emitImage(context, "import", image);
    output({ status: target.digest });
    return target.digest;
  });
}
