/**
 * The grammar of image names (distribution/reference 0.6):
 *
 *     reference := name [ ":" tag ] [ "@" digest ]
 *     name      := [ host [ ":" port ] "/" ] component *( "/" component )
 *
 * Each pattern is written so that it has one way to match, hence no long backtracking on bad input.
 */
const domainComponent = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const domainName = `${domainComponent}(?:\\.${domainComponent})*`;
const ipv6Address = "\\[(?:[a-fA-F0-9:]+)\\]";
const domain = `(?:${domainName}|${ipv6Address})(?::[0-9]+)?`;

const pathComponent = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const path = `${pathComponent}(?:/${pathComponent})*`;
const tag = "[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}";
const digest = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";

/** Groups: 1 name, 2 tag, 3 digest. */
export const referencePattern = new RegExp(`^((?:${domain}/)?${path})(?::(${tag}))?(?:@(${digest}))?$`);
/** Groups: 1 domain (absent for a bare path), 2 path. */
export const namePattern = new RegExp(`^(?:(${domain})/)?(${path})$`);
export const tagPattern = new RegExp(`^${tag}$`);
/** What an image ID looks like, which a repository may therefore not be called. */
export const identifierPattern = /^[a-f0-9]{64}$/;

/** The longest repository path, in characters, without the domain. */
export const maxPathLength = 255;
