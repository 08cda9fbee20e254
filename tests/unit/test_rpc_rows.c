//  test_rpc_rows.c: every row says what exists: procedures, verbs, their arguments and fields.

#include "unit.h"

#include "actors/libvirt/rpc_rows.h"
#include "util/text.h"

#include <stdio.h>

static const xdr_field_t *field_of (const xdr_field_t *fields, const char *path)
{
    size_t size = strcspn (path, ".");
    for (; fields && fields->kind != XDR_END; fields++)
        if (strlen (fields->name) == size && strncmp (fields->name, path, size) == 0)
            return path[size] ? field_of (fields->of, path + size + 1) : fields;
    return NULL;
}

static const verb_arg_t *arg_of (const verb_t *verb, const char *name)
{
    for (const verb_arg_t *arg = verb->args; arg->name; arg++)
        if (strcmp (arg->name, name) == 0)
            return arg;
    return NULL;
}

static void check (bool good, const rpc_row_t *row, const char *what, const char *name)
{
    if (!good)
        fail_msg ("row %s: %s '%s'", row->procedure, what, name);
}

static bool names_arg (const rpc_row_t *row, const char *name)
{
    rpc_word_t word;
    for (const char *at = row->args; rpc_next_word (&at, &word);)
        if (strcmp (word.name, name) == 0)
            return true;
    for (const rpc_param_t *param = row->params; param && param->field; param++)
        if (strcmp (param->arg ? param->arg : param->field, name) == 0)
            return true;
    return strcmp (name, "domain") == 0 || strcmp (name, "network") == 0;
}

//  In a call they become the verb's arguments, of a type that can hold them.
static void check_params (const rpc_entry_t *entry)
{
    const rpc_row_t *row = entry->row;
    bool in = field_of (entry->procedure->args, "params");
    if (row->params)
        check (in || field_of (entry->procedure->ret, "params"), row, "there is no field",
               "params");
    for (const rpc_param_t *param = row->params; in && param && param->field; param++) {
        const verb_arg_t *arg = arg_of (entry->verb, param->arg ? param->arg : param->field);
        check (arg != NULL, row, "the verb has no argument for the parameter", param->field);
        check ((param->type == PARAM_STRING) == (arg->type == TYPE_STR || arg->type == TYPE_XML),
               row, "another type has", param->field);
        check ((param->type == PARAM_BOOLEAN) == (arg->type == TYPE_BOOL), row, "another type has",
               param->field);
    }
}

static void check_args (const rpc_entry_t *entry)
{
    const rpc_row_t *row = entry->row;
    rpc_word_t word;
    for (const char *at = row->args; rpc_next_word (&at, &word);) {
        check (entry->verb && arg_of (entry->verb, word.name), row, "the verb has no argument",
               word.name);
        check (field_of (entry->procedure->args, word.source), row, "there is no field",
               word.source);
    }
    for (const verb_arg_t *arg = entry->verb ? entry->verb->args : NULL; arg && arg->name; arg++)
        if ((arg->flags & ARG_REQUIRED) && !row->prepare)
            check (names_arg (row, arg->name), row, "nothing gives the argument", arg->name);
}

static void check_flags (const rpc_entry_t *entry)
{
    const rpc_row_t *row = entry->row;
    if (row->flags)
        check (field_of (entry->procedure->args, "flags"), row, "there is no field", "flags");
    for (const rpc_flag_t *flag = row->flags; flag && flag->bit; flag++) {
        const verb_arg_t *arg = entry->verb && flag->arg ? arg_of (entry->verb, flag->arg) : NULL;
        if (flag->arg)
            check (arg && arg->type == TYPE_BOOL, row, "there is no such bool", flag->arg);
    }
}

static bool names_ret (const rpc_row_t *row, const char *name)
{
    rpc_word_t word;
    for (const char *at = row->ret; rpc_next_word (&at, &word);)
        if (strcmp (word.name, name) == 0)
            return true;
    return false;
}

static void check_ret (const rpc_entry_t *entry)
{
    const rpc_row_t *row = entry->row;
    rpc_word_t word;
    for (const char *at = row->ret; rpc_next_word (&at, &word);)
        check (field_of (entry->procedure->ret, word.name), row, "the result has no field",
               word.name);
    for (const xdr_field_t *field = entry->procedure->ret; field && field->kind != XDR_END; field++)
        check (row->answer || names_ret (row, field->name) ||
                   (row->params && strstr (field->name, "params")),
               row, "nothing gives the field", field->name);
}

static void test_rows (void **state)
{
    (void) state;
    rpc_table_t *table = rpc_table_new ();
    const rpc_entry_t *entry;
    size_t served = 0;
    for (size_t i = 0; (entry = rpc_table_at (table, i)); i++) {
        if (!entry->row)
            continue;
        served++;
        check (entry->row->verb ? entry->verb != NULL : entry->row->answer != NULL, entry->row,
               "there is no verb", entry->row->verb ? entry->row->verb : "");
        check (!(entry->procedure->flags & PROC_EVENT), entry->row, "it is an event", "");
        check_args (entry);
        check_flags (entry);
        check_params (entry);
        check_ret (entry);
    }
    assert_int_equal (served, rpc_row_count ());
    rpc_table_destroy (&table);
}

//  Verbs that need the right to write, although they only tell how it is: always, or when nothing
//  else is said.
static bool only_tells (const rpc_entry_t *entry)
{
    static const struct {
        const char *verb;
        bool always;
    } tellers[] = { { "domain.block_info", true },
                    { "domain.managed_save_xml", true },
                    { "domain.migrate_tune", false } };
    for (size_t i = 0; i < sizeof tellers / sizeof *tellers; i++)
        if (strcmp (entry->verb->name, tellers[i].verb) == 0)
            return tellers[i].always ||
                   (!entry->row->args && !entry->row->prepare && !entry->row->params);
    return false;
}

//  As the documents say who may call what.
static void test_read_only (void **state)
{
    (void) state;
    rpc_table_t *table = rpc_table_new ();
    const rpc_entry_t *entry;
    for (size_t i = 0; (entry = rpc_table_at (table, i)); i++)
        if (entry->row && entry->verb && (entry->procedure->flags & PROC_READ_ONLY))
            check (entry->verb->access == ACCESS_READ || only_tells (entry), entry->row,
                   "a read-only connection may call what changes something:", entry->verb->name);
    rpc_table_destroy (&table);
}

static void test_words (void **state)
{
    (void) state;
    const char *at = " xml  name=snap.name disable=!autostart ";
    rpc_word_t word;
    assert_true (rpc_next_word (&at, &word));
    assert_string_equal (word.name, "xml");
    assert_string_equal (word.source, "xml");
    assert_true (rpc_next_word (&at, &word));
    assert_string_equal (word.source, "snap.name");
    assert_false (word.inverted);
    assert_true (rpc_next_word (&at, &word));
    assert_string_equal (word.name, "disable");
    assert_string_equal (word.source, "autostart");
    assert_true (word.inverted);
    assert_false (rpc_next_word (&at, &word));
    at = NULL;
    assert_false (rpc_next_word (&at, &word));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_rows),
        cmocka_unit_test (test_read_only),
        cmocka_unit_test (test_words),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
