/* The relay: one thread that carries all bytes between processes, their logs, FIFOs and attached
   clients, and reaps children. JavaScript gives it commands and gets events; it sees no byte. */
#ifndef LONGSHORE_RELAY_H
#define LONGSHORE_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include "jsonlog.h"

/* Numbers shared with relay.ts. */
enum event_type { EVENT_EXIT = 1, EVENT_CONNECTED, EVENT_DRAINED, EVENT_CLOSED, EVENT_ROTATED, EVENT_LOG_ERROR, EVENT_READY };

/* A descriptor in the epoll set. `ready` may free its owner only by way of relay_free. */
struct source {
  int fd;
  uint32_t events; /* what epoll watches */
  bool registered;
  bool resting; /* in the list of those that are tried again in a moment */
  struct source *next_resting;
  void (*ready)(struct source *, uint32_t events);
  void *owner;
};

struct channel;
struct client;

/* One output stream of a process on its way out. */
struct output {
  struct source src;  /* pipe read end or pty master */
  struct source sink; /* FIFO or pipe, -1 without */
  struct channel *channel;
  int file;   /* file:// target, -1 without */
  int number; /* 1 stdout, 2 stderr, as in stdcopy frames */
  struct jsonlog_line line;
  uint8_t *pending; /* what a full sink did not take yet, of a pty only */
  size_t pending_length;
};

/* The stdio of one process. */
struct channel {
  int id;
  struct channel *next;
  bool terminal;
  struct jsonlog *log;
  struct output outputs[2];
  struct source input;      /* pipe write end or pty master; -1 without or when closed */
  struct source fifo;       /* stdin FIFO, read end */
  int fifo_keeper;          /* its write end: no end of file before CloseIO */
  uint8_t *in;              /* what the process has not taken yet */
  size_t in_length, in_offset;
  bool in_close;            /* close input once `in` is empty */
  struct client *clients;
  bool waiting; /* its terminal is still to come: neither ended nor taking input */
  bool exited, drained, closed, released, waits_for_log, destroyed;
  int64_t deadline; /* monotonic ns; 0 none: until then a process that ended waits for its clients */
  int64_t log_look, log_patience; /* while its log waits for a follower: when to look, and for the last time; monotonic ns */
  int log_error;    /* last one reported */
};

struct listener {
  int id;
  struct listener *next;
  struct source src;
  char *path;
};

#define DETACH_KEYS_MOST 64

enum client_state { CLIENT_GREETING, CLIENT_WAITING, CLIENT_ATTACHED, CLIENT_CLOSING };

/* A connection on an attach socket. */
struct client {
  int id, listener_id;
  struct source src;
  enum client_state state;
  struct client *next;       /* all of them */
  struct client *next_in_channel;
  struct channel *channel;
  bool in, outs[2], framed, closes_stdin;
  bool held;                 /* nothing flows until it hands over the descriptor it speaks for, or sends a byte */
  bool after_log;            /* it is given the log first, and a byte without a descriptor is its sign to go on */
  struct source control;     /* where that came from; its end is the end of the client */
  bool in_ended, gone, freed;
  uint8_t keys[DETACH_KEYS_MOST]; /* detach keys, none when key_count is 0 */
  size_t key_count, keys_matched;
  char *greeting;            /* first line, then what came behind it */
  size_t greeting_length, greeting_offset;
  uint8_t *queue;
  size_t queue_offset, queue_length, queue_size;
};

/* relay.c */
int64_t monotonic_ns(void);
void relay_post(enum event_type type, int id, double a, double b, double c, const char *text, size_t text_length);
void source_init(struct source *s, int fd, void (*ready)(struct source *, uint32_t), void *owner);
void source_want(struct source *s, uint32_t events); /* 0 takes it out of the set */
void source_hold(struct source *s);                  /* stays in the set for errors and hang-ups alone */
void source_close(struct source *s);
bool is_shortage(int error);                         /* the kernel lacks memory or descriptors, as long as that may be */
void source_rest(struct source *s);                  /* what is ready cannot be done now: told again in a moment */
void relay_free(void *memory); /* after the current batch of events */
#define RELAY_CHUNK (64 << 10)
extern uint8_t relay_buffer[RELAY_CHUNK];

#define RELAY_SPLICE (1 << 20)

/* channel.c */
extern struct channel *channels;
struct channel *channel_find(int id);
void channel_open(struct channel *ch);
void channel_terminal(struct channel *ch, int master, int input);
void channel_update(struct channel *ch); /* works out anew what to wait for */
void channel_exited(struct channel *ch);
void channel_release(struct channel *ch);
void channel_compressed(struct channel *ch);
void channel_deadlines(int64_t now);
int64_t channel_next_deadline(void);
void channel_destroy(struct channel *ch);

void output_ended(struct output *o);

/* channel_sink.c */
bool sink_pump(struct output *o); /* false: what to wait for is settled already */
void sink_ready(struct source *s, uint32_t events);

/* channel_splice.c: the same without a copy, where nobody else wants to see the bytes */
bool splice_output(struct output *o);                          /* false: read and copy instead */
bool splice_input(struct channel *ch, int from);               /* the same */

/* channel_input.c */
void input_open(struct channel *ch);
void input_update(struct channel *ch);
bool input_wants(const struct channel *ch);
void input_give(struct channel *ch, const uint8_t *data, size_t length); /* at most RELAY_INPUT, while input_wants */
void input_close(struct channel *ch); /* once all that was given is written */
void input_destroy(struct channel *ch);
#define RELAY_INPUT (16 << 10)

/* attach.c */
void listener_add(struct listener *l);
void listener_remove(int id);
void client_accept(int id, int channel_id, unsigned flags, const char *reply, const uint8_t *keys, size_t key_count);
void client_refuse(int id, const char *reply);
bool client_has_room(const struct client *c, size_t size);
void client_send(struct client *c, int stream, const uint8_t *data, size_t length);
void client_update(struct client *c);
void client_feed(struct client *c); /* passes on input that waited for the process, then updates */
void client_finish(struct client *c); /* close when its queue is empty */
bool client_push(struct client *c, const struct iovec *parts, int count); /* false when the client is gone */
void client_destroy(struct client *c);
void client_flush(struct client *c);
void client_input_ended(struct client *c);
void client_ready(struct source *s, uint32_t events);
bool clients_idle(const struct channel *ch);
void attach_destroy(void);

/* attach_detach.c */
bool detach_wants(struct client *c, const uint8_t *keys, size_t count);        /* false: too many */
bool detach_give(struct client *c, const uint8_t *data, size_t length);        /* input_give, unless the keys are found, which end the client: false. At most DETACH_INPUT */
#define DETACH_INPUT (RELAY_INPUT - DETACH_KEYS_MOST)

/* attach_handover.c */
void handover_receive(struct client *c);

/* reaper.c */
int reaper_open(void); /* 0, or an error */
void reaper_start(void);
void reaper_stop(void);

#endif
