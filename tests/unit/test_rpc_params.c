//  test_rpc_params.c: typed parameters: what setters take, and what getters are told.

#include "unit.h"

#include "actors/libvirt/rpc_params.h"
#include "util/text.h"

static const rpc_param_t table[] = { { "hard_limit", PARAM_ULLONG, NULL },
                                     { "nodeset", PARAM_STRING, "set" },
                                     { "on", PARAM_BOOLEAN, NULL },
                                     { 0 } };

//  What PACK holds; it is closed.
static document_t *read_back (pack_t *pack)
{
    error_t err;
    document_t *document = document_parse (pack->bytes, pack->size, VALUE_MAX_BYTES, &err);
    assert_non_null (document);
    pack_close (pack);
    return document;
}

static int read_list (pack_t *list, document_t **args, error_t *err)
{
    pack_t pack;
    auto(document_t) document = read_back (list);
    pack_init (&pack);
    pack_map (&pack);
    int rc = rpc_params_read (document_root (document), table, "SET", &pack, err);
    if (rc == 0) {
        pack_end (&pack);
        *args = read_back (&pack);
    } else
        pack_close (&pack);
    return rc;
}

static void test_read (void **state)
{
    (void) state;
    error_t err;
    pack_t list;
    auto(document_t) args = NULL;
    pack_init (&list);
    pack_array (&list);
    rpc_param_ullong (&list, "hard_limit", 1024);
    rpc_param_str (&list, "nodeset", "0-3");
    rpc_param_bool (&list, "on", true);
    pack_end (&list);
    assert_int_equal (read_list (&list, &args, &err), 0);
    const value_t *root = document_root (args);
    assert_int_equal (value_count (root), 3);
    assert_int_equal (value_get_u64 (root, "hard_limit", 0), 1024);
    assert_string_equal (value_get_str (root, "set"), "0-3");
    assert_true (value_get_bool (root, "on", false));
}

//  One that is unknown, one of another type, one that is there twice.
static void test_refused (void **state)
{
    (void) state;
    static const char *const reasons[] = { "'soft_limit' not supported", "'on' has the wrong type",
                                           "'on' is given twice" };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        error_t err;
        pack_t list;
        document_t *args = NULL;
        pack_init (&list);
        pack_array (&list);
        rpc_param_bool (&list, "on", true);
        if (i == 0)
            rpc_param_ullong (&list, "soft_limit", 1);
        else if (i == 1)
            rpc_param_int (&list, "on", 1);
        else
            rpc_param_bool (&list, "on", false);
        pack_end (&list);
        //  Of two of one name the type is looked at first.
        assert_int_equal (read_list (&list, &args, &err), -1);
        assert_int_equal (err.code, ERR_INVALID_ARG);
        if (!strstr (err.message, reasons[i]))
            fail_msg ("'%s' instead of '%s'", err.message, reasons[i]);
    }
}

//  What a getter answers to a call with NPARAMS (-1: it has no such field) and FLAGS.
static document_t *written (int64_t nparams, uint64_t flags)
{
    pack_t args, values, ret;
    pack_init (&args);
    pack_map (&args);
    if (nparams >= 0)
        pack_key_i64 (&args, "nparams", nparams);
    pack_key_u64 (&args, "flags", flags);
    pack_end (&args);
    pack_init (&values);
    pack_map (&values);
    pack_key_u64 (&values, "hard_limit", 7);
    pack_key_str (&values, "set", "1");
    pack_key_bool (&values, "on", true);
    pack_key_u64 (&values, "other", 1);
    pack_end (&values);
    auto(document_t) call = read_back (&args);
    auto(document_t) result = read_back (&values);
    pack_init (&ret);
    pack_map (&ret);
    rpc_params_write (table, document_root (call), document_root (result), &ret);
    pack_end (&ret);
    return read_back (&ret);
}

//  {how many are in the list, how many it says that there are}.
static void check_written (int64_t nparams, uint64_t flags, size_t in_list, uint64_t said)
{
    auto(document_t) ret = written (nparams, flags);
    const value_t *root = document_root (ret);
    assert_int_equal (value_count (value_get (root, "params")), in_list);
    assert_int_equal (value_get_u64 (root, "nparams", 99), said);
}

//  0 asks only how many there are. Texts go to those who say that they understand them, and to the
//  newer calls, which have no `nparams`.
static void test_write (void **state)
{
    (void) state;
    enum {
        STRING_OKAY = 4
    };
    check_written (0, 0, 0, 2);
    check_written (0, STRING_OKAY, 0, 3);
    check_written (2, 0, 2, 2);
    check_written (3, STRING_OKAY, 3, 3);
    check_written (1, STRING_OKAY, 1, 1);
    check_written (-1, 0, 3, 3);
    auto(document_t) ret = written (-1, 0);
    const value_t *text = value_at (value_get (document_root (ret), "params"), 1);
    assert_string_equal (value_get_str (text, "field"), "nodeset");
    assert_int_equal (value_get_i64 (value_get (text, "value"), "type", 0), PARAM_STRING);
    assert_string_equal (value_get_str (value_get (text, "value"), "value"), "1");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_read),
        cmocka_unit_test (test_refused),
        cmocka_unit_test (test_write),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
