/* Text of unknown encoding as the inside of a JSON string, as Docker's log encoder writes it. */
#ifndef LONGSHORE_JSON_STRING_H
#define LONGSHORE_JSON_STRING_H

#include <stddef.h>
#include <stdint.h>

/* Writes at most 6 * length bytes to `to`; returns the end. */
char *json_escape(char *to, const uint8_t *text, size_t length);
/* How much of text ends between two characters: at most 3 bytes less than length. */
size_t json_whole_characters(const uint8_t *text, size_t length);

#endif
