#define _GNU_SOURCE
#include "relay.h"
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "relay_command.h"

struct event {
  enum event_type type;
  int id;
  double a, b, c;
  size_t text_length;
  char text[];
};

uint8_t relay_buffer[RELAY_CHUNK];

static int epoll_fd = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct command *first, **last = &first;
static struct source commands = {.fd = -1};
static napi_threadsafe_function notify;
static bool running, reaping, stopping;
static struct watch *watches;
static struct source *resting;
static int64_t rest_until;
static void **graveyard;
static size_t graves, graveyard_size;

int64_t monotonic_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void source_init(struct source *s, int fd, void (*ready)(struct source *, uint32_t), void *owner) {
  *s = (struct source){.fd = fd, .ready = ready, .owner = owner};
}

bool is_shortage(int error) {
  return error == ENOMEM || error == ENOBUFS || error == EMFILE || error == ENFILE || error == ENOSPC;
}

/* How long what the kernel has no means for rests before it is tried again. */
#define REST_NS 10000000ll

static void rest(struct source *s) {
  if (s->resting) return;
  if (!resting) rest_until = monotonic_ns() + REST_NS;
  s->resting = true;
  s->next_resting = resting;
  resting = s;
}

static void rest_no_more(struct source *s) {
  if (!s->resting) return;
  struct source **link = &resting;
  while (*link && *link != s) link = &(*link)->next_resting;
  if (*link) *link = s->next_resting;
  s->resting = false;
}

static void source_apply(struct source *s) {
  struct epoll_event e = {.events = s->events, .data.ptr = s};
  if (!epoll_ctl(epoll_fd, s->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, s->fd, &e)) s->registered = true;
  else if (is_shortage(errno)) rest(s);
}

static void source_set(struct source *s, uint32_t events) {
  if (s->fd < 0 || (s->registered && s->events == events)) return;
  s->events = events;
  if (!s->resting) source_apply(s);
}

static void source_out(struct source *s) {
  if (s->fd >= 0 && s->registered) epoll_ctl(epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
  s->registered = false;
}

void source_want(struct source *s, uint32_t events) {
  if (events) return source_set(s, events);
  rest_no_more(s);
  source_out(s);
}

void source_rest(struct source *s) {
  if (s->fd < 0) return;
  source_out(s);
  rest(s);
}

static void rested(void) {
  if (!resting || monotonic_ns() < rest_until) return;
  struct source *list = resting;
  resting = NULL;
  while (list) {
    struct source *s = list;
    list = s->next_resting;
    s->resting = false;
    source_apply(s);
  }
}

void source_hold(struct source *s) { source_set(s, 0); }

void source_close(struct source *s) {
  if (s->fd < 0) return;
  source_want(s, 0);
  close(s->fd);
  s->fd = -1;
}

void relay_free(void *memory) {
  if (graves == graveyard_size) {
    size_t size = graveyard_size ? graveyard_size * 2 : 64;
    void **more = realloc(graveyard, size * sizeof *more);
    if (!more) return; /* leaked rather than used after it is freed */
    graveyard = more;
    graveyard_size = size;
  }
  graveyard[graves++] = memory;
}

void relay_post(enum event_type type, int id, double a, double b, double c, const char *text, size_t text_length) {
  struct event *e = malloc(sizeof *e + text_length);
  if (!e) return;
  *e = (struct event){.type = type, .id = id, .a = a, .b = b, .c = c, .text_length = text_length};
  if (text_length) memcpy(e->text, text, text_length);
  if (napi_call_threadsafe_function(notify, e, napi_tsfn_nonblocking) != napi_ok) free(e);
}

static void call_js(napi_env env, napi_value callback, void *context, void *data) {
  (void)context;
  struct event *e = data;
  if (env && callback) {
    napi_value receiver, arguments[6];
    napi_get_undefined(env, &receiver);
    napi_create_int32(env, e->type, &arguments[0]);
    napi_create_int32(env, e->id, &arguments[1]);
    napi_create_double(env, e->a, &arguments[2]);
    napi_create_double(env, e->b, &arguments[3]);
    napi_create_double(env, e->c, &arguments[4]);
    napi_create_string_utf8(env, e->text, e->text_length, &arguments[5]);
    napi_call_function(env, receiver, callback, 6, arguments, NULL);
  }
  free(e);
}

static void watch_ready(struct source *s, uint32_t events) {
  (void)events;
  struct watch *w = s->owner;
  ssize_t n = read(s->fd, relay_buffer, RELAY_CHUNK);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n < 0 && is_shortage(errno)) return source_rest(s);
  relay_post(EVENT_READY, w->id, n < 0 ? 0 : (double)n, 0, 0, NULL, 0);
  if (n <= 0) source_close(s);
}

static void unwatch(int id) {
  struct watch **link = &watches;
  while (*link && (*link)->id != id) link = &(*link)->next;
  struct watch *w = *link;
  if (!w) return;
  *link = w->next;
  source_close(&w->src);
  relay_free(w);
}

static void run(struct command *cmd) {
  struct channel *ch = channel_find(cmd->id);
  switch (cmd->type) {
    case COMMAND_OPEN: channel_open(cmd->object); break;
    case COMMAND_TERMINAL:
      if (ch) channel_terminal(ch, cmd->channel_id, (int)cmd->flags);
      else close(cmd->channel_id), close((int)cmd->flags);
      break;
    case COMMAND_EXITED: if (ch) channel_exited(ch); break;
    case COMMAND_RELEASE: if (ch) channel_release(ch); break;
    case COMMAND_CLOSE_INPUT: if (ch) input_close(ch); break;
    case COMMAND_COMPRESSED: if (ch) channel_compressed(ch); break;
    case COMMAND_LISTEN: listener_add(cmd->object); break;
    case COMMAND_UNLISTEN: listener_remove(cmd->id); break;
    case COMMAND_ACCEPT: client_accept(cmd->id, cmd->channel_id, cmd->flags, cmd->text, cmd->bytes, cmd->length); break;
    case COMMAND_REFUSE: client_refuse(cmd->id, cmd->text); break;
    case COMMAND_UNWATCH: unwatch(cmd->id); break;
    case COMMAND_STOP: stopping = true; break;
    case COMMAND_WATCH: {
      struct watch *w = cmd->object;
      w->next = watches;
      watches = w;
      source_init(&w->src, w->src.fd, watch_ready, w);
      source_want(&w->src, EPOLLIN);
    }
  }
}

static void commands_ready(struct source *s, uint32_t events) {
  (void)events;
  uint64_t count;
  (void)!read(s->fd, &count, sizeof count);
  pthread_mutex_lock(&lock);
  struct command *list = first;
  first = NULL;
  last = &first;
  pthread_mutex_unlock(&lock);
  while (list) {
    struct command *cmd = list;
    list = cmd->next;
    run(cmd);
    free(cmd->text);
    free(cmd->bytes);
    free(cmd);
  }
}

static int timeout_ms(void) {
  int64_t next = channel_next_deadline();
  if (resting && (!next || rest_until < next)) next = rest_until;
  if (!next) return -1;
  int64_t left = next - monotonic_ns();
  return left <= 0 ? 0 : (int)(left / 1000000 + 1);
}

static void *relay_main(void *data) {
  (void)data;
  if (reaping) reaper_start();
  while (!stopping) {
    struct epoll_event events[64];
    int n = epoll_wait(epoll_fd, events, 64, timeout_ms());
    for (int i = 0; i < n; i++) {
      struct source *s = events[i].data.ptr;
      /* closed, or no longer asked for, by an earlier event of this batch */
      if (s->fd >= 0 && s->registered) s->ready(s, events[i].events);
    }
    rested();
    if (channels) channel_deadlines(monotonic_ns());
    while (graves > 0) free(graveyard[--graves]);
  }
  if (reaping) reaper_stop();
  attach_destroy();
  while (channels) channel_destroy(channels);
  for (struct watch *w = watches, *next; w; w = next) {
    next = w->next;
    source_close(&w->src);
    free(w);
  }
  watches = NULL;
  while (graves > 0) free(graveyard[--graves]);
  source_close(&commands);
  close(epoll_fd);
  napi_release_threadsafe_function(notify, napi_tsfn_release);
  running = false;
  return NULL;
}

bool relay_running(void) { return running; }

void relay_queue(struct command *cmd) {
  cmd->next = NULL;
  pthread_mutex_lock(&lock);
  *last = cmd;
  last = &cmd->next;
  pthread_mutex_unlock(&lock);
  uint64_t one = 1;
  (void)!write(commands.fd, &one, sizeof one);
}

int relay_thread_start(napi_env env, napi_value callback, bool reap) {
  napi_value name;
  napi_create_string_utf8(env, "relay", NAPI_AUTO_LENGTH, &name);
  if (napi_create_threadsafe_function(env, callback, NULL, name, 0, 1, NULL, NULL, NULL, call_js, &notify) != napi_ok) return EINVAL;
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  int error = epoll_fd < 0 ? errno : reap ? reaper_open() : 0;
  source_init(&commands, error ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), commands_ready, NULL);
  if (!error && commands.fd < 0) error = errno;
  if (error) {
    if (epoll_fd >= 0) close(epoll_fd);
    napi_release_threadsafe_function(notify, napi_tsfn_abort);
    return error;
  }
  source_want(&commands, EPOLLIN);
  signal(SIGPIPE, SIG_IGN);
  reaping = reap;
  stopping = false;
  error = start_thread(relay_main, NULL, 128 << 10, SIGCHLD);
  running = error == 0;
  return error;
}
