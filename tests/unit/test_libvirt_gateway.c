//  test_libvirt_gateway.c: the libvirt gateway under clients that keep to no rules: random calls
//  that are right, cut, or changed, in pieces of any size, with descriptors or without, closed at
//  any time. TROUPE_FUZZ_ROUNDS
//  (so many clients) and TROUPE_FUZZ_SEED let it run longer, and again.

#include "folder.h"
#include "scene.h"
#include "xdr_random.h"

#include "actors/config.h"
#include "actors/libvirt/libvirt_gateway.h"
#include "util/text.h"
#include "util/unix_socket.h"

#include <dirent.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    ROUNDS = 300,
    MAX_CALLS = 12, //  of a client
    HEADER = 28,
    CALL_WITH_FDS = 4,
    MAX_FDS = 40 //  more than one message may have
};

typedef struct {
    paths_t *paths;
    config_t config;
    char folder[UNIT_PATH_SIZE], *socket[2];
} house_t;

static uint64_t from_environment (const char *name, uint64_t otherwise)
{
    const char *text = getenv (name);
    uint64_t value;
    return text && text_to_u64 (text, &value) ? value : otherwise;
}

//  That random calls are about. Nobody owns it: what is not known of it ends in an error.
static void publish_domain (actor_t *self)
{
    msg_t *event = msg_event ("snapshot");
    pack_t *pack = msg_args (event);
    pack_key_str (pack, "name", "web");
    pack_key_str (pack, "driver", "test");
    pack_key_i64 (pack, "id", 1);
    pack_key_i64 (pack, "state", 1);
    pack_key_i64 (pack, "reason", 1);
    pack_key_u64 (pack, "vcpus", 2);
    pack_key_u64 (pack, "max_vcpus", 4);
    pack_key_bool (pack, "persistent", true);
    pack_key_str (pack, "xml", "<domain type='test'><name>web</name></domain>");
    actor_publish (self, "domain/" XDR_RANDOM_UUID, &event);
}

static void house_open (actor_t *self, house_t *house)
{
    error_t err;
    publish_domain (self);
    unit_new_folder (house->folder);
    house->paths = paths_new (PATHS_ROOT, house->folder, &err);
    check (house->paths && paths_create (house->paths, &err) == 0);
    house->config = (config_t){ .paths = house->paths };
    house->socket[0] = text_format ("%s/libvirt-sock", house->paths->run);
    house->socket[1] = text_format ("%s/libvirt-sock-ro", house->paths->run);
    auto(msg_t) args = msg_request ("start");
    config_pack (&house->config, msg_args (args));
    scene_reset ();
    actor_spawn (self, LIBVIRT_GATEWAY_ADDRESS, &libvirt_gateway_class, &args, false, PATIENCE_MS,
                 scene_keep, NULL);
    auto(msg_t) started = scene_await (self, 1);
    check_equal (scene_code (started), 0);
}

static int remove_entry (const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void) status, (void) type, (void) walk;
    return remove (path);
}

static void house_close (actor_t *self, house_t *house)
{
    scene_end_actor (self, LIBVIRT_GATEWAY_ADDRESS);
    paths_destroy (&house->paths);
    free (house->socket[0]);
    free (house->socket[1]);
    nftw (house->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

//  Messages.

static void add_typed (text_t *out, const procedure_t *procedure, uint32_t type, uint32_t serial,
                       const text_t *payload)
{
    const uint32_t words[] = { (uint32_t) (HEADER + payload->size),
                               procedure->program,
                               PROGRAM_VERSION,
                               procedure->number,
                               type,
                               serial,
                               0 };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        xdr_add_u32 (out, words[i]);
    text_add_bytes (out, payload->data, payload->size);
}

static void add_message (text_t *out, const procedure_t *procedure, uint32_t serial,
                         const text_t *payload)
{
    add_typed (out, procedure, 0, serial, payload);
}

//  One that announces descriptors, and as many bytes behind it, which may carry one; or others.
static void add_announcing (text_t *out, const procedure_t *procedure, uint32_t serial,
                            const text_t *payload, uint64_t *seed)
{
    static const uint32_t counts[] = { 0, 1, 1, 2, 32, 33, UINT32_MAX };
    uint32_t count = counts[random_u64 (seed) % (sizeof counts / sizeof *counts)];
    auto(text_t) counted = text_new ();
    xdr_add_u32 (counted, count);
    text_add_bytes (counted, payload->data, payload->size);
    add_typed (out, procedure, CALL_WITH_FDS, serial, counted);
    uint64_t carriers = random_u64 (seed) % 4 ? count : random_u64 (seed) % 4;
    for (uint64_t i = 0; i < carriers && i <= MAX_FDS; i++)
        text_add_char (out, '\1');
}

static const procedure_t *random_procedure (uint64_t *seed)
{
    size_t count = 0;
    while (procedure_at (count))
        count++;
    return procedure_at (random_u64 (seed) % count);
}

//  With arguments as they have to be.
static void add_random_call (text_t *out, const procedure_t *procedure, uint32_t serial,
                             uint64_t *seed)
{
    auto(text_t) payload = text_new ();
    if (procedure->args) {
        pack_t pack;
        error_t err;
        pack_init (&pack);
        pack_random_map (&pack, seed, procedure->args);
        auto(document_t) map = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
        pack_close (&pack);
        check (map && xdr_encode (procedure->args, document_root (map), payload, &err) == 0);
    }
    if (random_u64 (seed) % 4 == 0)
        add_announcing (out, procedure, serial, payload, seed);
    else
        add_message (out, procedure, serial, payload);
}

static void add_named (text_t *out, const char *name, uint32_t serial, const char *text)
{
    auto(text_t) payload = text_new ();
    if (text) {
        xdr_add_u32 (payload, 1);
        xdr_add_u32 (payload, (uint32_t) strlen (text));
        text_add_bytes (payload, text, strlen (text));
        text_add_bytes (payload, "\0\0\0", (4 - strlen (text) % 4) % 4);
        xdr_add_u32 (payload, 0);
    }
    add_message (out, procedure_named (PROGRAM_REMOTE, name), serial, payload);
}

//  Some bytes are others, some are missing. Lengths are the most interesting ones.
static void spoil (text_t *out, uint64_t *seed)
{
    static const unsigned char edges[] = { 0, 1, 2, 3, 4, 27, 28, 0x7f, 0x80, 0xff };
    if (out->size == 0)
        return;
    for (uint64_t changes = random_u64 (seed) % 4; changes > 0; changes--)
        out->data[random_u64 (seed) % out->size] = (char) edges[random_u64 (seed) % sizeof edges];
    if (random_u64 (seed) % 4 == 0)
        text_cut_front (out, random_u64 (seed) % out->size);
    if (random_u64 (seed) % 4 == 0)
        out->size = random_u64 (seed) % out->size;
}

//  Connections.

static int connect_to (const house_t *house, int which)
{
    error_t err;
    int fd = unix_connect (house->socket[which], &err);
    check (fd >= 0);
    return fd;
}

//  True unless the gateway closed it, or takes no more.
static bool push (int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send (fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0)
            return false;
        bytes += sent;
        size -= (size_t) sent;
    }
    return true;
}

//  The same at one go, with copies of a descriptor: at bytes that are to carry one, and at others.
static bool push_with (int fd, const char *bytes, size_t size, size_t count)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE (MAX_FDS * sizeof (int))];
    } space = { 0 };
    struct iovec part = { (void *) (uintptr_t) bytes, size };
    struct msghdr message = { .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = space.bytes,
                              .msg_controllen = CMSG_SPACE (count * sizeof (int)) };
    struct cmsghdr *header = CMSG_FIRSTHDR (&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN (count * sizeof (int));
    for (size_t i = 0; i < count; i++)
        memcpy (CMSG_DATA (header) + i * sizeof (int), &(int){ STDERR_FILENO }, sizeof (int));
    return sendmsg (fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t) size;
}

static void push_in_pieces (int fd, const text_t *out, uint64_t *seed)
{
    size_t at = 0;
    while (at < out->size) {
        size_t size = 1 + random_u64 (seed) % 200;
        if (size > out->size - at)
            size = out->size - at;
        size_t fds = random_u64 (seed) % 3 ? 0 : 1 + random_u64 (seed) % MAX_FDS;
        if (fds > 0 ? !push_with (fd, out->data + at, size, fds) : !push (fd, out->data + at, size))
            return;
        at += size;
    }
}

static void run_client (const house_t *house, uint64_t *seed)
{
    int fd = connect_to (house, (int) (random_u64 (seed) % 2));
    auto(text_t) out = text_new ();
    uint64_t calls = random_u64 (seed) % MAX_CALLS;
    if (random_u64 (seed) % 8)
        add_named (out, "AUTH_LIST", 0, NULL);
    if (random_u64 (seed) % 8)
        add_named (out, "CONNECT_OPEN", 1, "test:///default");
    for (uint32_t i = 0; i < calls; i++)
        add_random_call (out, random_procedure (seed), 2 + i, seed);
    if (random_u64 (seed) % 2)
        spoil (out, seed);
    push_in_pieces (fd, out, seed);
    //  Some read a little.
    char bytes[512];
    if (random_u64 (seed) % 2)
        (void) !recv (fd, bytes, sizeof bytes, MSG_DONTWAIT);
    close (fd);
}

//  Somebody who behaves: an answer to each call, in the order of the calls, and then the end.
static void check_served (const house_t *house, int which)
{
    int fd = connect_to (house, which);
    uint64_t seed = 1;
    auto(text_t) out = text_new ();
    add_named (out, "AUTH_LIST", 0, NULL);
    add_named (out, "CONNECT_OPEN", 1, "test:///default");
    add_named (out, "CONNECT_GET_TYPE", 2, NULL);
    add_random_call (out, procedure_named (PROGRAM_REMOTE, "DOMAIN_LOOKUP_BY_UUID"), 3, &seed);
    add_named (out, "CONNECT_CLOSE", 4, NULL);
    check (push (fd, out->data, out->size));
    auto(text_t) in = text_new ();
    char bytes[512];
    for (;;) {
        struct pollfd poll_fd = { fd, POLLIN, 0 };
        check_equal (poll (&poll_fd, 1, PATIENCE_MS), 1);
        ssize_t size = recv (fd, bytes, sizeof bytes, 0);
        if (size <= 0)
            break;
        text_add_bytes (in, bytes, (size_t) size);
    }
    close (fd);
    check_equal (in->size, 5 * HEADER + 8 + 8 + 8 + 16 + 4);
    check (memcmp (in->data + 3 * HEADER + 8, "\0\0\0\4TEST", 8) == 0);
}

static size_t open_descriptors (void)
{
    size_t count = 0;
    DIR *folder = opendir ("/proc/self/fd");
    check (folder);
    while (readdir (folder))
        count++;
    closedir (folder);
    return count;
}

//  Those that came with the calls of clients that are gone are closed.
static void check_closed (actor_t *self, size_t before)
{
    for (int waited_ms = 0; open_descriptors () > before; waited_ms++) {
        check (waited_ms < PATIENCE_MS);
        scene_pass (self, 1);
    }
}

static void scene_random (actor_t *self)
{
    house_t house;
    uint64_t seed = from_environment ("TROUPE_FUZZ_SEED", 1);
    uint64_t rounds = from_environment ("TROUPE_FUZZ_ROUNDS", ROUNDS);
    house_open (self, &house);
    check_served (&house, 0);
    size_t before = open_descriptors ();
    for (uint64_t i = 0; i < rounds; i++) {
        run_client (&house, &seed);
        if (i % 50 == 0)
            check_served (&house, (int) (i / 50 % 2));
        scene_pass (self, 0);
    }
    check_served (&house, 0);
    check_closed (self, before);
    house_close (self, &house);
}
SCENE_TEST (random)

int main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (test_random) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
