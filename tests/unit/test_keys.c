//  test_keys.c: the keys of this host and of others, in their folder.

#include "unit.h"

#include "client/keys.h"

#include <unistd.h>

static const char endpoint[] = "tcp://host2:16509";

static void add (const char *folder, const char *name, const char *key, const char *where)
{
    error_t err;
    known_key_t known = { .role = "write" };
    snprintf (known.name, sizeof known.name, "%s", name);
    snprintf (known.public, sizeof known.public, "%s", key);
    snprintf (known.endpoint, sizeof known.endpoint, "%s", where);
    assert_int_equal (keys_add (folder, &known, &err), 0);
}

//  A key that is another host's.
static void other_key (const char *folder, char key[KEY_TEXT_SIZE])
{
    error_t err;
    curve_t curve;
    autofree char *other = text_format ("%s/other", folder);
    assert_int_equal (keys_make (other, &err), 0);
    assert_int_equal (keys_own (other, &curve, &err), 0);
    memcpy (key, curve.public, KEY_TEXT_SIZE);
}

static void test_own (void **state)
{
    error_t err;
    curve_t first, again;
    struct stat status;
    autofree char *folder = text_format ("%s/keys", (char *) *state);
    autofree char *secret = text_format ("%s/own_secret", folder);
    assert_int_equal (keys_own (folder, &first, &err), -1);
    assert_non_null (strstr (err.message, "'troupe key-own' makes it"));
    assert_int_equal (keys_make (folder, &err), 0);
    assert_int_equal (keys_own (folder, &first, &err), 0);
    assert_int_equal (keys_make (folder, &err), 0);
    assert_int_equal (keys_own (folder, &again, &err), 0);
    assert_memory_equal (&first, &again, sizeof first);
    assert_int_equal (strlen (first.public), KEY_TEXT_SIZE - 1);
    assert_string_not_equal (first.public, first.secret);
    assert_int_equal (stat (secret, &status), 0);
    assert_int_equal (status.st_mode & 077, 0);
}

static void test_known (void **state)
{
    error_t err;
    curve_t curve;
    known_key_t known;
    char key[KEY_TEXT_SIZE];
    const char *folder = *state;
    other_key (folder, key);
    assert_int_equal (keys_make (folder, &err), 0);
    assert_int_equal (keys_for (folder, endpoint, &curve, &err), -1);
    assert_int_equal (err.code, ERR_AUTH_FAILED);
    assert_non_null (strstr (err.message, "troupe key-add NAME KEY --endpoint tcp://host2:16509"));
    add (folder, "host2", key, endpoint);
    assert_int_equal (keys_for (folder, endpoint, &curve, &err), 0);
    assert_string_equal (curve.server, key);
    assert_int_equal (keys_read (folder, "host2", &known, &err), 0);
    assert_string_equal (known.name, "host2");
    assert_string_equal (known.role, "write");
    assert_string_equal (known.public, key);
    assert_string_equal (known.endpoint, endpoint);
    add (folder, "host2", key, "tcp://elsewhere:1");
    snprintf (known.name, sizeof known.name, "another");
    assert_int_equal (keys_add (folder, &known, &err), -1);
    assert_non_null (strstr (err.message, "it is known as 'host2' already"));
    assert_int_equal (keys_for (folder, endpoint, &curve, &err), -1);
    auto(strings_t) names = keys_list (folder, &err);
    assert_int_equal (names->count, 1);
    assert_int_equal (keys_remove (folder, "host2", &err), 0);
    assert_int_equal (keys_remove (folder, "host2", &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_INVALID);
}

static void test_wrong (void **state)
{
    error_t err;
    const char *folder = *state;
    char key[KEY_TEXT_SIZE];
    other_key (folder, key);
    known_key_t wrong[5];
    for (size_t i = 0; i < 5; i++) {
        wrong[i] = (known_key_t){ .name = "host2", .role = "read" };
        memcpy (wrong[i].public, key, sizeof key);
    }
    strcpy (wrong[0].name, "../own");
    strcpy (wrong[1].name, "");
    strcpy (wrong[2].role, "root");
    strcpy (wrong[3].public, "short");
    strcpy (wrong[4].endpoint, "ipc:///socket");
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal (keys_add (folder, &wrong[i], &err), -1);
        assert_int_equal (err.code, ERR_INVALID_ARG);
    }
    auto(strings_t) names = keys_list (folder, &err);
    assert_int_equal (names->count, 0);
    assert_int_equal (keys_remove (folder, "../own", &err), -1);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (test_own),
        unit_test_in_folder (test_known),
        unit_test_in_folder (test_wrong),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
