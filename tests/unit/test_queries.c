//  test_queries.c: queries answered from snapshots.

#include "unit.h"

#include "actors/gateway/queries.h"

#define NOW_US 1750000000000000

#define RUNNING "aaaaaaaa-0000-4000-8000-000000000001"
#define PAUSED "bbbbbbbb-0000-4000-8000-000000000002"
#define OFF "cccccccc-0000-4000-8000-000000000003"
#define CRASHED "dddddddd-0000-4000-8000-000000000004"

enum {
    NEVER = 0,
    PERSISTENT = 1,
    AUTOSTART = 2,
    SAVED = 4,
    CHECKPOINT = 8,
    SNAPSHOT = 16,
    LOADING = 32,
    MIGRATION = 64
};

static void pack_tune (pack_t *pack, const char *which)
{
    pack_key_map (pack, which);
    pack_key_str (pack, "device_weight", which);
    pack_key_str (pack, "cpuset", which);
    pack_end (pack);
}

static void pack_metadata (pack_t *pack, const char *which)
{
    pack_key_map (pack, which);
    pack_key_str (pack, "title", which);
    pack_key_map (pack, "elements");
    pack_key_str (pack, "urn:test", which);
    pack_end (pack);
    pack_end (pack);
}

static void add (snapshots_t *self, const char *uuid, const char *name, int state, int64_t id,
                 int flags)
{
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_str (&pack, "name", name);
    pack_key_str (&pack, "driver", "test");
    pack_key_i64 (&pack, "state", state);
    pack_key_i64 (&pack, "reason", 1);
    pack_key_i64 (&pack, "id", id);
    pack_key_u64 (&pack, "vcpus", 2);
    pack_key_u64 (&pack, "max_vcpus", 4);
    pack_key_u64 (&pack, "config_vcpus", 3);
    pack_key_bool (&pack, "persistent", flags & PERSISTENT);
    pack_key_bool (&pack, "autostart", flags & AUTOSTART);
    pack_key_bool (&pack, "managed_save", flags & SAVED);
    pack_key_bool (&pack, "loading", flags & LOADING);
    if (flags & MIGRATION) {
        pack_key_map (&pack, "migration");
        pack_key_str (&pack, "token", "t1");
        pack_end (&pack);
    }
    pack_key_array (&pack, "checkpoints");
    if (flags & CHECKPOINT)
        pack_str (&pack, "c1");
    pack_end (&pack);
    pack_key_str (&pack, "xml", id > 0 ? "live" : "inactive");
    if (flags & PERSISTENT)
        pack_key_str (&pack, "xml_inactive", "inactive");
    pack_key_str (&pack, "xml_inactive_secure", "secret");
    pack_key_map (&pack, "metadata");
    pack_metadata (&pack, "live");
    pack_metadata (&pack, "config");
    pack_end (&pack);
    pack_key_map (&pack, "tune");
    pack_tune (&pack, "live");
    pack_tune (&pack, "config");
    pack_end (&pack);
    pack_end (&pack);
    error_t err;
    auto(document_t) document = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
    pack_close (&pack);
    assert_int_equal (snapshots_apply (self, uuid, document_root (document), &err), 0);
    if (flags & SNAPSHOT)
        snapshots_set_tree (self, uuid, value_get (document_root (document), "checkpoints"));
}

static int make_house (void **state)
{
    snapshots_t *self = snapshots_new ();
    add (self, RUNNING, "run", 1, 1, PERSISTENT | AUTOSTART | CHECKPOINT | SNAPSHOT);
    add (self, PAUSED, "paused", 3, 2, NEVER);
    add (self, OFF, "off", 5, -1, PERSISTENT | SAVED);
    add (self, CRASHED, "crashed", 6, 4, PERSISTENT | CHECKPOINT);
    *state = self;
    return 0;
}

static int leave_house (void **state)
{
    snapshots_t *self = *state;
    snapshots_destroy (&self);
    return 0;
}

//  Arguments as "key=text,flag,...". The answer, or NULL and ERR.
static document_t *ask_as (const snapshots_t *snapshots, const char *verb, const char *args,
                           access_t role, error_t *err)
{
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    char copy[256], *rest = copy;
    snprintf (copy, sizeof copy, "%s", args);
    for (char *word; (word = strsep (&rest, ","));) {
        char *text = word;
        char *key = strsep (&text, "=");
        if (text)
            pack_key_str (&pack, key, text);
        else if (*key)
            pack_key_bool (&pack, key, true);
    }
    pack_end (&pack);
    auto(document_t) document = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, err);
    pack_clear (&pack);
    query_t query = { .snapshots = snapshots,
                      .verb = verb_find (verb),
                      .args = document_root (document),
                      .role = role,
                      .now_us = NOW_US };
    assert_int_equal (verb_check_args (query.verb, query.args, err), 0);
    int rc = query_answer (&query, &pack, err);
    document_t *answer = rc ? NULL : document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, err);
    pack_close (&pack);
    return answer;
}

//  The names in a list, "a b c".
static const char *list (void **state, const char *args, char *names, size_t room)
{
    error_t err;
    auto(document_t) answer = ask_as (*state, "domain.list", args, ACCESS_READ, &err);
    names[0] = 0;
    for (size_t i = 0; i < value_count (document_root (answer)); i++) {
        const char *name = value_get_str (value_at (document_root (answer), i), "name");
        snprintf (names + strlen (names), room - strlen (names), "%s%s", i ? " " : "", name);
    }
    return names;
}

static void test_list_filters (void **state)
{
    static const struct {
        const char *args, *names;
    } cases[] = {
        { "", "crashed paused run" },
        { "all", "crashed off paused run" },
        { "inactive", "off" },
        { "all,inactive", "crashed off paused run" },
        { "persistent", "crashed run" },
        { "all,persistent", "crashed off run" },
        { "transient", "paused" },
        { "persistent,transient", "crashed paused run" },
        { "autostart", "run" },
        { "all,no_autostart", "crashed off paused" },
        { "state_running", "run" },
        { "state_running,state_paused", "paused run" },
        { "state_shutoff", "off" },
        { "all,state_shutoff,state_running", "off run" },
        { "state_shutoff,state_running", "off" },
        { "state_other", "crashed" },
        { "state_paused,persistent", "" },
        { "all,with_snapshot", "run" },
        { "all,without_snapshot", "crashed off paused" },
        { "with_checkpoint", "crashed run" },
        { "all,without_checkpoint", "off paused" },
        { "with_managed_save", "" },
        { "all,with_managed_save", "off" },
        { "without_managed_save,with_checkpoint,state_running", "run" },
        { "inactive,state_running", "" },
    };
    char names[256];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal (list (state, cases[i].args, names, sizeof names), cases[i].names);
}

static void test_list_row (void **state)
{
    error_t err;
    auto(document_t) answer = ask_as (*state, "domain.list", "inactive", ACCESS_READ, &err);
    const value_t *row = value_at (document_root (answer), 0);
    assert_string_equal (value_get_str (row, "uuid"), OFF);
    assert_string_equal (value_get_str (row, "state_text"), "shut off");
    assert_string_equal (value_get_str (row, "driver"), "test");
    assert_int_equal (value_get_i64 (row, "id", 0), -1);
    assert_int_equal (value_count (row), 10);
}

static void test_facts (void **state)
{
    error_t err;
    auto(document_t) info = ask_as (*state, "domain.info", "domain=run", ACCESS_READ, &err);
    assert_string_equal (value_get_str (document_root (info), "reason_text"), "booted");
    assert_int_equal (value_get_u64 (document_root (info), "max_vcpus", 0), 4);
    assert_int_equal (value_count (document_root (info)), 21);
    auto(document_t) look = ask_as (*state, "domain.lookup", "domain=4", ACCESS_READ, &err);
    assert_string_equal (value_get_str (document_root (look), "name"), "crashed");
    auto(document_t) off = ask_as (*state, "domain.state", "domain=" OFF, ACCESS_READ, &err);
    assert_int_equal (value_get_i64 (document_root (off), "state", 0), 5);
    assert_null (ask_as (*state, "domain.state", "domain=none", ACCESS_READ, &err));
    assert_int_equal (err.code, ERR_NO_DOMAIN);
}

static void test_vcpus (void **state)
{
    error_t err;
    auto(document_t) run = ask_as (*state, "domain.vcpus", "domain=run", ACCESS_READ, &err);
    assert_int_equal (value_get_u64 (document_root (run), "config_current", 0), 3);
    assert_int_equal (value_get_u64 (document_root (run), "live_current", 0), 2);
    auto(document_t) off = ask_as (*state, "domain.vcpus", "domain=off", ACCESS_READ, &err);
    assert_null (value_get (document_root (off), "live_max"));
    auto(document_t) paused = ask_as (*state, "domain.vcpus", "domain=paused", ACCESS_READ, &err);
    assert_null (value_get (document_root (paused), "config_max"));
}

static void test_texts (void **state)
{
    static const struct {
        const char *verb, *args, *field, *text;
        access_t role;
        int code;
    } cases[] = {
        { "domain.xml", "domain=run", "xml", "live", ACCESS_READ, 0 },
        { "domain.xml", "domain=run,inactive", "xml", "inactive", ACCESS_READ, 0 },
        { "domain.xml", "domain=off", "xml", "inactive", ACCESS_READ, 0 },
        { "domain.xml", "domain=paused,inactive", "xml", "live", ACCESS_READ, 0 },
        { "domain.xml", "domain=off,security_info", "xml", "secret", ACCESS_WRITE, 0 },
        { "domain.xml", "domain=run,security_info", "xml", "live", ACCESS_ADMIN, 0 },
        { "domain.xml", "domain=off,security_info", "xml", NULL, ACCESS_READ,
          ERR_OPERATION_DENIED },
        { "domain.metadata_get", "domain=run,type=title", "metadata", "live", ACCESS_READ, 0 },
        { "domain.metadata_get", "domain=run,type=title,config", "metadata", "config", ACCESS_READ,
          0 },
        { "domain.metadata_get", "domain=off,type=title", "metadata", "config", ACCESS_READ, 0 },
        { "domain.metadata_get", "domain=run,type=element,uri=urn:test", "metadata", "live",
          ACCESS_READ, 0 },
        { "domain.metadata_get", "domain=run,type=element,uri=urn:no", "metadata", NULL,
          ACCESS_READ, ERR_NO_DOMAIN_METADATA },
        { "domain.metadata_get", "domain=run,type=description", "metadata", NULL, ACCESS_READ,
          ERR_NO_DOMAIN_METADATA },
        { "domain.metadata_get", "domain=run,type=element", "metadata", NULL, ACCESS_READ,
          ERR_INVALID_ARG },
        { "domain.metadata_get", "domain=run,type=title,uri=urn:test", "metadata", NULL,
          ACCESS_READ, ERR_INVALID_ARG },
        { "domain.metadata_get", "domain=paused,type=title,config", "metadata", NULL, ACCESS_READ,
          ERR_OPERATION_INVALID },
        { "domain.blkio_parameters", "domain=run", "device_weight", "live", ACCESS_READ, 0 },
        { "domain.blkio_parameters", "domain=run,config", "device_weight", "config", ACCESS_READ,
          0 },
        { "domain.blkio_parameters", "domain=off", "device_weight", "config", ACCESS_READ, 0 },
        { "domain.blkio_parameters", "domain=run", "device_read_iops_sec", "", ACCESS_READ, 0 },
        { "domain.blkio_parameters", "domain=off,live", "", NULL, ACCESS_READ,
          ERR_OPERATION_INVALID },
        { "domain.blkio_parameters", "domain=run,live,config", "", NULL, ACCESS_READ,
          ERR_INVALID_ARG },
        { "domain.emulator_pins", "domain=paused,config", "", NULL, ACCESS_READ,
          ERR_OPERATION_INVALID },
        { "domain.emulator_pins", "domain=run", "cpus", "live", ACCESS_READ, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_t err = { 0 };
        auto(document_t) answer =
            ask_as (*state, cases[i].verb, cases[i].args, cases[i].role, &err);
        assert_int_equal (answer ? 0 : err.code, cases[i].code);
        if (answer)
            assert_string_equal (value_get_str (document_root (answer), cases[i].field),
                                 cases[i].text);
    }
}

//  A receiver that is told that the sender does not know a migration gives it up for good.
static void test_inquiry (void **state)
{
    (void) state;
    static const struct {
        int flags;
        const char *args;
        int known; //  -1: not to be said yet
    } cases[] = {
        { MIGRATION, "uuid=" RUNNING ",token=t1", 1 },
        { MIGRATION, "uuid=" RUNNING ",token=t2", 0 },
        { NEVER, "uuid=" RUNNING ",token=t1", 0 },
        { MIGRATION, "uuid=" OFF ",token=t1", 0 },
        { LOADING, "uuid=" RUNNING ",token=t1", -1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_t err = { 0 };
        auto(snapshots_t) house = snapshots_new ();
        add (house, RUNNING, "run", 1, 1, cases[i].flags);
        auto(document_t) answer =
            ask_as (house, "migration.inquire", cases[i].args, ACCESS_READ, &err);
        assert_int_equal (answer == NULL, cases[i].known < 0);
        assert_int_equal (err.code, answer ? 0 : ERR_RESOURCE_BUSY);
        if (answer)
            assert_int_equal (value_get_bool (document_root (answer), "known", true),
                              cases[i].known);
    }
}

//  Every row of the verb table that is about domains and belongs to the gateway has its answer.
static void test_table_is_complete (void **state)
{
    (void) state;
    //  Statistics are asked of the owners.
    for (const verb_t *verb = verbs; verb->name; verb++)
        if (verb->owner == OWNER_GATEWAY && strncmp (verb->name, "domain.", 7) == 0)
            assert_int_equal (query_known (verb), strcmp (verb->name, "domain.stats") != 0);
    assert_false (query_known (verb_find ("domain.create")));
}

#define house_test(f) cmocka_unit_test_setup_teardown (f, make_house, leave_house)

int main (void)
{
    const struct CMUnitTest tests[] = {
        house_test (test_list_filters),  house_test (test_list_row),
        house_test (test_facts),         house_test (test_vcpus),
        house_test (test_texts),         cmocka_unit_test (test_table_is_complete),
        cmocka_unit_test (test_inquiry),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
