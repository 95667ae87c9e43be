/* Detach keys: bytes of a client's input that end its attachment, and not the process. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/socket.h>

#include "relay.h"

static const char told[] = "{\"detached\":true}\n";

bool detach_wants(struct client *c, const uint8_t *keys, size_t count) {
  if (count == 0) return true;
  if (count > DETACH_KEYS_MOST) return false;
  memcpy(c->keys, keys, count);
  c->key_count = count;
  return true;
}

/* Copies input without the keys. A sequence that has begun is held back, and passed on when something else follows,
   which does not begin another, as with Docker. Returns the length of what is to be passed on. */
static size_t search(struct client *c, uint8_t *to, const uint8_t *data, size_t length, bool *found) {
  size_t n = 0;
  for (size_t i = 0; i < length; i++) {
    if (data[i] == c->keys[c->keys_matched]) {
      if (++c->keys_matched < c->key_count) continue;
      *found = true;
      return n;
    }
    memcpy(to + n, c->keys, c->keys_matched);
    n += c->keys_matched;
    c->keys_matched = 0;
    to[n++] = data[i];
  }
  return n;
}

/* Nothing that it sends or would get counts any more. Who speaks for it is told; it may have gone. */
static void detach(struct client *c) {
  c->in_ended = true;
  if (c->control.fd >= 0) send(c->control.fd, told, sizeof told - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  client_finish(c);
}

bool detach_give(struct client *c, const uint8_t *data, size_t length) {
  if (c->key_count == 0) {
    input_give(c->channel, data, length);
    return true;
  }
  uint8_t *passed = relay_buffer + RELAY_CHUNK - RELAY_INPUT; /* input is read to its beginning */
  bool found = false;
  size_t n = search(c, passed, data, length, &found);
  if (n > 0) input_give(c->channel, passed, n);
  if (found) detach(c);
  return !found;
}
