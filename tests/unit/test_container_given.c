//  test_container_given.c: links that go from one network namespace back to another.

#include "container/container_given.h"
#include "netns.h"

static const char *names[] = { "up0", "down0", "none0", NULL };

//  In a process that is in a new namespace then, with the links in it. 0: all is as it has to be.
static int give_back (bool renamed)
{
    error_t err;
    container_spec_t spec = { .given = names };
    container_given_t given = { .home = -1 };
    if (container_given_open (&given, &err) || unshare (CLONE_NEWNET))
        return 2;
    if (netns_make_pair ("up0", "x0") || netns_make_pair ("down0", "x1"))
        return 3;
    container_given_note (&given, &spec);
    const link_settings_t change = { .name = "mine", .mac = "02:09:00:00:00:09", .up = LINK_ON };
    const link_targets_t here = { .netns = -1 };
    if (renamed && netns_ask (link_request_set (if_nametoindex ("up0"), &change, &here)))
        return 4;
    container_given_return (&given, &spec);
    if (if_nametoindex ("up0") || if_nametoindex ("mine") || if_nametoindex ("down0"))
        return 5;
    //  Its other end would go with this namespace, and take it along.
    return if_nametoindex ("x0") && setns (given.home, CLONE_NEWNET) == 0 ? 0 : 6;
}

static void in_child (bool renamed, const char *name, unsigned count)
{
    int status;
    const pid_t pid = netns_fork ();
    if (pid == 0) {
        int rc = give_back (renamed);
        const link_news_t news = netns_find ("02:01");
        bool fine = if_nametoindex (name) && netns_count_links () == count && !news.link.up &&
                    netns_find ("02:09").link.ifindex == 0;
        _exit (rc ? rc : fine ? 0 : 7);
    }
    assert_int_equal (waitpid (pid, &status, 0), pid);
    assert_int_equal (status, 0);
}

//  The other namespace goes when nobody is in it any more, and with its ends those here.
static void await_end (unsigned count)
{
    for (int i = 0; i < 1000 && netns_count_links () > count; i++)
        usleep (10000);
    assert_int_equal (netns_count_links (), count);
}

static void as_they_came (void **state)
{
    (void) state;
    in_child (false, "up0", 3);
    await_end (1);
}

static void renamed (void **state)
{
    (void) state;
    in_child (true, "up0", 3);
    await_end (1);
}

static void name_is_taken (void **state)
{
    (void) state;
    assert_int_equal (netns_make_pair ("up0", "up1"), 0);
    in_child (false, "down0", 5);
    await_end (3);
    assert_int_equal (netns_remove (if_nametoindex ("up0")), 0);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (as_they_came),
        cmocka_unit_test (renamed),
        cmocka_unit_test (name_is_taken),
    };
    NETNS_OR_SKIP ();
    return cmocka_run_group_tests (tests, NULL, NULL);
}
