//  links_scene.h: for tests of the links actor: a scene with it and an owner of links, requests,
//  and tests whose network namespace has to be as it was when they end.
//
//  For test programs that begin with NETNS_OR_SKIP ().

#ifndef TROUPE_LINKS_SCENE_H
#define TROUPE_LINKS_SCENE_H

#include "scene.h"
#include "netns.h"

#include "actors/config.h"
#include "actors/services/disk.h"
#include "actors/links/links.h"
#include "actors/links/links_remover.h"
#include "drivers/net/link_words.h"
#include "util/file.h"
#include "util/process.h"

#include <sys/capability.h>

static config_t config;

//  An owner, who keeps what it is told until it is asked.
typedef struct {
    uint64_t gone, changed;
    char key[LINK_KEY_MAX]; //  the last one's
} told_t;

static inline void owner_handle (actor_t *self, msg_t **msg_p)
{
    told_t *told = actor_state (self);
    if (msg_is (*msg_p, "test.told")) {
        auto(msg_t) reply = msg_reply ();
        pack_map (msg_result (reply));
        pack_key_u64 (msg_result (reply), "gone", told->gone);
        pack_key_u64 (msg_result (reply), "changed", told->changed);
        pack_key_str (msg_result (reply), "key", told->key);
        pack_end (msg_result (reply));
        actor_reply (self, msg_p, &reply);
        return;
    }
    told->gone += msg_is (*msg_p, "link.gone");
    told->changed += msg_is (*msg_p, "link.changed");
    snprintf (told->key, sizeof told->key, "%s", msg_str (*msg_p, "key"));
}

static inline int owner_start (actor_t *self, const msg_t *args, error_t *err)
{
    (void) self, (void) args, (void) err;
    return 0;
}

static const actor_class_t owner_class = {
    .kind = "network", .state_size = sizeof (told_t), .start = owner_start, .handle = owner_handle
};

static inline void start_links (actor_t *self)
{
    const struct {
        const char *address;
        const actor_class_t *class;
    } all[] = { { "links/remover", &links_remover_class }, { "links", &links_class } };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        scene_reset ();
        msg_t *args = msg_request ("start");
        config_pack (&config, msg_args (args));
        actor_spawn (self, all[i].address, all[i].class, &args, false, PATIENCE_MS, scene_keep,
                     NULL);
        auto(msg_t) answer = scene_await (self, 1);
        check_equal (scene_code (answer), 0);
    }
}

static inline void start_all (actor_t *self)
{
    check_equal (scene_spawn (self, "disk/0", &disk_class, false), 0);
    check_equal (scene_spawn (self, "disk/1", &disk_class, false), 0);
    start_links (self);
}

static inline void stop_links (actor_t *self)
{
    scene_end_actor (self, "links");
    scene_end_actor (self, "links/remover");
}

//  Requests.

#define OWNER "network/test"

static inline msg_t *key_request (const char *verb, const char *key)
{
    msg_t *msg = msg_request (verb);
    pack_key_str (msg_args (msg), "owner", OWNER);
    pack_key_str (msg_args (msg), "key", key);
    return msg;
}

static inline msg_t *create_request (const char *key, const link_spec_t *spec)
{
    msg_t *msg = key_request ("link.create", key);
    pack_key (msg_args (msg), "spec");
    link_spec_pack (msg_args (msg), spec);
    return msg;
}

//  The answer's code; its link goes to LINK, its error to LAST.
static error_t last;

static inline int call (actor_t *self, msg_t *msg, link_t *link)
{
    auto(msg_t) answer = scene_call (self, "links", &msg, PATIENCE_MS);
    memset (&last, 0, sizeof last);
    if (!msg_failed (answer, &last) && link)
        link_read (value_get (msg_value (answer), "link"), link);
    return (int) last.code;
}

static inline int create (actor_t *self, const char *key, const link_spec_t *spec, link_t *link)
{
    return call (self, create_request (key, spec), link);
}

//  Has to work.
static inline void make (actor_t *self, const char *key, const link_spec_t *spec, link_t *link)
{
    if (create (self, key, spec, link))
        fprintf (stderr, "%s\n", last.message);
    check_equal (last.code, 0);
}

static inline int do_key (actor_t *self, const char *verb, const char *key, link_t *link)
{
    return call (self, key_request (verb, key), link);
}

static inline int find (actor_t *self, const char *name, link_t *link)
{
    msg_t *msg = msg_request ("link.get");
    pack_key_str (msg_args (msg), "name", name);
    return call (self, msg, link);
}

static inline int set (actor_t *self, const char *key, bool peer, const link_settings_t *settings,
                       link_t *link)
{
    msg_t *msg = key_request ("link.set", key);
    pack_key_bool (msg_args (msg), "peer", peer);
    pack_key (msg_args (msg), "settings");
    link_settings_pack (msg_args (msg), settings);
    return call (self, msg, link);
}

static inline void release (actor_t *self)
{
    msg_t *msg = msg_request ("link.release");
    pack_key_str (msg_args (msg), "owner", OWNER);
    check_equal (call (self, msg, NULL), 0);
}

static inline size_t count_records (void)
{
    error_t err;
    size_t lines = 0;
    autofree char *path = text_format ("%s/links", config.paths->run);
    autofree char *text = file_read (path, 1 << 20, NULL, &err);
    for (const char *c = text; c && *c; c++)
        lines += *c == '\n';
    return lines ? lines - 1 : 0;
}

static const link_spec_t a_pair = { .kind = LINK_VETH,
                                    .set = { .name = "vnet%d", .up = LINK_ON },
                                    .peer = { .name = "vnet%d" } };
static const link_spec_t a_bridge = {
    .kind = LINK_BRIDGE,
    .set = { .name = "br7", .mac = "52:54:00:AA:bb:01", .up = LINK_ON },
    .stp = LINK_ON,
    .has_forward_delay = true,
    .forward_delay_ms = 2000,
    .multicast_snooping = LINK_OFF
};

static inline void run (scene_fn *scene, char *folder)
{
    paths_t paths = { .run = folder };
    config = (config_t){ .paths = &paths };
    const int before = unit_count_descriptors ();
    scene_run (scene);
    assert_int_equal (unit_count_descriptors (), before);
    assert_int_equal (count_records (), 0);
    assert_int_equal (netns_count_links (), 1);
}

//  A process in another network namespace, as a container has one.

static inline pid_t start_container (char identity[PROCESS_TEXT_SIZE])
{
    int ready[2];
    char byte;
    process_t process;
    error_t err;
    check (pipe (ready) == 0);
    const pid_t pid = netns_fork ();
    if (pid == 0) {
        if (unshare (CLONE_NEWNET) || write (ready[1], "!", 1) != 1)
            _exit (1);
        for (;;)
            pause ();
    }
    check (read (ready[0], &byte, 1) == 1);
    check (close (ready[0]) == 0 && close (ready[1]) == 0);
    check (process_identify (pid, &process, &err) == 0);
    process_to_text (&process, identity);
    return pid;
}

static inline void end_container (pid_t pid)
{
    check (kill (pid, SIGKILL) == 0);
    check (waitpid (pid, NULL, 0) == pid);
}

static inline bool container_has (pid_t pid, const char *name)
{
    char line[512];
    bool found = false;
    autofree char *path = text_format ("/proc/%d/net/dev", (int) pid);
    FILE *file = fopen (path, "r");
    check (file != NULL);
    while (fgets (line, sizeof line, file))
        found = found || strncmp (line + strspn (line, " "), name, strlen (name)) == 0;
    fclose (file);
    return found;
}

#define KERNEL_TEST(name)                                                                          \
    static void test_##name (void **state)                                                         \
    {                                                                                              \
        run (scene_##name, *state);                                                                \
    }

//  The process that does it has no way back.
static inline void in_child (scene_fn *scene, char *folder, bool privileged)
{
    paths_t paths = { .run = folder };
    config = (config_t){ .paths = &paths };
    cap_t none = privileged ? NULL : cap_init ();
    if (none && cap_set_proc (none))
        _exit (2);
    cap_free (none);
    scene_run (scene);
    _exit (0);
}

#endif
