import { InvalidArgument } from "@longshore/errdefs";
import { parseJson } from "@longshore/oci";
import { type HostClient, checkedUrl } from "../http/host-client.ts";
import { type Repository, doing } from "../repository.ts";
import { type RegistryResponse, failureOf, headerOf, readWhole } from "../http/response.ts";

/** Far more pages than any repository has; ends the walk with a registry that links in circles. */
const maxPages = 1000;

/** Bytes of one page. */
const maxPageBytes = 16 << 20;

/** @throws InvalidArgument when it is no list of tags */
function tagsOf(url: string, bytes: Buffer): string[] {
  const page = parseJson(url, bytes, maxPageBytes) as { tags?: unknown } | null;
  const tags = page?.tags ?? [];
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === "string"))
    throw new InvalidArgument(`${url}: not a list of tags`);
  return tags;
}

async function tagsOn(client: HostClient, repository: Repository, signal: AbortSignal | undefined): Promise<string[]> {
  const tags: string[] = [];
  let target: string | URL | undefined = `/${repository.reference.path}/tags/list`;
  for (let page = 0; target !== undefined && page < maxPages; page += 1) {
    const response: RegistryResponse = await doing(
      client.send({ method: "GET", target, scopes: [repository.scope("pull")], signal }),
    );
    if (response.status !== 200) throw await failureOf(response);
    tags.push(...tagsOf(response.url.href, await readWhole(response, maxPageBytes)));
    const next: string | undefined = /<([^>]+)>;\s*rel="?next"?/.exec(headerOf(response, "link") ?? "")?.[1];
    target = next === undefined ? undefined : checkedUrl(next, response.url);
  }
  return tags;
}

/** Lists a repository's tags, page by page: those of the first mirror that tells them, else the registry's own. */
export function listTags(repository: Repository, signal?: AbortSignal): Promise<string[]> {
  return repository.firstOf("resolve", (client) => tagsOn(client, repository, signal));
}
