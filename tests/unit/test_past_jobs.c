//  test_past_jobs.c: what is remembered of jobs that are over, in a snapshot and in a file.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "actors/jobs/past_jobs.h"

#include <stdio.h>
#include <string.h>

static document_t *packed (const past_jobs_t *self)
{
    pack_t pack;
    error_t err;
    pack_init (&pack);
    past_jobs_pack (self, &pack);
    document_t *document = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
    assert_non_null (document);
    pack_close (&pack);
    return document;
}

static void test_one_job (void **state)
{
    (void) state;
    auto(past_jobs_t) self = past_jobs_new ();
    assert_true (past_jobs_is_empty (self));
    past_jobs_begin (self, "save", "domain.save", NULL, 1000);
    assert_true (past_jobs_is_open (self));
    auto(document_t) before = packed (self);
    assert_int_equal (value_count (document_root (before)), 0);
    error_t err;
    error_set (&err, ERR_OPERATION_FAILED, "the disk is full");
    past_jobs_end (self, 3000, "failed", &err);
    assert_false (past_jobs_is_open (self));
    auto(document_t) after = packed (self);
    const value_t *job = value_at (document_root (after), 0);
    assert_string_equal (value_get_str (job, "kind"), "save");
    assert_string_equal (value_get_str (job, "verb"), "domain.save");
    assert_string_equal (value_get_str (job, "outcome"), "failed");
    assert_string_equal (value_get_str (job, "error"), "the disk is full");
    assert_int_equal (value_get_i64 (job, "since_us", 0), 1000);
    assert_int_equal (value_get_i64 (job, "ended_us", 0), 3000);
}

static document_t *packed_last (const past_jobs_t *self)
{
    pack_t pack;
    error_t err;
    pack_init (&pack);
    pack_map (&pack);
    past_jobs_pack_last (self, &pack);
    pack_end (&pack);
    document_t *document = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
    assert_non_null (document);
    pack_close (&pack);
    return document;
}

static void test_the_last_one (void **state)
{
    (void) state;
    auto(past_jobs_t) self = past_jobs_new ();
    assert_null (past_jobs_last_verb (self));
    past_jobs_begin (self, "save", "domain.save", NULL, 1000);
    past_jobs_end (self, 2000, "completed", NULL);
    past_jobs_begin (self, "dump", "domain.dump", NULL, 3000);
    assert_string_equal (past_jobs_last_verb (self), "domain.dump");
    auto(document_t) under_way = packed_last (self);
    assert_int_equal (value_count (document_root (under_way)), 0);
    past_jobs_end (self, 4000, "cancelled", NULL);
    auto(document_t) over = packed_last (self);
    assert_string_equal (value_get_str (document_root (over), "kind"), "dump");
    assert_string_equal (value_get_str (document_root (over), "outcome"), "cancelled");
    assert_int_equal (value_get_i64 (document_root (over), "ended_us", 0), 4000);
}

//  Nothing is under way: an end means nothing.
static void test_end_without_begin (void **state)
{
    (void) state;
    auto(past_jobs_t) self = past_jobs_new ();
    past_jobs_end (self, 1, "completed", NULL);
    assert_true (past_jobs_is_empty (self));
    past_jobs_begin (self, "dump", "domain.dump", NULL, 1);
    past_jobs_end (self, 2, "completed", NULL);
    past_jobs_end (self, 3, "failed", NULL);
    auto(document_t) document = packed (self);
    assert_string_equal (value_get_str (value_at (document_root (document), 0), "outcome"),
                         "completed");
}

static void test_the_oldest_are_forgotten (void **state)
{
    (void) state;
    auto(past_jobs_t) self = past_jobs_new ();
    for (int i = 1; i <= PAST_JOBS_MAX + 5; i++) {
        past_jobs_begin (self, "start", "domain.create", NULL, i);
        past_jobs_end (self, i, "completed", NULL);
    }
    auto(document_t) document = packed (self);
    const value_t *list = document_root (document);
    assert_int_equal (value_count (list), PAST_JOBS_MAX);
    assert_int_equal (value_get_i64 (value_at (list, 0), "since_us", 0), 6);
    assert_int_equal (value_get_i64 (value_at (list, PAST_JOBS_MAX - 1), "since_us", 0),
                      PAST_JOBS_MAX + 5);
}

//  As after a daemon that was killed: what was under way still is.
static void test_file (void **state)
{
    (void) state;
    pack_t by;
    error_t err;
    pack_init (&by);
    pack_map (&by);
    pack_key_u64 (&by, "uid", 1000);
    pack_key_u64 (&by, "client", 7);
    pack_end (&by);
    auto(document_t) asker = document_parse (by.bytes, by.size, VALUE_MAX_BYTES, &err);
    pack_close (&by);
    auto(past_jobs_t) self = past_jobs_new ();
    past_jobs_begin (self, "save", "domain.save", document_root (asker), 10);
    error_set (&err, ERR_OPERATION_FAILED, "'<&>' is no \"file\"");
    past_jobs_end (self, 20, "failed", &err);
    past_jobs_begin (self, "dump", "domain.dump", NULL, 30);
    autofree char *text = past_jobs_text (self);
    auto(past_jobs_t) again = past_jobs_parse (text, &err);
    assert_non_null (again);
    assert_true (past_jobs_is_open (again));
    past_jobs_end (again, 40, "rolled back", NULL);
    auto(document_t) document = packed (again);
    const value_t *first = value_at (document_root (document), 0);
    assert_int_equal (value_count (document_root (document)), 2);
    assert_string_equal (value_get_str (first, "error"), "'<&>' is no \"file\"");
    assert_int_equal (value_get_u64 (value_get (first, "by"), "uid", 0), 1000);
    assert_int_equal (value_get_u64 (value_get (first, "by"), "client", 0), 7);
    autofree char *same = past_jobs_text (again);
    assert_non_null (strstr (same, "rolled back"));
}

static void test_how_far_it_came (void **state)
{
    (void) state;
    pack_t pack;
    error_t err;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_u64 (&pack, "done", 70);
    pack_key_u64 (&pack, "total", 100);
    pack_key_u64 (&pack, "remaining", 30);
    pack_key_u64 (&pack, "passes", 4);
    pack_end (&pack);
    auto(document_t) progress = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
    pack_close (&pack);
    auto(past_jobs_t) self = past_jobs_new ();
    past_jobs_begin (self, "save", "domain.save", NULL, 10);
    past_jobs_reached (self, document_root (progress));
    past_jobs_end (self, 20, "cancelled", NULL);
    past_jobs_reached (self, NULL); //  none is under way: what is known stays
    past_jobs_begin (self, "dump", "domain.dump", NULL, 30);
    past_jobs_reached (self, NULL);
    past_jobs_end (self, 40, "completed", NULL);
    autofree char *text = past_jobs_text (self);
    auto(past_jobs_t) again = past_jobs_parse (text, &err);
    assert_non_null (again);
    auto(document_t) document = packed (again);
    const value_t *save = value_at (document_root (document), 0);
    assert_int_equal (value_get_u64 (save, "done", 0), 70);
    assert_int_equal (value_get_u64 (save, "total", 0), 100);
    assert_int_equal (value_get_u64 (save, "remaining", 0), 30);
    assert_int_equal (value_get_u64 (save, "passes", 0), 4);
    assert_int_equal (value_get_u64 (value_at (document_root (document), 1), "total", 9), 0);
}

static void test_damaged_files (void **state)
{
    (void) state;
    static const char *const texts[] = { "", "<jobs>", "<jobs><job since_us='then'/></jobs>" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        error_t err = { 0 };
        assert_null (past_jobs_parse (texts[i], &err));
        assert_true (err.message[0]);
    }
}

//  Jobs that go on beside others.
static void test_one_that_is_over (void **state)
{
    (void) state;
    auto(past_jobs_t) self = past_jobs_new ();
    past_job_t pull = { .kind = "block pull",
                        .verb = "domain.block_pull",
                        .outcome = "completed",
                        .since_us = 5,
                        .ended_us = 9,
                        .asked = true,
                        .uid = 7,
                        .client = 2,
                        .done = 3000,
                        .total = 4000 };
    past_jobs_begin (self, "save", "domain.save", NULL, 1000);
    past_jobs_add (self, &pull);
    assert_true (past_jobs_is_open (self));
    assert_string_equal (past_jobs_last_verb (self), "domain.save");
    past_jobs_end (self, 3000, "completed", NULL);
    for (int i = 0; i < PAST_JOBS_MAX - 2; i++)
        past_jobs_add (self, &pull);
    past_jobs_begin (self, "dump", "domain.dump", NULL, 4000);
    pull.outcome = "failed";
    pull.error = "no space";
    pull.key = "node2";
    past_jobs_add (self, &pull);
    past_jobs_end (self, 5000, "completed", NULL);
    auto(document_t) after = packed (self);
    assert_int_equal (value_count (document_root (after)), PAST_JOBS_MAX);
    const value_t *job = value_at (document_root (after), PAST_JOBS_MAX - 2);
    assert_string_equal (value_get_str (job, "outcome"), "failed");
    assert_string_equal (value_get_str (job, "error"), "no space");
    assert_int_equal (value_get_u64 (job, "done", 0), 3000);
    assert_int_equal (value_get_u64 (job, "total", 0), 4000);
    assert_int_equal (value_get_u64 (job, "remaining", 0), 1000);
    assert_string_equal (value_get_str (value_get (job, "by"), "key"), "node2");
    assert_null (value_get (value_get (job, "by"), "uid"));
    job = value_at (document_root (after), PAST_JOBS_MAX - 3);
    assert_int_equal (value_get_u64 (value_get (job, "by"), "uid", 0), 7);
    job = value_at (document_root (after), PAST_JOBS_MAX - 1);
    assert_string_equal (value_get_str (job, "kind"), "dump");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_one_job),           cmocka_unit_test (test_the_last_one),
        cmocka_unit_test (test_end_without_begin), cmocka_unit_test (test_the_oldest_are_forgotten),
        cmocka_unit_test (test_one_that_is_over),  cmocka_unit_test (test_file),
        cmocka_unit_test (test_damaged_files),     cmocka_unit_test (test_how_far_it_came),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
