//  test_rows_block.c: what libvirt's clients are told of a disk's job.

#include "unit.h"

#include "actors/libvirt/rpc_self.h"

#include <string.h>

static document_t *document_of (pack_t *pack)
{
    error_t err;
    document_t *document = document_parse (pack->bytes, pack->size, VALUE_MAX_BYTES, &err);
    assert_non_null (document);
    pack_close (pack);
    return document;
}

static document_t *job (bool ready, uint64_t done, uint64_t total)
{
    pack_t pack;
    pack_init (&pack);
    pack_array (&pack);
    pack_map (&pack);
    pack_key_bool (&pack, "ready", ready);
    pack_key_u64 (&pack, "done", done);
    pack_key_u64 (&pack, "total", total);
    pack_end (&pack);
    pack_end (&pack);
    return document_of (&pack);
}

static const rpc_row_t *row_of (const char *procedure)
{
    const rpc_row_t *row = rpc_rows_block;
    while (strcmp (row->procedure, procedure) != 0)
        row++;
    return row;
}

static void check_info (bool ready, uint64_t done, uint64_t total, uint64_t end)
{
    pack_t ret;
    error_t err = { 0 };
    auto(document_t) result = job (ready, done, total);
    rpc_call_t call = { .args = NULL };
    pack_init (&ret);
    pack_map (&ret);
    assert_int_equal (
        row_of ("DOMAIN_GET_BLOCK_JOB_INFO")->answer (&call, document_root (result), &ret, &err),
        0);
    pack_end (&ret);
    auto(document_t) told = document_of (&ret);
    assert_true (value_get_bool (document_root (told), "found", false));
    assert_int_equal (value_get_u64 (document_root (told), "cur", 99), done);
    assert_int_equal (value_get_u64 (document_root (told), "end", 99), end);
}

static void test_the_end_means_ready (void **state)
{
    (void) state;
    check_info (false, 0, 0, 1);
    check_info (false, 7, 7, 8);
    check_info (false, 7, 9, 9);
    check_info (true, 7, 7, 7);
    check_info (true, 0, 0, 0); //  an empty disk
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_the_end_means_ready),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
