//  test_sessions.c: who is connected, and what each wants to be told.

#include "unit.h"

#include "actors/gateway/sessions.h"

#define UUID_A "aaaaaaaa-0000-4000-8000-000000000001"
#define UUID_B "bbbbbbbb-0000-4000-8000-000000000002"

static session_t *add (sessions_t *self, uint64_t key)
{
    peer_t peer = { .uid = 1000, .gid = 100, .pid = 77 };
    return sessions_add (self, key, "1000:100:77", &peer, ACCESS_WRITE);
}

static void clear (sessions_t **self_p)
{
    session_t *session;
    while ((session = sessions_first (*self_p)))
        sessions_remove (*self_p, &session);
    sessions_destroy (self_p);
}

//  COUNT times NAME.
static document_t *names_of (int count, const char *name)
{
    pack_t pack;
    error_t err;
    pack_init (&pack);
    pack_array (&pack);
    for (int i = 0; i < count; i++)
        pack_str (&pack, name);
    pack_end (&pack);
    document_t *document = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
    assert_non_null (document);
    pack_close (&pack);
    return document;
}

static int subscribe (session_t *session, const char *uuid, int count, const char *name)
{
    error_t err;
    auto(document_t) names = names_of (count, name);
    return session_subscribe (session, uuid, document_root (names), &err) ? 0 : (int) err.code;
}

static void test_table (void **state)
{
    (void) state;
    sessions_t *self = sessions_new ();
    session_t *a = add (self, 7), *b = add (self, 3), *c = add (self, 5);
    assert_ptr_equal (sessions_find (self, 3), b);
    assert_ptr_equal (sessions_by_number (self, c->number), c);
    assert_ptr_equal (sessions_first (self), a);
    assert_ptr_equal (a->next, b);
    uint64_t number = b->number;
    sessions_remove (self, &b);
    assert_ptr_equal (a->next, c);
    assert_ptr_equal (c->previous, a);
    assert_null (sessions_find (self, 3));
    assert_true (add (self, 3)->number > number); //  numbers are never used again
    assert_int_equal (sessions_count (self), 3);
    clear (&self);
}

static void test_bound (void **state)
{
    (void) state;
    sessions_t *self = sessions_new ();
    for (uint64_t i = 0; i < SESSIONS_MAX; i++)
        assert_non_null (add (self, i));
    assert_null (add (self, SESSIONS_MAX));
    clear (&self);
}

static void test_interests (void **state)
{
    (void) state;
    error_t err;
    sessions_t *self = sessions_new ();
    session_t *session = add (self, 1);
    assert_false (session_listens (session));
    assert_false (session_wants (session, UUID_A, "domain.reboot"));
    assert_int_equal (subscribe (session, UUID_A, 1, "domain.reboot"), 0);
    assert_int_equal (subscribe (session, UUID_A, 1, "domain.balloon"), 0);
    assert_true (session_listens (session));
    assert_true (session_wants (session, UUID_A, "domain.reboot"));
    assert_true (session_wants (session, UUID_A, "domain.balloon"));
    assert_false (session_wants (session, UUID_A, "domain.lifecycle"));
    assert_false (session_wants (session, UUID_B, "domain.reboot"));
    const interest_t *all = session_subscribe (session, "", NULL, &err);
    assert_non_null (all);
    assert_true (interest_has (all, UUID_A, "domain.lifecycle"));
    assert_true (session_wants (session, UUID_B, "anything"));
    session_unsubscribe (session);
    assert_false (session_wants (session, UUID_A, "domain.reboot"));
    assert_false (session_listens (session));
    clear (&self);
}

static void test_interest_bounds (void **state)
{
    (void) state;
    sessions_t *self = sessions_new ();
    session_t *session = add (self, 1);
    const char *name = "domain.lifecycle";
    assert_int_equal (subscribe (session, "", 0, name), ERR_INVALID_ARG);
    assert_int_equal (subscribe (session, "", 33, name), ERR_INVALID_ARG);
    assert_int_equal (subscribe (session, "", 1, "domain.lifecycl"), ERR_INVALID_ARG);
    for (int i = 0; i < SESSION_MAX_INTERESTS; i++)
        assert_int_equal (subscribe (session, "", 32, name), 0);
    assert_int_equal (subscribe (session, "", 1, name), ERR_RESOURCE_BUSY);
    clear (&self);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_table),
        cmocka_unit_test (test_bound),
        cmocka_unit_test (test_interests),
        cmocka_unit_test (test_interest_bounds),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
