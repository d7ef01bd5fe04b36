/*
 * Rooms over WebSocket in C: epoll, one thread, one send() for each frame and subscriber.
 * Speaks what plain_rooms.ts describes. It is the cost of the kernel with as little as
 * possible on top, so that the cost of a runtime can be told from it.
 *
 * Client messages are flat objects of strings. Their values are never unescaped: what
 * came escaped goes out escaped, and rooms are told apart by their escaped names.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "accept_key.h"

enum {
  MAX_PAYLOAD = 65535,
  MAX_INPUT = MAX_PAYLOAD + 8,
  /* Bytes a client may lag behind; one more and it is cut off. */
  MAX_UNSENT = 1 << 20,
  BUCKETS = 4096,
  EVENTS = 512,
  TEXT = 0x1,
  CLOSE = 0x8,
  PING = 0x9,
  PONG = 0xa,
};

struct slice {
  const char *start;
  size_t length;
};

/* A client in a room; it knows its place in the room's array, so that leaving takes no search. */
struct membership {
  struct client *client;
  struct room *room;
  size_t index;
  struct membership *next_of_client;
};

/* Stays once it has been named, with nobody in it. */
struct room {
  char *name;
  size_t name_length;
  struct membership **members;
  size_t count, capacity;
  struct room *next_in_bucket;
};

struct client {
  int fd;
  bool is_upgraded, is_ending;
  uint32_t number;
  /* What was read and is not a whole frame yet, and what the kernel has not taken yet; NULL when nothing. */
  char *unread, *unsent;
  size_t unread_length, unsent_length;
  struct membership *memberships;
  struct client *next_ending;
};

static int epoll_fd;
static struct room *rooms[BUCKETS];
/* Freed after each batch of events, for events of the same batch may still point to them. */
static struct client *ending;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void *check(void *memory) {
  if (memory == NULL) die("memory");
  return memory;
}

static void end_client(struct client *client) {
  if (client->is_ending) return;
  client->is_ending = true;
  client->next_ending = ending;
  ending = client;
}

static void watch(struct client *client, int operation) {
  uint32_t events = EPOLLIN | (client->unsent != NULL ? EPOLLOUT : 0);
  struct epoll_event event = {.events = events, .data.ptr = client};
  if (epoll_ctl(epoll_fd, operation, client->fd, &event) < 0) die("epoll_ctl");
}

/* Bytes that the kernel took; 0 when its buffer is full or the client has gone. */
static size_t try_send(struct client *client, const char *bytes, size_t length) {
  ssize_t sent = send(client->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0) return (size_t)sent;
  if (errno != EAGAIN && errno != EINTR) end_client(client);
  return 0;
}

static void send_bytes(struct client *client, const char *bytes, size_t length) {
  if (client->is_ending) return;
  bool was_waiting = client->unsent != NULL;
  size_t sent = was_waiting ? 0 : try_send(client, bytes, length);
  size_t rest = length - sent;
  if (rest == 0 || client->is_ending) return;
  if (client->unsent_length + rest > MAX_UNSENT) {
    end_client(client);
    return;
  }
  client->unsent = check(realloc(client->unsent, client->unsent_length + rest));
  memcpy(client->unsent + client->unsent_length, bytes + sent, rest);
  client->unsent_length += rest;
  if (!was_waiting) watch(client, EPOLL_CTL_MOD);
}

static void send_unsent(struct client *client) {
  size_t sent = try_send(client, client->unsent, client->unsent_length);
  client->unsent_length -= sent;
  memmove(client->unsent, client->unsent + sent, client->unsent_length);
  if (client->unsent_length > 0) return;
  free(client->unsent);
  client->unsent = NULL;
  watch(client, EPOLL_CTL_MOD);
}

/* Writes a frame's head; the payload comes behind it. Returns the head's length. */
static size_t write_head(char *frame, int opcode, size_t length) {
  frame[0] = (char)(0x80 | opcode);
  if (length < 126) {
    frame[1] = (char)length;
    return 2;
  }
  frame[1] = 126;
  frame[2] = (char)(length >> 8);
  frame[3] = (char)length;
  return 4;
}

static void send_frame(struct client *client, int opcode, const char *payload, size_t length) {
  char frame[MAX_PAYLOAD + 4];
  size_t head = write_head(frame, opcode, length);
  memcpy(frame + head, payload, length);
  send_bytes(client, frame, head + length);
}

static struct room *find_room(struct slice name) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < name.length; i++) hash = (hash ^ (unsigned char)name.start[i]) * 16777619u;
  struct room **bucket = &rooms[hash % BUCKETS];
  for (struct room *room = *bucket; room != NULL; room = room->next_in_bucket) {
    if (room->name_length == name.length && memcmp(room->name, name.start, name.length) == 0) return room;
  }
  struct room *room = check(calloc(1, sizeof *room));
  room->name = check(malloc(name.length + 1));
  memcpy(room->name, name.start, name.length);
  room->name_length = name.length;
  room->next_in_bucket = *bucket;
  return *bucket = room;
}

static void join(struct client *client, struct room *room) {
  for (struct membership *own = client->memberships; own != NULL; own = own->next_of_client) {
    if (own->room == room) return;
  }
  if (room->count == room->capacity) {
    room->capacity = room->capacity == 0 ? 1 : room->capacity * 2;
    room->members = check(realloc(room->members, room->capacity * sizeof *room->members));
  }
  struct membership *membership = check(malloc(sizeof *membership));
  *membership = (struct membership){client, room, room->count, client->memberships};
  room->members[room->count++] = membership;
  client->memberships = membership;
}

static void leave_all(struct client *client) {
  while (client->memberships != NULL) {
    struct membership *membership = client->memberships;
    struct room *room = membership->room;
    struct membership *last = room->members[--room->count];
    room->members[membership->index] = last;
    last->index = membership->index;
    client->memberships = membership->next_of_client;
    free(membership);
  }
}

/* Writes the frame once and sends it to every member, each with a send() of its own. */
static void publish(struct client *sender, struct room *room, struct slice content) {
  static uint64_t published;
  static char payload[MAX_PAYLOAD + 1], frame[MAX_PAYLOAD + 4];
  struct timespec now;
  struct tm utc;
  char seconds[32];
  clock_gettime(CLOCK_REALTIME, &now);
  strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &utc));
  int length = snprintf(payload, sizeof payload,
                        "{\"t\":\"msg\",\"id\":\"00000000-0000-4000-8000-%012llx\","
                        "\"senderId\":\"00000000-0000-4000-8000-%012x\","
                        "\"content\":\"%.*s\",\"timestamp\":\"%s.%03ldZ\"}",
                        (unsigned long long)++published, sender->number, (int)content.length, content.start, seconds,
                        now.tv_nsec / 1000000);
  if (length > MAX_PAYLOAD) {
    end_client(sender);
    return;
  }
  size_t head = write_head(frame, TEXT, (size_t)length);
  memcpy(frame + head, payload, (size_t)length);
  for (size_t i = 0; i < room->count; i++) send_bytes(room->members[i]->client, frame, head + (size_t)length);
}

/* Reads a JSON string at *at, without its quotes; false when there is none. */
static bool read_string(const char **at, const char *end, struct slice *value) {
  if (*at == end || **at != '"') return false;
  value->start = ++*at;
  while (*at < end && **at != '"') *at += **at == '\\' ? 2 : 1;
  if (*at >= end) return false;
  value->length = (size_t)((*at)++ - value->start);
  return true;
}

static bool is(struct slice value, const char *text) {
  return value.length == strlen(text) && memcmp(value.start, text, value.length) == 0;
}

struct message {
  struct slice type, room, content;
};

static bool read_message(const char *at, const char *end, struct message *message) {
  if (at == end || *at++ != '{') return false;
  while (true) {
    struct slice key, value;
    if (!read_string(&at, end, &key) || at == end || *at++ != ':' || !read_string(&at, end, &value)) return false;
    if (is(key, "t")) message->type = value;
    if (is(key, "room")) message->room = value;
    if (is(key, "content")) message->content = value;
    if (at == end) return false;
    char next = *at++;
    if (next == '}') return at == end;
    if (next != ',') return false;
  }
}

static void hear(struct client *client, const char *text, size_t length) {
  struct message message = {0};
  bool is_message = read_message(text, text + length, &message);
  bool has_room = message.room.start != NULL, has_content = message.content.start != NULL;
  if (is_message && is(message.type, "hi")) {
    send_frame(client, TEXT, "{\"t\":\"hi\"}", 10);
  } else if (is_message && is(message.type, "sub") && has_room) {
    join(client, find_room(message.room));
    send_frame(client, TEXT, "{\"t\":\"sub\"}", 11);
  } else if (is_message && is(message.type, "pub") && has_room && has_content) {
    publish(client, find_room(message.room), message.content);
    send_frame(client, TEXT, "{\"t\":\"pub\"}", 11);
  } else {
    end_client(client);
  }
}

/* Takes a frame off the front; 0 when it is not whole yet. */
static size_t take_frame(struct client *client, unsigned char *bytes, size_t available) {
  if (available < 2) return 0;
  size_t length = bytes[1] & 0x7f, head = 6;
  /* Whole, masked, and of a length that 16 bits can hold: nothing else is spoken here. */
  if ((bytes[0] & 0xf0) != 0x80 || (bytes[1] & 0x80) == 0 || length == 127) {
    end_client(client);
    return 0;
  }
  if (length == 126) {
    if (available < 4) return 0;
    length = (size_t)bytes[2] << 8 | bytes[3];
    head = 8;
  }
  if (available < head + length) return 0;
  unsigned char *payload = bytes + head;
  for (size_t i = 0; i < length; i++) payload[i] ^= payload[-4 + (int)(i & 3)];
  int opcode = bytes[0] & 0x0f;
  if (opcode == TEXT) {
    hear(client, (char *)payload, length);
  } else if (opcode == PING) {
    send_frame(client, PONG, (char *)payload, length);
  } else if (opcode != PONG) {
    if (opcode == CLOSE) send_frame(client, CLOSE, (char *)payload, length);
    end_client(client);
  }
  return head + length;
}

/* Answers an HTTP head; 0 when it is not whole yet. */
static size_t take_upgrade(struct client *client, char *bytes, size_t available) {
  static const char NAME[] = "sec-websocket-key:";
  char *end = memmem(bytes, available, "\r\n\r\n", 4);
  if (end == NULL) return 0;
  *end = '\0';
  char *header = strcasestr(bytes, NAME);
  char key[KEY_LENGTH + 1], accept[ACCEPT_LENGTH + 1], answer[256];
  if (header == NULL || sscanf(header + strlen(NAME), " %24[^ \r\n]", key) != 1) {
    end_client(client);
    return 0;
  }
  make_accept_key(key, accept);
  int length = snprintf(answer, sizeof answer,
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Accept: %s\r\n\r\n",
                        accept);
  send_bytes(client, answer, (size_t)length);
  client->is_upgraded = true;
  return (size_t)(end + 4 - bytes);
}

static void read_client(struct client *client) {
  static char input[MAX_INPUT];
  size_t start = 0, filled = client->unread_length;
  if (filled > 0) memcpy(input, client->unread, filled);
  ssize_t count = recv(client->fd, input + filled, sizeof input - filled, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  /* A head or a frame that does not fit gets an empty buffer, and so a count of 0. */
  if (count <= 0) {
    end_client(client);
    return;
  }
  filled += (size_t)count;
  while (!client->is_ending) {
    size_t taken = client->is_upgraded ? take_frame(client, (unsigned char *)input + start, filled - start)
                                       : take_upgrade(client, input + start, filled - start);
    if (taken == 0) break;
    start += taken;
  }
  free(client->unread);
  client->unread_length = filled - start;
  client->unread = client->unread_length == 0 ? NULL : check(malloc(client->unread_length));
  if (client->unread != NULL) memcpy(client->unread, input + start, client->unread_length);
}

static void accept_clients(int listener) {
  static uint32_t accepted;
  while (true) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) die("accept4");
      return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct client *client = check(calloc(1, sizeof *client));
    client->fd = fd;
    client->number = ++accepted;
    watch(client, EPOLL_CTL_ADD);
  }
}

static void free_ending(void) {
  while (ending != NULL) {
    struct client *client = ending;
    ending = client->next_ending;
    leave_all(client);
    close(client->fd);
    free(client->unread);
    free(client->unsent);
    free(client);
  }
}

static int listen_on(uint16_t port) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) die("bind");
  if (listen(listener, SOMAXCONN) < 0) die("listen");
  return listener;
}

int main(void) {
  const char *port = getenv("PORT");
  if (port == NULL) {
    fputs("Cannot listen: PORT is not set\n", stderr);
    return 2;
  }
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  int listener = listen_on((uint16_t)atoi(port));
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event events[EVENTS], own = {.events = EPOLLIN};
  if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &own) < 0) die("epoll");
  while (true) {
    int count = epoll_wait(epoll_fd, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
      struct client *client = events[i].data.ptr;
      if (client == NULL) {
        accept_clients(listener);
        continue;
      }
      if (!client->is_ending && (events[i].events & EPOLLOUT) && client->unsent != NULL) send_unsent(client);
      if (!client->is_ending && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) read_client(client);
    }
    free_ending();
  }
}
