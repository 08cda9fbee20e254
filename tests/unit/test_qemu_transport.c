//  test_qemu_transport.c: where a migration's bytes go.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drivers/qemu/qemu_transport.h"
#include "util/text.h"

#include <string.h>

//  As users write it; as we write it, and QEMU. NULL: it is refused, and why.
static const struct {
    const char *given, *ours, *theirs, *refused;
} uris[] = {
    { "tcp://host2", "tcp://host2:0", "tcp:host2:0", NULL },
    { "tcp://host2:49152", "tcp://host2:49152", "tcp:host2:49152", NULL },
    { "tcp:host2:49152", "tcp://host2:49152", "tcp:host2:49152", NULL },
    { "tcp://", "tcp://:0", "tcp::0", NULL },
    { "tcp://[::1]:7", "tcp://[::1]:7", "tcp:[::1]:7", NULL },
    { "tcp://[fe80::1]", "tcp://[fe80::1]:0", "tcp:[fe80::1]:0", NULL },
    { "unix:", "unix:", "unix:", NULL },
    { "unix:/run/socket", "unix:/run/socket", "unix:/run/socket", NULL },
    { "unix:///run/socket", "unix:/run/socket", "unix:/run/socket", NULL },
    { "tcp://[::1", NULL, NULL, "a bracket is open" },
    { "tcp://[::1]7", NULL, NULL, "something follows the host" },
    { "tcp://host2:65536", NULL, NULL, "its port is none" },
    { "tcp://host2:12a", NULL, NULL, "its port is none" },
    { "tcp://host2:-1", NULL, NULL, "its port is none" },
    { "tcp://host2,to=9:1", NULL, NULL, "its host is no name or address" },
    { "tcp://host2/there", NULL, NULL, "its host is no name or address" },
    { "unix:socket", NULL, NULL, "its path is not absolute" },
    { "rdma://host2", NULL, NULL, "this transport is not supported" },
    { "exec:cat", NULL, NULL, "this transport is not supported" },
    { "", NULL, NULL, "this transport is not supported" },
};

static void check_taken (const qemu_transport_t *transport, const char *ours, const char *theirs)
{
    autofree char *text = qemu_transport_text (transport);
    autofree char *uri = qemu_transport_uri (transport);
    assert_string_equal (text, ours);
    assert_string_equal (uri, theirs);
}

static void test_every_uri (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
        error_t err = { 0 };
        qemu_transport_t transport;
        int rc = qemu_transport_parse (&transport, uris[i].given, &err);
        assert_int_equal (rc, uris[i].refused ? -1 : 0);
        if (uris[i].refused)
            assert_non_null (strstr (err.message, uris[i].refused));
        else
            check_taken (&transport, uris[i].ours, uris[i].theirs);
    }
}

static void test_long (void **state)
{
    (void) state;
    error_t err;
    char text[400];
    qemu_transport_t transport;
    memset (text, 'a', sizeof text);
    text[sizeof text - 1] = 0;
    memcpy (text, "unix:/", 6);
    assert_int_equal (qemu_transport_parse (&transport, text, &err), -1);
    assert_non_null (strstr (err.message, "107 bytes"));
    memcpy (text, "tcp://", 6);
    assert_int_equal (qemu_transport_parse (&transport, text, &err), -1);
}

static void test_socket_address (void **state)
{
    (void) state;
    error_t err;
    qemu_transport_t transport;
    assert_int_equal (qemu_transport_parse (&transport, "tcp://host2:7", &err), 0);
    json_t *address = qemu_transport_address (&transport, false);
    assert_string_equal (json_string_value (json_object_get (address, "type")), "inet");
    assert_string_equal (json_string_value (json_object_get (address, "port")), "7");
    json_decref (address);
    assert_int_equal (qemu_transport_parse (&transport, "unix:/a", &err), 0);
    address = qemu_transport_address (&transport, true);
    assert_string_equal (
        json_string_value (json_object_get (json_object_get (address, "data"), "path")), "/a");
    json_decref (address);
}

//  Others are told the host of the URI, whatever address is listened at.
static void test_listening (void **state)
{
    (void) state;
    static const struct {
        const char *uri, *address, *bound; //  NULL: refused
    } cases[] = {
        { "tcp://host2:7", NULL, "tcp://host2:7" },
        { "tcp://host2:7", "0.0.0.0", "tcp://0.0.0.0:7" },
        { "tcp://host2:7", "::", "tcp://[::]:7" },
        { "tcp://host2:7", "[::1]", "tcp://[::1]:7" },
        { "tcp://host2:7", "host3:8", NULL },
        { "tcp://host2:7", "a/b", NULL },
        { "tcp://host2:7", "", NULL },
        { "unix:/a", NULL, "unix:/a" },
        { "unix:/a", "0.0.0.0", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_t err = { 0 };
        qemu_transport_t at, bound;
        assert_int_equal (qemu_transport_parse (&at, cases[i].uri, &err), 0);
        int rc = qemu_transport_listen (&bound, &at, cases[i].address, &err);
        assert_int_equal (rc, cases[i].bound ? 0 : -1);
        char *text = rc ? NULL : qemu_transport_text (&bound);
        if (text)
            assert_string_equal (text, cases[i].bound);
        free (text);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_every_uri),
        cmocka_unit_test (test_long),
        cmocka_unit_test (test_socket_address),
        cmocka_unit_test (test_listening),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
