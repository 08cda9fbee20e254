//  test_sessions.c: who is connected, and what each wants to be told.

#include "unit.h"

#include "actors/sessions.h"

#define UUID_A "aaaaaaaa-0000-4000-8000-000000000001"
#define UUID_B "bbbbbbbb-0000-4000-8000-000000000002"

static session_t *add (sessions_t *self, uint64_t key)
{
    peer_t peer = { 1000, 100, 77 };
    return sessions_add (self, key, "1000:100:77", &peer, ACCESS_WRITE);
}

static void clear (sessions_t **self_p)
{
    session_t *session;
    while ((session = sessions_first (*self_p)))
        sessions_remove (*self_p, &session);
    sessions_destroy (self_p);
}

//  COUNT names of SIZE bytes, "aaa", "bbb", ...; the document holds them.
static document_t *names_of (int count, int size)
{
    pack_t pack;
    error_t err;
    char name[128];
    pack_init (&pack);
    pack_array (&pack);
    for (int i = 0; i < count; i++) {
        snprintf (name, sizeof name, "%.*s", size,
                  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                  "aaaaaaaa");
        memset (name, 'a' + i % 26, strlen (name));
        pack_str (&pack, name);
    }
    pack_end (&pack);
    document_t *document = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
    assert_non_null (document);
    pack_close (&pack);
    return document;
}

static int subscribe (session_t *session, const char *uuid, int count, int size)
{
    error_t err;
    auto(document_t) document = names_of (count, size);
    return session_subscribe (session, uuid, document_root (document), &err) ? (int) err.code : 0;
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
    assert_false (session_wants (session, UUID_A, "aaa"));
    assert_int_equal (subscribe (session, UUID_A, 2, 3), 0);
    assert_true (session_listens (session));
    assert_true (session_wants (session, UUID_A, "aaa"));
    assert_true (session_wants (session, UUID_A, "bbb"));
    assert_false (session_wants (session, UUID_A, "ccc"));
    assert_false (session_wants (session, UUID_B, "aaa"));
    assert_int_equal (session_subscribe (session, "", NULL, &err), 0);
    assert_true (session_wants (session, UUID_B, "anything"));
    session_unsubscribe (session);
    assert_false (session_wants (session, UUID_A, "aaa"));
    assert_false (session_listens (session));
    clear (&self);
}

static void test_interest_bounds (void **state)
{
    (void) state;
    sessions_t *self = sessions_new ();
    session_t *session = add (self, 1);
    assert_int_equal (subscribe (session, "", 0, 3), ERR_INVALID_ARG);
    assert_int_equal (subscribe (session, "", 33, 3), ERR_INVALID_ARG);
    assert_int_equal (subscribe (session, "", 1, 65), ERR_INVALID_ARG);
    for (int i = 0; i < SESSION_MAX_INTERESTS; i++)
        assert_int_equal (subscribe (session, "", 32, 64), 0);
    assert_int_equal (subscribe (session, "", 1, 1), ERR_RESOURCE_BUSY);
    clear (&self);
}

static void test_by (void **state)
{
    (void) state;
    error_t err;
    sessions_t *self = sessions_new ();
    pack_t pack;
    pack_init (&pack);
    session_pack_by (add (self, 1), "t7", &pack);
    auto(document_t) by = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
    assert_int_equal (value_get_u64 (document_root (by), "uid", 0), 1000);
    assert_int_equal (value_get_u64 (document_root (by), "client", 0), 1);
    assert_string_equal (value_get_str (document_root (by), "role"), "write");
    assert_string_equal (value_get_str (document_root (by), "trace"), "t7");
    pack_close (&pack);
    clear (&self);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_table),     cmocka_unit_test (test_bound),
        cmocka_unit_test (test_interests), cmocka_unit_test (test_interest_bounds),
        cmocka_unit_test (test_by),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
