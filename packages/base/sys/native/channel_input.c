/* Input of processes: from a FIFO or from attached clients into their pipe or pty. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "relay.h"

static void drop_keeper(struct channel *ch) {
  if (ch->fifo_keeper >= 0) close(ch->fifo_keeper);
  ch->fifo_keeper = -1;
}

/* The process takes no more input; what clients still send is read and forgotten. */
static void close_now(struct channel *ch) {
  source_close(&ch->input);
  source_close(&ch->fifo);
  drop_keeper(ch);
  ch->in_length = ch->in_offset = 0;
}

static void flush(struct channel *ch) {
  while (ch->in_length > 0) {
    ssize_t n = write(ch->input.fd, ch->in + ch->in_offset, ch->in_length);
    if (n > 0) {
      ch->in_offset += (size_t)n;
      ch->in_length -= (size_t)n;
    } else if (n < 0 && errno == EAGAIN) {
      return;
    } else if (n < 0 && is_shortage(errno)) {
      return source_rest(&ch->input);
    } else if (!(n < 0 && errno == EINTR)) {
      close_now(ch);
      return;
    }
  }
  ch->in_offset = 0;
  if (ch->in_close) close_now(ch);
}

static void input_ready(struct source *s, uint32_t events) {
  struct channel *ch = s->owner;
  if (ch->in_length) flush(ch);
  else if (events & (EPOLLERR | EPOLLHUP)) close_now(ch); /* the reader is gone */
  input_update(ch);
}

static void fifo_ready(struct source *s, uint32_t events) {
  struct channel *ch = s->owner;
  (void)events;
  if (!input_wants(ch)) return;
  ssize_t n = read(s->fd, ch->in, RELAY_INPUT);
  if (n > 0) {
    ch->in_length = (size_t)n;
    ch->in_offset = 0;
    flush(ch);
  } else if (n < 0 && is_shortage(errno)) {
    source_rest(s);
  } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
    source_close(s);
    if (!ch->terminal) ch->in_close = true, flush(ch);
  }
  input_update(ch);
}

bool input_wants(const struct channel *ch) {
  return !ch->waiting && (ch->input.fd < 0 || ch->in_length == 0);
}

void input_update(struct channel *ch) {
  if (ch->input.fd >= 0) {
    if (ch->in_length) source_want(&ch->input, EPOLLOUT);
    else if (ch->terminal) source_want(&ch->input, 0); /* its hang-up is told by the output side */
    else source_hold(&ch->input);
  }
  if (ch->fifo.fd >= 0) source_want(&ch->fifo, input_wants(ch) ? EPOLLIN : 0);
  for (struct client *c = ch->clients, *next; c; c = next) {
    next = c->next_in_channel;
    if (c->in) client_feed(c);
  }
}

void input_give(struct channel *ch, const uint8_t *data, size_t length) {
  if (ch->input.fd < 0) return;
  memcpy(ch->in, data, length);
  ch->in_length = length;
  ch->in_offset = 0;
  flush(ch);
}

void input_open(struct channel *ch) {
  source_init(&ch->input, ch->input.fd, input_ready, ch);
  if (!ch->fifo.ready) source_init(&ch->fifo, ch->fifo.fd, fifo_ready, ch);
  if (ch->input.fd >= 0 && !(ch->in = malloc(RELAY_INPUT))) close_now(ch);
  input_update(ch);
}

void input_close(struct channel *ch) {
  drop_keeper(ch);
  /* With a FIFO its own end, now possible, is the end of the input: nothing in it is lost. */
  if (ch->terminal || ch->fifo.fd >= 0) return;
  ch->in_close = true;
  if (ch->input.fd >= 0) flush(ch);
  input_update(ch);
}

void input_destroy(struct channel *ch) {
  close_now(ch);
  for (struct client *c = ch->clients, *next; c; c = next) {
    next = c->next_in_channel;
    if (c->in) client_update(c);
  }
}
