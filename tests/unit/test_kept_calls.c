//  test_kept_calls.c: which calls are the same, what they are answered, and for how long.

#include "unit.h"

#include "actors/gateway/kept_calls.h"
#include "util/text.h"

#define NOW INT64_C (1800000000000000)
#define ID "1111111111111111111111111111111111111111111111111111111111111111"
#define DIGEST "2222222222222222222222222222222222222222222222222222222222222222"

//  A map of "name=value" words, each a string, but a number after =#.
static document_t *map_of (const char *words)
{
    pack_t pack;
    error_t err;
    pack_init (&pack);
    pack_map (&pack);
    autofree char *copy = text_copy (words);
    char *rest = copy;
    for (char *word; (word = strsep (&rest, " "));) {
        char *value = word, *name = strsep (&value, "=");
        if (!value)
            continue;
        if (value[0] == '#')
            pack_key_u64 (&pack, name, strtoull (value + 1, NULL, 10));
        else
            pack_key_str (&pack, name, value);
    }
    pack_end (&pack);
    document_t *document = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
    pack_close (&pack);
    return document;
}

static const char *id_of (const char *by, const char *key, char id[SHA256_TEXT_SIZE])
{
    auto(document_t) map = map_of (by);
    kept_call_id (document_root (map), key, id);
    return id;
}

static void test_who (void **state)
{
    (void) state;
    char one[SHA256_TEXT_SIZE], other[SHA256_TEXT_SIZE];
    id_of ("uid=#7 gid=#1 pid=#100 client=#1", "k", one);
    assert_string_equal (id_of ("uid=#7 gid=#2 pid=#200 client=#2", "k", other), one);
    assert_string_not_equal (id_of ("uid=#8", "k", other), one);
    assert_string_not_equal (id_of ("uid=#7", "l", other), one);
    assert_string_not_equal (id_of ("key=7", "k", other), one);
    id_of ("key=a", "bc", one);
    assert_string_not_equal (id_of ("key=ab", "c", other), one);
}

static const char *digest_of (const char *verb, const char *domain, const char *words,
                              char digest[SHA256_TEXT_SIZE])
{
    auto(document_t) map = map_of (words);
    auto(document_t) named = domain ? map_of (domain) : NULL;
    const value_t *value = named ? value_get (document_root (named), "domain") : NULL;
    kept_call_digest (verb, value, document_root (map), digest);
    return digest;
}

static void test_what (void **state)
{
    (void) state;
    char one[SHA256_TEXT_SIZE], other[SHA256_TEXT_SIZE];
    digest_of ("v", "domain=web", "a=1 b=2", one);
    assert_string_equal (digest_of ("v", "domain=web", "b=2 a=1", other), one);
    assert_string_not_equal (digest_of ("w", "domain=web", "a=1 b=2", other), one);
    assert_string_not_equal (digest_of ("v", "domain=db", "a=1 b=2", other), one);
    assert_string_not_equal (digest_of ("v", NULL, "a=1 b=2", other), one);
    assert_string_not_equal (digest_of ("v", "domain=web", "a=1", other), one);
    assert_string_not_equal (digest_of ("v", "domain=web", "a=2 b=1", other), one);
    assert_string_not_equal (digest_of ("v", "domain=web", "a=#1 b=2", other), one);
    digest_of ("v", NULL, "", one);
    kept_call_digest ("v", NULL, NULL, other);
    assert_string_equal (other, one);
}

//  One call, answered with a text of SIZE bytes.
static kept_call_t *add (kept_calls_t *self, const char *id, size_t size, int64_t ended_us)
{
    kept_call_t *call = kept_calls_add (self, id, DIGEST, "domain.create", ended_us - 5);
    auto(msg_t) reply = msg_reply ();
    autofree char *text = memory_new (1, size + 1);
    memset (text, 'x', size);
    pack_str (msg_result (reply), text);
    kept_calls_answer (self, call, reply, ended_us);
    call->state = KEPT_ANSWERED;
    return call;
}

static kept_call_t *reload (kept_calls_t *self, kept_call_t **call_p)
{
    error_t err;
    size_t size;
    autofree char *bytes = kept_call_pack (*call_p, &size);
    kept_calls_remove (self, call_p);
    assert_int_equal (kept_calls_load (self, ID, bytes, size, NOW, &err), 0);
    return kept_calls_find (self, ID);
}

static void test_answer_is_kept (void **state)
{
    (void) state;
    kept_calls_t *self = kept_calls_new ();
    kept_call_t *call = add (self, ID, 10, NOW);
    call = reload (self, &call);
    assert_int_equal (call->state, KEPT_ANSWERED);
    assert_true (call->ended_us == NOW && call->begun_us == NOW - 5);
    assert_string_equal (call->digest, DIGEST);
    auto(msg_t) answer = kept_call_answer (call);
    assert_string_equal (value_str (msg_value (answer)), "xxxxxxxxxx");
    kept_calls_destroy (&self);
}

static void test_error_is_kept (void **state)
{
    (void) state;
    kept_calls_t *self = kept_calls_new ();
    error_t err;
    error_set (&err, ERR_NO_DOMAIN, "there is none");
    auto(msg_t) failure = msg_error (&err);
    kept_call_t *call = kept_calls_add (self, ID, DIGEST, "domain.create", NOW);
    kept_calls_answer (self, call, failure, NOW);
    call = reload (self, &call);
    auto(msg_t) answer = kept_call_answer (call);
    assert_true (msg_failed (answer, &err));
    assert_int_equal (err.code, ERR_NO_DOMAIN);
    assert_string_equal (err.message, "there is none");
    kept_calls_destroy (&self);
}

static void check_says (const kept_call_t *call, const char *what)
{
    error_t err;
    auto(msg_t) answer = kept_call_answer (call);
    assert_true (msg_failed (answer, &err));
    assert_int_equal (err.code, ERR_OPERATION_FAILED);
    assert_false (err.retry);
    assert_non_null (strstr (err.message, what));
    assert_non_null (strstr (err.message, "domain.create"));
}

//  The daemon was killed before there was an answer.
static void test_lost (void **state)
{
    (void) state;
    kept_calls_t *self = kept_calls_new ();
    kept_call_t *call = kept_calls_add (self, ID, DIGEST, "domain.create", NOW);
    assert_int_equal (call->state, KEPT_OPEN);
    call = reload (self, &call);
    assert_int_equal (call->state, KEPT_LOST);
    check_says (call, "not known");
    kept_calls_destroy (&self);
}

static void test_large_answer (void **state)
{
    (void) state;
    kept_calls_t *self = kept_calls_new ();
    kept_call_t *call = add (self, ID, KEPT_MAX_ANSWER, NOW);
    check_says (call, "too large");
    check_says (reload (self, &call), "too large");
    kept_calls_destroy (&self);
}

static void test_damaged (void **state)
{
    (void) state;
    kept_calls_t *self = kept_calls_new ();
    kept_call_t *call = add (self, ID, 10, NOW);
    size_t size;
    error_t err;
    autofree char *bytes = kept_call_pack (call, &size);
    kept_calls_remove (self, &call);
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal (kept_calls_load (self, ID, bytes, cut, NOW, &err), -1);
    assert_int_equal (kept_calls_load (self, "notes.txt", bytes, size, NOW, &err), -1);
    assert_int_equal (kept_calls_count (self), 0);
    kept_calls_destroy (&self);
}

static void add_numbered (kept_calls_t *self, size_t number, size_t size, int64_t ended_us)
{
    char id[SHA256_TEXT_SIZE];
    snprintf (id, sizeof id, "%064zx", number);
    add (self, id, size, ended_us);
}

static void test_age (void **state)
{
    (void) state;
    kept_calls_t *self = kept_calls_new ();
    kept_calls_add (self, ID, DIGEST, "domain.create", NOW - 2 * KEPT_US); //  open: it stays
    add_numbered (self, 1, 10, NOW - KEPT_US + 1);
    add_numbered (self, 2, 10, NOW - KEPT_MIN_US + 1);
    assert_null (kept_calls_find_old (self, false, NOW));
    kept_call_t *old = kept_calls_find_old (self, true, NOW);
    assert_true (old->ended_us == NOW - KEPT_US + 1);
    assert_ptr_equal (kept_calls_find_old (self, false, NOW + 1), old);
    kept_calls_remove (self, &old);
    assert_null (kept_calls_find_old (self, true, NOW));
    kept_calls_destroy (&self);
}

static void test_bounds (void **state)
{
    (void) state;
    kept_calls_t *self = kept_calls_new ();
    for (size_t i = 0; i < KEPT_MAX_CALLS; i++) {
        assert_false (kept_calls_are_full (self));
        add_numbered (self, i, 10, NOW);
    }
    assert_true (kept_calls_are_full (self));
    kept_calls_destroy (&self);
    self = kept_calls_new ();
    size_t count = 0;
    for (; !kept_calls_are_full (self); count++)
        add_numbered (self, count, KEPT_MAX_ANSWER - 100, NOW);
    assert_in_range (count, 200, KEPT_MAX_BYTES / KEPT_MAX_ANSWER + 1);
    kept_calls_destroy (&self);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_who),
        cmocka_unit_test (test_what),
        cmocka_unit_test (test_answer_is_kept),
        cmocka_unit_test (test_error_is_kept),
        cmocka_unit_test (test_lost),
        cmocka_unit_test (test_large_answer),
        cmocka_unit_test (test_damaged),
        cmocka_unit_test (test_age),
        cmocka_unit_test (test_bounds),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
