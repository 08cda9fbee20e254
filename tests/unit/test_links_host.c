//  test_links_host.c: links of the host that somebody is given: who gets one, who is refused, and
//  what is on record.

#include "links_scene.h"

#include <fcntl.h>

static pid_t container;
static char identity[PROCESS_TEXT_SIZE];

static int take_link (actor_t *self, const char *owner, const char *key)
{
    msg_t *msg = msg_request ("link.take");
    pack_key_str (msg_args (msg), "owner", owner);
    pack_key_str (msg_args (msg), "key", key);
    pack_key_str (msg_args (msg), "process", identity);
    pack_key_str (msg_args (msg), "holder", "domain 'web1'");
    return call (self, msg, NULL);
}

//  As the supervisor does, from within. 0, or the exit status of the process that did it.
static int move_back (const char *name, pid_t home)
{
    int status;
    autofree char *path = text_format ("/proc/%d/ns/net", (int) container);
    const pid_t pid = netns_fork ();
    if (pid == 0) {
        const link_settings_t none = { 0 };
        const link_targets_t targets = { .netns = -1, .pid = home };
        int fd = open (path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || setns (fd, CLONE_NEWNET))
            _exit (2);
        _exit (netns_ask (link_request_set (if_nametoindex (name), &none, &targets)) ? 3 : 0);
    }
    check (waitpid (pid, &status, 0) == pid);
    return status;
}

static void scene_loan (actor_t *self)
{
    start_all (self);
    check_equal (netns_make_pair ("up0", "up1"), 0);
    check_equal (take_link (self, OWNER, "host:up0"), 0);
    check (container_has (container, "up0:"));
    check_equal (netns_count_links (), 2);
    check_equal (count_records (), 1);
    check_equal (take_link (self, OWNER, "host:up0"), ERR_OPERATION_INVALID);
    check_equal (take_link (self, "domain/other", "host:up0"), ERR_OPERATION_INVALID);
    check (strstr (last.message, "take link 'up0' of the host: domain 'web1' has it"));
    check_equal (do_key (self, "link.get", "host:up0", NULL), ERR_OPERATION_INVALID);
    //  A daemon after this one knows who has it.
    stop_links (self);
    start_links (self);
    check_equal (take_link (self, "domain/other", "host:up0"), ERR_OPERATION_INVALID);
    check_equal (move_back ("up0", getpid ()), 0);
    check_equal (do_key (self, "link.delete", "host:up0", NULL), 0);
    check_equal (count_records (), 0);
    //  It was not ours to be removed. Now it is lost with its namespace.
    check_equal (netns_count_links (), 3);
    check_equal (take_link (self, OWNER, "host:up0"), 0);
    end_container (container);
    release (self);
    check_equal (find (self, "up0", NULL), ERR_NO_INTERFACE);
    for (int i = 0; netns_count_links () != 1 && i < PATIENCE_MS / 10; i++)
        scene_pass (self, 10);
}

static void scene_refused (actor_t *self)
{
    link_t bridge, pair;
    start_all (self);
    make (self, "bridge", &a_bridge, &bridge);
    make (self, "net0", &a_pair, &pair);
    check_equal (netns_make_pair ("up0", "up1"), 0);
    const link_targets_t plug = { .netns = -1, .plug = true, .master_index = bridge.ifindex };
    const link_settings_t none = { 0 };
    check_equal (netns_ask (link_request_set (if_nametoindex ("up1"), &none, &plug)), 0);
    autofree char *own = text_format ("host:%s", pair.name);
    autofree char *peer = text_format ("host:%s", pair.peer_name);
    const struct {
        const char *key;
        int code;
        const char *message;
    } cases[] = {
        { "host:none", ERR_NO_INTERFACE, "the host has no link of this name" },
        { "host:lo", ERR_OPERATION_INVALID, "a lo of its own" },
        { "host:up1", ERR_OPERATION_INVALID, "it is a port of 'br7'" },
        { own, ERR_OPERATION_INVALID, "it was made for 'net0' of " OWNER },
        { peer, ERR_OPERATION_INVALID, "it was made for 'net0' of " OWNER },
        { "host:", ERR_INVALID_ARG, "it needs a key" },
        { "up0", ERR_INVALID_ARG, "it needs a key" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_equal (take_link (self, OWNER, cases[i].key), cases[i].code);
        check (strstr (last.message, cases[i].message));
    }
    //  A process that ended has no namespace; what could not be given is on record no more.
    end_container (container);
    check (take_link (self, OWNER, "host:up0") != 0);
    check_equal (find (self, "up0", NULL), 0);
    check_equal (netns_remove (if_nametoindex ("up0")), 0);
    release (self);
}

static void test_loan (void **state)
{
    container = start_container (identity);
    run (scene_loan, *state);
}

static void test_refused (void **state)
{
    container = start_container (identity);
    run (scene_refused, *state);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (test_loan),
        unit_test_in_folder (test_refused),
    };
    NETNS_OR_SKIP ();
    return cmocka_run_group_tests (tests, NULL, NULL);
}
