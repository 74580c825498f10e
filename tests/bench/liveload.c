/* Many readers of one live stream: opens COUNT connections, then notes when each message arrives at each of them.
 *
 *   liveload PORT COUNT RECORD < requests
 *
 * Standard input holds one ready HTTP/1.1 request per connection, each after a line with its length; connection n is made
 * from 127.0.1.(1 + n % 200), so that no address has more than its share. When every stream has said `event: open` it prints
 * "open" and goes on until SIGTERM. RECORD receives a line per message: its id, how many readers it has reached, the first and
 * the last arrival (ns, clock of the day). One JSON line sums up. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 65536, MOST = 100000 };
struct reader { int fd, open; size_t filled; char in[ROOM + 1]; };
struct message { char id[37]; long reached; int64_t first, last; };

static struct message *messages;
static long known, opened, closed;
static volatile sig_atomic_t over;

static void fail(const char *why) { perror(why); exit(1); }
static void stop(int number) { (void)number; over = 1; }

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void arrived(const char *id) {
    long i = known;
    while (i > 0 && i > known - 2000 && memcmp(messages[i - 1].id, id, 36)) i--;
    if (i == 0 || i <= known - 2000) {
        if (known == MOST) return;
        i = ++known;
        memcpy(messages[i - 1].id, id, 36);
        messages[i - 1].first = now();
    }
    messages[i - 1].reached++;
    messages[i - 1].last = now();
}

/* Whole lines only; what is left waits for the rest. */
static void take_lines(struct reader *it) {
    char *from = it->in, *end;
    it->in[it->filled] = 0;
    while ((end = memchr(from, '\n', it->filled - (size_t)(from - it->in)))) {
        *end = 0;
        if (!strncmp(from, "event: open", 11) && !it->open) { it->open = 1; opened++; }
        char *id = strncmp(from, "data: {\"specversion\"", 20) ? NULL : strstr(from, "\"id\":\"");
        if (id && it->open) arrived(id + 6);
        from = end + 1;
    }
    it->filled -= (size_t)(from - it->in);
    memmove(it->in, from, it->filled);
    if (it->filled == ROOM) fail("a line too long");
}

static void connect_one(struct reader *it, int number, int port, int poller) {
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    char request[8192];
    size_t length;
    if (scanf("%zu", &length) != 1 || getchar() != '\n' || length > sizeof request || fread(request, 1, length, stdin) != length)
        fail("requests");
    from.sin_addr.s_addr = htonl(0x7f000101u + (uint32_t)(number % 200));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    it->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (it->fd < 0 || bind(it->fd, (struct sockaddr *)&from, sizeof from)) fail("bind");
    if (connect(it->fd, (struct sockaddr *)&to, sizeof to)) fail("connect");
    if (send(it->fd, request, length, MSG_NOSIGNAL) != (ssize_t)length) fail("send");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = it};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, it->fd, &event)) fail("epoll");
}

int main(int words, char **word) {
    if (words != 4) { fprintf(stderr, "liveload PORT COUNT RECORD < requests\n"); return 2; }
    int count = atoi(word[2]), poller = epoll_create1(0), said = 0, asked = 0;
    struct reader *readers = calloc((size_t)count, sizeof *readers);
    struct epoll_event events[256];
    messages = calloc(MOST, sizeof *messages);
    if (!readers || !messages) fail("memory");
    struct sigaction ends = {.sa_handler = stop};
    sigaction(SIGTERM, &ends, NULL);
    while (!over) {
        /* No more than a few on their way at a time: it is reading that is measured, not a rush at the door. */
        while (asked < count && asked - opened < 32) { connect_one(&readers[asked], asked, atoi(word[1]), poller); asked++; }
        int ready = epoll_wait(poller, events, 256, 200);
        for (int i = 0; i < ready; i++) {
            struct reader *it = events[i].data.ptr;
            ssize_t got = recv(it->fd, it->in + it->filled, ROOM - it->filled, MSG_DONTWAIT);
            if (got == 0 || (got < 0 && errno != EAGAIN)) { close(it->fd); closed++; continue; }
            if (got > 0) { it->filled += (size_t)got; take_lines(it); }
        }
        if (!said && opened == count) { said = 1; puts("open"); fflush(stdout); }
    }
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    FILE *record = fopen(word[3], "w");
    if (!record) fail(word[3]);
    for (long i = 0; i < known; i++)
        fprintf(record, "%s %ld %lld %lld\n", messages[i].id, messages[i].reached, (long long)messages[i].first, (long long)messages[i].last);
    printf("{\"opened\":%ld,\"closed\":%ld,\"messages\":%ld,\"cpu_s\":%.3f}\n", opened, closed, known,
           (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    return fclose(record) != 0;
}
