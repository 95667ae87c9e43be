/* Bytes between a process's pipes and the socket of its only client, moved by the kernel. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay.h"

/* The only one to see this output, when it can take some now. */
static struct client *only_reader(const struct output *o) {
  const struct channel *ch = o->channel;
  if (ch->terminal || ch->log || ch->released || o->file >= 0) return NULL;
  struct client *found = NULL;
  for (struct client *c = ch->clients; c; c = c->next_in_channel) {
    if (!c->outs[o->number - 1]) continue;
    if (found) return NULL;
    found = c;
  }
  return found && found->state == CLIENT_ATTACHED && !found->gone && !found->held && found->queue_length == 0 ? found : NULL;
}

bool splice_output(struct output *o) {
  struct client *c = only_reader(o);
  int waiting = 0;
  if (!c || ioctl(o->src.fd, FIONREAD, &waiting) || waiting <= 0) return false;
  size_t length = waiting < RELAY_CHUNK ? (size_t)waiting : RELAY_CHUNK;
  uint8_t header[8] = {(uint8_t)o->number, 0, 0, 0, (uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length};
  if (send(c->src.fd, header, sizeof header, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE) != (ssize_t)sizeof header) return false;
  size_t left = length;
  while (left > 0) {
    ssize_t n = splice(o->src.fd, NULL, c->src.fd, NULL, left, SPLICE_F_NONBLOCK | SPLICE_F_MOVE | SPLICE_F_MORE);
    if (n > 0) left -= (size_t)n;
    else if (n == 0 || errno != EINTR) break;
  }
  while (left > 0) { /* the header has promised it: what the socket does not take waits in the queue */
    ssize_t n = read(o->src.fd, relay_buffer, left);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    left -= (size_t)n;
    struct iovec rest = {relay_buffer, (size_t)n};
    if (!client_push(c, &rest, 1)) break;
  }
  return true;
}

bool splice_input(struct channel *ch, int from) {
  if (ch->terminal || ch->input.fd < 0 || ch->in_length > 0) return false;
  return splice(from, NULL, ch->input.fd, NULL, RELAY_SPLICE, SPLICE_F_NONBLOCK | SPLICE_F_MOVE) > 0;
}
