/* The inside of a JSON string, as Docker's log encoder writes text of unknown encoding, and back. */
#ifndef LONGSHORE_JSON_STRING_H
#define LONGSHORE_JSON_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writes at most 6 * length bytes to `to`; returns the end. What is no UTF-8 becomes U+FFFD, or with `keep` an escape
 * that stands for the byte: half a pair, \udc80 to \udcff, which no text has.
 */
char *json_escape(char *to, const uint8_t *text, size_t length, bool keep);
/*
 * Decodes what *text begins with, up to the closing quote, behind which *text is left; writes no more bytes than
 * it reads and returns the end. NULL for what is not plain UTF-8 with whole characters and known escapes.
 */
char *json_unescape(char *to, const uint8_t **text, const uint8_t *end);
/* How much of text ends between two characters: at most 3 bytes less than length. */
size_t json_whole_characters(const uint8_t *text, size_t length);

#endif
