//  test_rpc_wishes.c: what libvirt's clients ask of a migration, as arguments of our verbs.

#include "unit.h"

#include "actors/libvirt/rpc_migrate.h"

typedef struct {
    procedure_t procedure;
    rpc_entry_t entry;
    rpc_call_t call;
    pack_t args;
} asked_t;

static void begin (asked_t *self, uint64_t flags)
{
    *self = (asked_t){ .procedure = { .name = "MIGRATE" } };
    self->entry.procedure = &self->procedure;
    self->call.entry = &self->entry;
    pack_init (&self->args);
    pack_map (&self->args);
    pack_key_u64 (&self->args, "flags", flags);
}

static void begin_params (asked_t *self, uint64_t flags)
{
    begin (self, flags);
    pack_key_array (&self->args, "params");
}

static const rpc_call_t *end (asked_t *self, bool params)
{
    error_t err;
    if (params)
        pack_end (&self->args);
    pack_end (&self->args);
    self->call.document = document_parse (self->args.bytes, self->args.size, VALUE_MAX_BYTES, &err);
    assert_non_null (self->call.document);
    self->call.args = document_root (self->call.document);
    pack_close (&self->args);
    return &self->call;
}

//  What it becomes; NULL and ERR if it is refused.
static document_t *wished (asked_t *self, bool params, unsigned phase, error_t *err)
{
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    document_t *document = NULL;
    if (rpc_migrate_wishes (end (self, params), phase, &pack, err) == 0) {
        pack_end (&pack);
        document = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, err);
        assert_non_null (document);
    }
    pack_close (&pack);
    document_destroy (&self->call.document);
    return document;
}

static void test_parameters (void **state)
{
    (void) state;
    error_t err;
    asked_t asked;
    for (int phase = WISH_BEGIN; phase <= WISH_DIRECT; phase *= 2) {
        begin_params (&asked, MIGRATE_LIVE | MIGRATE_NON_SHARED_INC | MIGRATE_PAUSED |
                                  MIGRATE_CHANGE_PROTECTION | MIGRATE_PARALLEL);
        rpc_param_str (&asked.args, "migrate_uri", "tcp://host");
        rpc_param_ullong (&asked.args, "bandwidth", 3);
        rpc_param_str (&asked.args, "migrate_disks", "vda");
        rpc_param_int (&asked.args, "disks_port", 4000);
        rpc_param_str (&asked.args, "migrate_disks", "vdb");
        auto(document_t) map = wished (&asked, true, (unsigned) phase, &err);
        assert_non_null (map);
        const value_t *root = document_root (map);
        bool sender = phase == WISH_BEGIN || phase == WISH_DIRECT;
        bool sends = phase != WISH_PREPARE;
        assert_int_equal (value_get_bool (root, "live", false), sender);
        assert_int_equal (value_get_bool (root, "suspend", false), sender);
        assert_int_equal (value_get_u64 (root, "parallel", 0), sender ? 2 : 0);
        assert_int_equal (value_get_u64 (root, "disks_port", 0), sender ? 4000 : 0);
        assert_int_equal (value_count (value_get (root, "disks")), sender ? 2 : 0);
        assert_int_equal (value_get_u64 (root, "bandwidth", 0), sends ? 3 << 20 : 0);
        assert_int_equal (value_get_str (root, "uri") != NULL, phase != WISH_BEGIN);
        if (sender)
            assert_string_equal (value_get_str (root, "copy"), "top");
    }
}

//  Older clients have fields, of which 0 and nil are none.
static void test_fields (void **state)
{
    (void) state;
    error_t err;
    asked_t asked;
    begin (&asked, MIGRATE_LIVE | MIGRATE_COMPRESSED);
    pack_key_str (&asked.args, "dname", "other");
    pack_key_str (&asked.args, "xmlin", NULL);
    pack_key_u64 (&asked.args, "resource", 0);
    auto(document_t) map = wished (&asked, false, WISH_BEGIN, &err);
    assert_non_null (map);
    const value_t *root = document_root (map);
    assert_string_equal (value_get_str (root, "name"), "other");
    assert_string_equal (value_get_str (root, "compression"), "xbzrle");
    assert_null (value_get (root, "xml"));
    assert_null (value_get (root, "bandwidth"));
    assert_int_equal (value_count (root), 3);
}

static void test_refused_flags (void **state)
{
    (void) state;
    static const struct {
        uint64_t flags;
        int code;
        const char *what;
    } refused[] = {
        { MIGRATE_TUNNELLED, ERR_ARGUMENT_UNSUPPORTED, "tunnelled" },
        { MIGRATE_TLS, ERR_ARGUMENT_UNSUPPORTED, "tls" },
        { MIGRATE_RDMA_PIN_ALL, ERR_ARGUMENT_UNSUPPORTED, "rdma" },
        { MIGRATE_ZEROCOPY, ERR_ARGUMENT_UNSUPPORTED, "zerocopy" },
        { MIGRATE_SYNCHRONOUS_WRITES, ERR_ARGUMENT_UNSUPPORTED, "synchronous" },
        { MIGRATE_POSTCOPY_RESUME, ERR_ARGUMENT_UNSUPPORTED, "resume" },
        { 1u << 31, ERR_INVALID_ARG, "0x80000000" },
        { MIGRATE_NON_SHARED_DISK | MIGRATE_NON_SHARED_INC, ERR_INVALID_ARG, "exclude" },
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        error_t err;
        asked_t asked;
        begin_params (&asked, MIGRATE_LIVE | refused[i].flags);
        assert_null (wished (&asked, true, WISH_BEGIN, &err));
        assert_int_equal (err.code, refused[i].code);
        assert_non_null (strstr (err.message, refused[i].what));
    }
}

static void test_refused_parameters (void **state)
{
    (void) state;
    static const char *const names[] = { "tls.destination", "graphics_uri", "disks_uri", "no_such",
                                         "destination_name" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        error_t err;
        asked_t asked;
        begin_params (&asked, MIGRATE_LIVE);
        rpc_param_str (&asked.args, names[i], "x");
        rpc_param_str (&asked.args, names[i], "x");
        assert_null (wished (&asked, true, WISH_BEGIN, &err));
        assert_non_null (strstr (err.message, names[i]));
    }
    error_t err;
    asked_t asked;
    begin_params (&asked, MIGRATE_LIVE);
    rpc_param_int (&asked.args, "bandwidth", 1);
    assert_null (wished (&asked, true, WISH_BEGIN, &err));
    assert_non_null (strstr (err.message, "wrong type"));
    begin_params (&asked, MIGRATE_LIVE);
    rpc_param_ullong (&asked.args, "bandwidth", UINT64_MAX);
    assert_null (wished (&asked, true, WISH_BEGIN, &err));
    assert_int_equal (err.code, ERR_OVERFLOW);
    begin_params (&asked, MIGRATE_LIVE);
    rpc_param_int (&asked.args, "parallel.connections", 4);
    assert_null (wished (&asked, true, WISH_BEGIN, &err));
    assert_non_null (strstr (err.message, "goes with"));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_parameters),
        cmocka_unit_test (test_fields),
        cmocka_unit_test (test_refused_flags),
        cmocka_unit_test (test_refused_parameters),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
