//  test_snapshot_tree.c: the snapshots of a domain, as a document.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drivers/snapshot_tree.h"
#include "util/text.h"

#include <stdio.h>
#include <string.h>

static void add (snapshot_tree_t *tree, const char *name, const char *parent)
{
    error_t err;
    autofree char *from = parent ? text_format ("<parent><name>%s</name></parent>", parent) : NULL;
    autofree char *text =
        text_format ("<domainsnapshot><name>%s</name>%s</domainsnapshot>", name, from ? from : "");
    auto(xml_t) doc = xml_parse (text, strlen (text), "snapshot", &err);
    assert_int_equal (snapshot_tree_add (tree, xml_root (doc), false, &err), 0);
}

//      a - b - c
//        \ d
static snapshot_tree_t *sample (void)
{
    snapshot_tree_t *tree = snapshot_tree_new ();
    add (tree, "a", NULL);
    add (tree, "b", "a");
    add (tree, "c", "b");
    add (tree, "d", "a");
    snapshot_tree_set_current (tree, "c");
    return tree;
}

static void test_shape (void **state)
{
    (void) state;
    auto(snapshot_tree_t) tree = sample ();
    assert_int_equal (snapshot_tree_count (tree), 4);
    assert_int_equal (snapshot_tree_children (tree, "a"), 2);
    assert_int_equal (snapshot_tree_descendants (tree, "a"), 3);
    assert_int_equal (snapshot_tree_descendants (tree, "c"), 0);
    assert_true (snapshot_tree_is_below (tree, snapshot_tree_find (tree, "c"), "a"));
    assert_false (snapshot_tree_is_below (tree, snapshot_tree_find (tree, "a"), "c"));
    assert_false (snapshot_tree_is_below (tree, snapshot_tree_find (tree, "d"), "b"));
    assert_string_equal (snapshot_name (snapshot_tree_current (tree)), "c");
    assert_null (snapshot_parent (snapshot_tree_find (tree, "a")));
    assert_null (snapshot_tree_find (tree, "x"));
}

//  Those that came from one that goes move up, and so does what is current.
static void test_remove (void **state)
{
    (void) state;
    auto(snapshot_tree_t) tree = sample ();
    snapshot_tree_remove (tree, "b");
    assert_string_equal (snapshot_parent (snapshot_tree_find (tree, "c")), "a");
    snapshot_tree_remove (tree, "c");
    assert_string_equal (snapshot_name (snapshot_tree_current (tree)), "a");
    snapshot_tree_remove (tree, "a");
    assert_null (snapshot_tree_current (tree));
    assert_null (snapshot_parent (snapshot_tree_find (tree, "d")));
    snapshot_tree_remove (tree, "a");
    assert_int_equal (snapshot_tree_count (tree), 1);
}

static void test_text (void **state)
{
    (void) state;
    error_t err;
    auto(snapshot_tree_t) tree = sample ();
    autofree char *text = snapshot_tree_text (tree);
    auto(snapshot_tree_t) again = snapshot_tree_parse (text, &err);
    autofree char *same = snapshot_tree_text (again);
    assert_string_equal (text, same);
}

//  What would not be a tree is refused, and the tree stays as it was.
static void test_refused (void **state)
{
    (void) state;
    static const struct {
        const char *snapshot, *words;
    } cases[] = {
        { "<domainsnapshot><name>a</name></domainsnapshot>", "already" },
        { "<domainsnapshot><name>e</name><parent><name>x</name></parent></domainsnapshot>",
          "its parent 'x' is not there" },
        { "<domainsnapshot><name>e</name><parent><name>e</name></parent></domainsnapshot>",
          "among its own parents" },
    };
    auto(snapshot_tree_t) tree = sample ();
    autofree char *before = snapshot_tree_text (tree);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_t err;
        auto(xml_t) doc = xml_parse (cases[i].snapshot, strlen (cases[i].snapshot), "x", &err);
        assert_int_equal (snapshot_tree_add (tree, xml_root (doc), false, &err), -1);
        assert_non_null (strstr (err.message, cases[i].words));
    }
    autofree char *after = snapshot_tree_text (tree);
    assert_string_equal (before, after);
}

//  A new parent may be any that is not below.
static void test_replace (void **state)
{
    (void) state;
    static const char moved[] =
        "<domainsnapshot><name>b</name><parent><name>d</name></parent></domainsnapshot>";
    static const char ring[] =
        "<domainsnapshot><name>a</name><parent><name>c</name></parent></domainsnapshot>";
    error_t err;
    auto(snapshot_tree_t) tree = sample ();
    auto(xml_t) one = xml_parse (moved, sizeof moved - 1, "x", &err);
    auto(xml_t) other = xml_parse (ring, sizeof ring - 1, "x", &err);
    assert_int_equal (snapshot_tree_add (tree, xml_root (one), true, &err), 0);
    assert_int_equal (snapshot_tree_count (tree), 4);
    assert_string_equal (snapshot_parent (snapshot_tree_find (tree, "b")), "d");
    assert_int_equal (snapshot_tree_add (tree, xml_root (other), true, &err), -1);
}

static void test_damaged (void **state)
{
    (void) state;
    static const char *const texts[] = {
        "<snapshots",
        "<domain/>",
        "<snapshots current='x'/>",
        "<snapshots><domainsnapshot/></snapshots>",
        "<snapshots><domainsnapshot><name>a</name></domainsnapshot>"
        "<domainsnapshot><name>a</name></domainsnapshot></snapshots>",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        error_t err = { 0 };
        assert_null (snapshot_tree_parse (texts[i], &err));
        assert_true (err.code != ERR_OK);
    }
}

int main (void)
{
    xml_init ();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_shape),   cmocka_unit_test (test_remove),
        cmocka_unit_test (test_text),    cmocka_unit_test (test_refused),
        cmocka_unit_test (test_replace), cmocka_unit_test (test_damaged),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
