import { InvalidArgument, Unknown, messageOf } from "@longshore/errdefs";
import { bool, int, list, struct, text, unmarshal } from "@longshore/go-json";
import { parseJson } from "@longshore/oci";
import { splitHostPath } from "@longshore/reference";
import { httpGet } from "./http-get.ts";

/** One repository that a registry found. */
export interface SearchResult {
  star_count: number;
  is_official: boolean;
  name: string;
  is_automated: boolean;
  description: string;
}

export interface SearchFilters {
  readonly isOfficial?: boolean;
  readonly isAutomated?: boolean;
  readonly stars?: number;
}

const defaultLimit = 25;

const found = struct("registry.SearchResults", {
  results: list(
    struct("registry.SearchResult", {
      star_count: int,
      is_official: bool,
      name: text,
      is_automated: bool,
      description: text,
    }),
  ),
});

/** What a registry says that it found. @throws InvalidArgument naming the URL when that is something else */
function resultsOf(url: string, bytes: Buffer): Partial<SearchResult>[] {
  const value = parseJson(url, bytes);
  try {
    return (
      ((unmarshal(found, value) ?? {}) as { results?: (Partial<SearchResult> | undefined)[] | null }).results?.map(
        (result) => result ?? {},
      ) ?? []
    );
  } catch (error) {
    throw new InvalidArgument(`${url}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Searches a registry, Docker Hub unless the term begins with another one's host.
 * @param limit 0 for the default
 * @throws InvalidArgument `limit … is outside the range of [1, 100]`, Unknown when the registry cannot be asked
 */
export async function searchImages(
  term: string,
  limit: number,
  filters: SearchFilters,
  userAgent: string,
  signal: AbortSignal,
): Promise<SearchResult[]> {
  if (limit !== 0 && (limit < 1 || limit > 100))
    throw new InvalidArgument(`limit ${limit} is outside the range of [1, 100]`);
  const { host, path } = splitHostPath(term);
  const isHub = host === "docker.io";
  const base = isHub ? "https://index.docker.io/v1/" : `https://${host}/v1/`;
  const query = isHub ? path.replace(/^library\//, "") : path;
  const url = `${base}search?q=${encodeURIComponent(query)}&n=${limit === 0 ? defaultLimit : limit}`;
  const response = await httpGet(url, signal, { "user-agent": userAgent });
  if (!response.ok) throw new Unknown(`Unexpected status code ${response.status}`);
  const results = resultsOf(url, Buffer.from(await response.arrayBuffer()));
  return results
    .map(({ star_count = 0, is_official = false, name = "", is_automated = false, description = "" }) => ({
      star_count,
      is_official,
      name,
      is_automated,
      description,
    }))
    .filter((result) => (filters.isOfficial ?? result.is_official) === result.is_official)
    .filter((result) => (filters.isAutomated ?? result.is_automated) === result.is_automated)
    .filter((result) => result.star_count >= (filters.stars ?? 0));
}
