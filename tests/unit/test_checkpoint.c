//  test_checkpoint.c: the checkpoints of a domain, and their file.

#include "drivers/checkpoint.h"
#include "unit.h"
#include "util/text.h"

#include <string.h>

static int setup (void **state)
{
    (void) state;
    xml_init ();
    return 0;
}

static xml_t *make (const char *name, const char *parent)
{
    error_t err;
    autofree char *from = parent ? text_format ("<parent><name>%s</name></parent>", parent) : NULL;
    autofree char *text = text_format (
        "<domaincheckpoint><name>%s</name>%s<disks><disk name='vda' checkpoint='bitmap'/>"
        "<disk name='vdb' checkpoint='no'/></disks></domaincheckpoint>",
        name, from ? from : "");
    return xml_parse (text, strlen (text), "checkpoint", &err);
}

static int add (xml_t **all, const char *name, const char *parent, error_t *err)
{
    auto(xml_t) doc = make (name, parent);
    return checkpoint_add (all, xml_root (doc), err);
}

static xml_t *chain (void)
{
    error_t err;
    xml_t *all = NULL;
    assert_int_equal (add (&all, "one", NULL, &err), 0);
    assert_int_equal (add (&all, "two", "one", &err), 0);
    assert_int_equal (add (&all, "three", "two", &err), 0);
    return all;
}

static void test_chain (void **state)
{
    (void) state;
    auto(xml_t) all = chain ();
    const xml_node_t *three = checkpoint_find (all, "three");
    assert_string_equal (checkpoint_last (all), "three");
    assert_string_equal (checkpoint_parent (three), "two");
    assert_true (checkpoint_is_below (all, three, "one"));
    assert_false (checkpoint_is_below (all, three, "three"));
    assert_false (checkpoint_is_below (all, checkpoint_find (all, "one"), "two"));
    assert_true (checkpoint_has_disk (three, "vda"));
    assert_false (checkpoint_has_disk (three, "vdb"));
    assert_false (checkpoint_has_disk (three, "vdc"));
    assert_null (checkpoint_find (NULL, "one"));
    assert_null (checkpoint_last (NULL));
    assert_int_equal (checkpoints_count (NULL), 0);
}

//  Those that came from it come from its parent then.
static void test_removing (void **state)
{
    (void) state;
    auto(xml_t) all = chain ();
    checkpoint_remove (all, "two");
    assert_string_equal (checkpoint_parent (checkpoint_find (all, "three")), "one");
    checkpoint_remove (all, "one");
    assert_null (checkpoint_parent (checkpoint_find (all, "three")));
    checkpoint_remove (all, "one");
    assert_int_equal (checkpoints_count (all), 1);
}

//  One that is there keeps its place; what makes no sense changes nothing.
static void test_replacing (void **state)
{
    (void) state;
    error_t err;
    auto(xml_t) all = chain ();
    autofree char *before = xml_text (all);
    assert_int_equal (add (&all, "four", "none", &err), -1);
    assert_non_null (strstr (err.message, "its parent 'none' is not there"));
    assert_int_equal (add (&all, "one", "three", &err), -1);
    assert_non_null (strstr (err.message, "among its own parents"));
    assert_int_equal (add (&all, "one", "one", &err), -1);
    autofree char *after = xml_text (all);
    assert_string_equal (before, after);
    assert_int_equal (add (&all, "two", NULL, &err), 0);
    assert_null (checkpoint_parent (checkpoint_find (all, "two")));
    assert_string_equal (checkpoint_last (all), "three");
    assert_int_equal (checkpoints_count (all), 3);
}

static void test_bound (void **state)
{
    (void) state;
    error_t err;
    xml_t *made = NULL;
    for (int i = 0; i < CHECKPOINTS_MAX; i++) {
        autofree char *name = text_format ("c%d", i);
        assert_int_equal (add (&made, name, NULL, &err), 0);
    }
    auto(xml_t) all = made;
    assert_int_equal (add (&all, "more", NULL, &err), -1);
    assert_non_null (strstr (err.message, "no more are admitted"));
    assert_int_equal (add (&all, "c5", NULL, &err), 0);
}

static void test_text (void **state)
{
    (void) state;
    error_t err;
    auto(xml_t) all = chain ();
    autofree char *text = xml_text (all);
    auto(xml_t) again = checkpoints_parse (text, &err);
    assert_non_null (again);
    static const char *const broken[] = {
        "<checkpoints><domaincheckpoint/></checkpoints>",
        "<other/>",
        "<checkpoints>",
        "<checkpoints><domaincheckpoint><name>a</name></domaincheckpoint>"
        "<domaincheckpoint><name>a</name></domaincheckpoint></checkpoints>",
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        assert_null (checkpoints_parse (broken[i], &err));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_chain),     cmocka_unit_test (test_removing),
        cmocka_unit_test (test_replacing), cmocka_unit_test (test_bound),
        cmocka_unit_test (test_text),
    };
    return cmocka_run_group_tests (tests, setup, NULL);
}
