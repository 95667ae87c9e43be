import { NotFound } from "@longshore/errdefs";
import { checkedUrl } from "./host-client.ts";
import { type Repository, doing } from "./repository.ts";
import { type RegistryResponse, failureOf, headerOf } from "./response.ts";

/** Far more pages than any repository has; ends the walk with a registry that links in circles. */
const maxPages = 1000;

/** Lists a repository's tags, page by page. */
export async function* listTags(repository: Repository, signal?: AbortSignal): AsyncGenerator<string> {
  const [client] = repository.hosts("resolve").toReversed();
  if (client === undefined) throw new NotFound(`no resolve hosts: ${repository.name}`);
  let target: string | URL | undefined = `/${repository.reference.path}/tags/list`;
  for (let page = 0; target !== undefined && page < maxPages; page += 1) {
    const response: RegistryResponse = await doing(client.send({ method: "GET", target, scopes: [repository.scope("pull")], signal }));
    if (response.status !== 200) throw await failureOf(response);
    const chunks: Buffer[] = [];
    for await (const chunk of response.body as AsyncIterable<Buffer>) chunks.push(chunk);
    const { tags } = JSON.parse(Buffer.concat(chunks).toString("utf8")) as { tags?: unknown };
    if (Array.isArray(tags)) yield* tags.filter((tag) => typeof tag === "string");
    const next: string | undefined = /<([^>]+)>;\s*rel="?next"?/.exec(headerOf(response, "link") ?? "")?.[1];
    target = next === undefined ? undefined : checkedUrl(next, response.url);
  }
}
