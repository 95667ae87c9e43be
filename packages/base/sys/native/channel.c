/* Output of processes: from their pipe or pty to log, FIFO, file and attached clients. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "relay.h"

/* A process that ended waits so long for clients that do not read, as Docker does. */
#define LINGER_NS 2000000000ll

/* A full log waits so long for a follower, and looks so often whether that has come on. One that knows it is slow
   gives its lock up long before. */
#define FOLLOWER_NS 3000000000ll
#define LOOK_NS 1000000ll

struct channel *channels;

struct channel *channel_find(int id) {
  struct channel *ch = channels;
  while (ch && ch->id != id) ch = ch->next;
  return ch;
}

static void write_all(int fd, const uint8_t *data, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, data, length);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return; /* a full disk must not stop the container */
    data += n;
    length -= (size_t)n;
  }
}

static void report_log(struct channel *ch) {
  struct jsonlog *log = ch->log;
  if (log->rotated) {
    log->rotated = false;
    relay_post(EVENT_ROTATED, ch->id, 0, 0, 0, log->path, strlen(log->path));
  }
  if (log->error != ch->log_error) {
    ch->log_error = log->error;
    relay_post(EVENT_LOG_ERROR, ch->id, log->error, (double)log->lost, 0, log->path, strlen(log->path));
  }
}

static void deliver(struct output *o, const uint8_t *data, size_t length) {
  struct channel *ch = o->channel;
  if (ch->released) return;
  if (ch->log) {
    jsonlog_write(ch->log, &o->line, data, length);
    report_log(ch);
  }
  if (o->file >= 0) write_all(o->file, data, length);
  for (struct client *c = ch->clients, *next; c; c = next) {
    next = c->next_in_channel;
    if (c->outs[o->number - 1]) client_send(c, o->number, data, length);
  }
}

void output_ended(struct output *o) {
  struct channel *ch = o->channel;
  source_close(&o->src);
  if (ch->log && !ch->released) {
    jsonlog_finish(ch->log, &o->line);
    report_log(ch);
  }
  if (!o->pending_length) source_close(&o->sink);
  channel_update(ch);
}

/* Reads once and passes on; false when there was nothing more. Read errors (EIO of a pty) are its end. */
static bool pump(struct output *o, size_t most) {
  ssize_t n = read(o->src.fd, relay_buffer, most < RELAY_CHUNK ? most : RELAY_CHUNK);
  if (n > 0) {
    deliver(o, relay_buffer, (size_t)n);
    return true;
  }
  if (n < 0 && errno == EINTR) return true;
  if (n < 0 && is_shortage(errno)) source_rest(&o->src);
  else if (n == 0 || errno != EAGAIN) output_ended(o);
  return false;
}

static bool has_room(const struct output *o) {
  for (const struct client *c = o->channel->clients; c; c = c->next_in_channel)
    if (c->outs[o->number - 1] && !client_has_room(c, RELAY_CHUNK)) return false;
  return true;
}

static void output_ready(struct source *s, uint32_t events) {
  (void)events;
  struct output *o = s->owner;
  struct channel *ch = o->channel;
  if (o->sink.fd >= 0) {
    if (!sink_pump(o)) return;
  } else if (!splice_output(o)) {
    pump(o, RELAY_CHUNK);
  }
  channel_update(ch);
}

void channel_open(struct channel *ch) {
  ch->next = channels;
  channels = ch;
  ch->waiting = ch->terminal;
  for (int i = 0; i < 2; i++) {
    struct output *o = &ch->outputs[i];
    source_init(&o->src, o->src.fd, output_ready, o);
    source_init(&o->sink, o->sink.fd, sink_ready, o);
    if (o->src.fd >= 0) source_want(&o->src, EPOLLIN);
  }
  input_open(ch);
  channel_update(ch);
}

/* The runtime makes the terminal when it starts the process; clients may attach before. */
void channel_terminal(struct channel *ch, int master, int input) {
  if (!ch->waiting || ch->released) {
    close(master);
    close(input);
    return;
  }
  ch->waiting = false;
  ch->outputs[0].src.fd = master;
  ch->input.fd = input;
  input_open(ch);
  source_want(&ch->outputs[0].src, EPOLLIN);
  channel_update(ch);
}

static bool outputs_ended(const struct channel *ch) {
  if (ch->waiting) return false;
  for (int i = 0; i < 2; i++)
    if (ch->outputs[i].src.fd >= 0 || ch->outputs[i].sink.fd >= 0) return false;
  return true;
}

static void finish_clients(struct channel *ch) {
  for (struct client *c = ch->clients, *next; c; c = next) {
    next = c->next_in_channel;
    client_finish(c);
  }
}

void channel_update(struct channel *ch) {
  for (int i = 0; i < 2; i++) {
    struct output *o = &ch->outputs[i];
    if (o->src.fd < 0) continue;
    if (o->sink.fd >= 0) {
      if (o->pending_length) {
        source_want(&o->src, 0);
        source_want(&o->sink, EPOLLOUT);
      }
      continue;
    }
    source_want(&o->src, has_room(o) && !ch->waits_for_log ? EPOLLIN : 0);
  }
  if (ch->log && !ch->exited && !ch->waits_for_log && jsonlog_must_wait(ch->log)) {
    ch->waits_for_log = true;
    if (!ch->log->compressing) {
      ch->log_look = monotonic_ns() + LOOK_NS;
      ch->log_patience = ch->log_look + FOLLOWER_NS;
    }
    for (int i = 0; i < 2; i++)
      if (ch->outputs[i].src.fd >= 0) source_want(&ch->outputs[i].src, 0);
  }
  bool ended = outputs_ended(ch);
  if (ended && !ch->closed) {
    ch->closed = true;
    relay_post(EVENT_CLOSED, ch->id, 0, 0, 0, NULL, 0);
  }
  if (!ch->exited) return;
  if (ended || !ch->deadline) finish_clients(ch);
  if (!ch->drained && (clients_idle(ch) || !ch->deadline)) {
    ch->drained = true;
    relay_post(EVENT_DRAINED, ch->id, 0, 0, 0, NULL, 0);
  }
  if (ch->released && ended && !ch->clients) channel_destroy(ch);
}

/* What lies in the pipe when the process has ended is taken at once, whether clients read or not:
   it is bounded by the pipe. What a grandchild writes later does not hold the exit back. */
static void drain(struct output *o) {
  if (o->src.fd < 0 || o->sink.fd >= 0) return;
  if (o->channel->terminal) { /* poll moves what still lies in the line discipline's queue */
    struct pollfd p = {.fd = o->src.fd, .events = POLLIN};
    for (int i = 0; i < 64 && o->src.fd >= 0 && poll(&p, 1, 0) > 0; i++)
      if (!pump(o, RELAY_CHUNK)) break;
    return;
  }
  int left = 0;
  if (ioctl(o->src.fd, FIONREAD, &left)) return;
  while (left > 0 && o->src.fd >= 0) {
    ssize_t n = read(o->src.fd, relay_buffer, left < RELAY_CHUNK ? (size_t)left : RELAY_CHUNK);
    if (n <= 0) break;
    deliver(o, relay_buffer, (size_t)n);
    left -= (int)n;
  }
}

void channel_exited(struct channel *ch) {
  if (ch->exited) return;
  ch->exited = true;
  ch->waiting = ch->waits_for_log = false;
  ch->deadline = monotonic_ns() + LINGER_NS;
  for (int i = 0; i < 2; i++) drain(&ch->outputs[i]);
  for (int i = 0; i < 2; i++) { /* see an end that is already there, so that clients end at once */
    struct output *o = &ch->outputs[i];
    struct pollfd p = {.fd = o->src.fd, .events = POLLIN};
    if (o->src.fd >= 0 && o->sink.fd < 0 && poll(&p, 1, 0) > 0 && (p.revents & POLLHUP) && !(p.revents & POLLIN)) output_ended(o);
  }
  input_destroy(ch);
  channel_update(ch);
}

/* Nobody will ask for this process again. A grandchild that still writes is read and forgotten. */
void channel_release(struct channel *ch) {
  for (int i = 0; i < 2; i++) {
    struct output *o = &ch->outputs[i];
    if (ch->log && !ch->released) jsonlog_finish(ch->log, &o->line);
    source_close(&o->sink);
    o->pending_length = 0;
    if (o->file >= 0) close(o->file);
    o->file = -1;
    if (o->src.fd >= 0) source_want(&o->src, EPOLLIN);
  }
  ch->released = ch->exited = ch->drained = true;
  ch->waiting = ch->waits_for_log = false;
  ch->deadline = 0;
  if (ch->log) jsonlog_close(ch->log);
  ch->log = NULL;
  input_destroy(ch);
  channel_update(ch);
}

void channel_compressed(struct channel *ch) {
  if (!ch->log) return;
  ch->log->compressing = false;
  ch->waits_for_log = false;
  channel_update(ch);
}

/* Followers give no sign when they have come to the live file. */
static void look_for_followers(struct channel *ch, int64_t now) {
  if (!ch->log_look || ch->log_look > now) return;
  ch->log_look = 0;
  if (!ch->waits_for_log || !ch->log) return;
  if (now >= ch->log_patience) jsonlog_wait_no_more(ch->log);
  if (jsonlog_must_wait(ch->log)) {
    ch->log_look = now + LOOK_NS;
    return;
  }
  ch->waits_for_log = false;
  channel_update(ch);
}

static int64_t earlier(int64_t a, int64_t b) { return !a || (b && b < a) ? b : a; }

int64_t channel_next_deadline(void) {
  int64_t next = 0;
  for (struct channel *ch = channels; ch; ch = ch->next) next = earlier(earlier(next, ch->deadline), ch->log_look);
  return next;
}

void channel_deadlines(int64_t now) {
  for (struct channel *ch = channels, *next; ch; ch = next) {
    next = ch->next;
    look_for_followers(ch, now);
    if (ch->destroyed || !ch->deadline || ch->deadline > now) continue;
    ch->deadline = 0;
    channel_update(ch);
  }
}

void channel_destroy(struct channel *ch) {
  if (ch->destroyed) return;
  ch->destroyed = true;
  struct channel **link = &channels;
  while (*link && *link != ch) link = &(*link)->next;
  if (*link) *link = ch->next;
  for (int i = 0; i < 2; i++) {
    struct output *o = &ch->outputs[i];
    source_close(&o->src);
    source_close(&o->sink);
    if (o->file >= 0) close(o->file);
    free(o->pending);
    free(o->line.text);
  }
  input_destroy(ch);
  free(ch->in);
  ch->in = NULL;
  if (ch->log) jsonlog_close(ch->log);
  ch->log = NULL;
  for (struct client *c = ch->clients; c; c = c->next_in_channel) c->channel = NULL;
  relay_free(ch);
}
