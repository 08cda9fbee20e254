//  test_links_recovery.c: links when daemons are restarted or killed, and when others make links of
//  the same names meanwhile: each is somebody's, or is gone.

#include "links_scene.h"

enum {
    STORM = 200
};

//  After a restart its owner says what it still has.
static void scene_claim (actor_t *self)
{
    start_all (self);
    link_t link, kept;
    make (self, "net0", &a_pair, &kept);
    make (self, "net1", &a_pair, &link);
    stop_links (self);
    start_links (self);
    msg_t *msg = msg_request ("link.claim");
    pack_key_str (msg_args (msg), "owner", OWNER);
    pack_key_array (msg_args (msg), "keys");
    pack_str (msg_args (msg), "net0");
    pack_str (msg_args (msg), "net2");
    pack_end (msg_args (msg));
    auto(msg_t) answer = scene_call (self, "links", &msg, PATIENCE_MS);
    const value_t *links = value_get (msg_value (answer), "links");
    check_equal (value_count (links), 1);
    link_read (value_get (value_at (links, 0), "link"), &link);
    check_equal (link.ifindex, kept.ifindex);
    check_equal (netns_count_links (), 3);
    //  An owner that does not exist any more.
    auto(msg_t) settled = scene_ask (self, "links", "links.settle", PATIENCE_MS);
    check_equal (scene_code (settled), 0);
    scene_until (self, do_key (self, "link.get", "net0", NULL) == ERR_NO_INTERFACE);
}

static void create_many (actor_t *self, int count, const link_spec_t *spec)
{
    scene_reset ();
    for (int i = 0; i < count; i++) {
        autofree char *key = text_format ("net%d", i);
        msg_t *msg = create_request (key, spec);
        actor_request (self, "links", &msg, PATIENCE_MS, scene_keep, NULL);
    }
}

//  While another process makes and removes links of the same names.
static void scene_storm (actor_t *self)
{
    const link_spec_t a_tap = { .kind = LINK_TAP, .set = { .name = "vnet%d", .up = LINK_ON } };
    const pid_t rival = netns_start_rival ();
    start_all (self);
    create_many (self, STORM, &a_pair);
    auto(msg_t) answer = scene_await (self, STORM);
    check_equal (scene_code (answer), 0);
    check_equal (count_records (), STORM);
    for (int i = 0; i < STORM; i++) {
        autofree char *key = text_format ("net%d", i);
        link_t link;
        check_equal (do_key (self, "link.get", key, &link), 0);
        check (link.up && *link.peer_name);
    }
    release (self);
    //  Taken back before they are there.
    create_many (self, STORM, &a_tap);
    release (self);
    auto(msg_t) taken_back = scene_await (self, STORM);
    check_equal (scene_code (taken_back), 0);
    check_equal (count_records (), 0);
    netns_end_rival (rival);
}

//  A daemon that is killed at any instant: the next one knows its links, and has removed what was
//  half made.

static void scene_until_killed (actor_t *self)
{
    start_all (self);
    for (;;) {
        create_many (self, STORM, &a_pair);
        auto(msg_t) answer = scene_await (self, STORM);
        release (self);
    }
}

static size_t count_listed (actor_t *self)
{
    auto(msg_t) list = scene_ask (self, "links", "link.list", PATIENCE_MS);
    check_equal (scene_code (list), 0);
    return value_count (msg_value (list));
}

//  Pairs that somebody was told of, and lo; nothing else stays.
static void scene_after_kill (actor_t *self)
{
    start_all (self);
    const size_t made = count_listed (self);
    for (int i = 0; netns_count_links () != 1 + 2 * made && i < PATIENCE_MS / 10; i++)
        scene_pass (self, 10);
    check_equal (netns_count_links (), 1 + 2 * made);
    check_equal (count_listed (self), made);
    release (self);
}

static void test_killed (void **state)
{
    for (unsigned round = 0; round < 6; round++) {
        const pid_t pid = netns_fork ();
        if (pid == 0)
            in_child (scene_until_killed, *state, true);
        while (netns_count_links () < 2 + round * 67)
            sched_yield ();
        assert_int_equal (kill (pid, SIGKILL), 0);
        assert_int_equal (waitpid (pid, NULL, 0), pid);
        run (scene_after_kill, *state);
    }
}

KERNEL_TEST (claim)
KERNEL_TEST (storm)

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (test_claim),
        unit_test_in_folder (test_storm),
        unit_test_in_folder (test_killed),
    };
    NETNS_OR_SKIP ();
    return cmocka_run_group_tests (tests, NULL, NULL);
}
