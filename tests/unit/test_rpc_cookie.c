//  test_rpc_cookie.c: what clients carry from one daemon to the other, and where that can be asked.

#include "unit.h"

#include "actors/libvirt/rpc_migrate.h"

typedef struct {
    paths_t paths;
    config_t config;
    rpc_gateway_t gateway;
    procedure_t procedure;
    rpc_entry_t entry;
    rpc_call_t call;
} daemon_t;

static void daemon_open (daemon_t *self, const char *instance, const char *listen)
{
    *self = (daemon_t){ .procedure = { .name = "MIGRATE" } };
    self->paths.run = "/run/troupe-test";
    self->config = (config_t){ .paths = &self->paths, .instance = instance, .listen = listen };
    self->gateway.config = &self->config;
    self->entry.procedure = &self->procedure;
    self->call.entry = &self->entry;
    self->call.gateway = &self->gateway;
}

//  The daemon's cookie is in the arguments of a call of OTHER's, with HOST instead of its own.
static void carry (daemon_t *self, daemon_t *other, const char *host)
{
    pack_t cookie, ret, args;
    error_t err;
    pack_init (&args);
    pack_map (&args);
    if (host) {
        pack_init (&cookie);
        pack_map (&cookie);
        pack_key_u64 (&cookie, "troupe", 1);
        pack_key_map (&cookie, "place");
        pack_key_str (&cookie, "host", host);
        pack_key_str (&cookie, "instance", self->config.instance);
        pack_key_str (&cookie, "local", "ipc:///run/troupe-test/troupe.sock");
        pack_key_str (&cookie, "remote", self->config.listen);
        pack_end (&cookie);
        pack_end (&cookie);
        pack_key (&args, "cookie_in");
        pack_bin (&args, cookie.bytes, cookie.size);
        pack_close (&cookie);
    } else {
        pack_init (&ret);
        pack_map (&ret);
        assert_int_equal (rpc_cookie_begin (&self->call, &cookie, &err), 0);
        pack_key_str (&cookie, "token", "abc");
        rpc_cookie_end (&cookie, &ret);
        pack_end (&ret);
        auto(document_t) map = document_parse (ret.bytes, ret.size, VALUE_MAX_BYTES, &err);
        pack_key_value (&args, "cookie_in", value_get (document_root (map), "cookie_out"));
        pack_close (&ret);
    }
    pack_end (&args);
    document_destroy (&other->call.document);
    other->call.document = document_parse (args.bytes, args.size, VALUE_MAX_BYTES, &err);
    other->call.args = document_root (other->call.document);
    pack_close (&args);
}

static char *endpoint (daemon_t *self, bool *local, error_t *err)
{
    auto(document_t) cookie = rpc_cookie_read (&self->call, err);
    return cookie ? rpc_cookie_endpoint (&self->call, document_root (cookie), local, err) : NULL;
}

static void test_same_host (void **state)
{
    (void) state;
    error_t err;
    daemon_t source, destination;
    bool local = false;
    daemon_open (&source, "11111111", NULL);
    daemon_open (&destination, "22222222", NULL);
    carry (&source, &destination, NULL);
    autofree char *there = endpoint (&destination, &local, &err);
    assert_non_null (there);
    assert_true (local);
    assert_string_equal (there, "ipc:///run/troupe-test/troupe.sock");
    auto(document_t) cookie = rpc_cookie_read (&destination.call, &err);
    assert_string_equal (value_get_str (document_root (cookie), "token"), "abc");
    carry (&source, &source, NULL);
    assert_null (endpoint (&source, &local, &err));
    assert_non_null (strstr (err.message, "same daemon"));
    document_destroy (&source.call.document);
    document_destroy (&destination.call.document);
}

//  Who can't be asked what became of a guest is not sent one.
static void test_other_host (void **state)
{
    (void) state;
    error_t err;
    daemon_t source, destination;
    bool local = true;
    daemon_open (&source, "11111111", "tcp://10.0.0.1:16510");
    daemon_open (&destination, "22222222", NULL);
    carry (&source, &destination, "another boot");
    autofree char *there = endpoint (&destination, &local, &err);
    assert_string_equal (there, "tcp://10.0.0.1:16510");
    assert_false (local);
    source.config.listen = NULL;
    carry (&source, &destination, "another boot");
    assert_null (endpoint (&destination, &local, &err));
    assert_non_null (strstr (err.message, "--listen"));
    document_destroy (&destination.call.document);
}

static void test_strange (void **state)
{
    (void) state;
    static const char *const cookies[] = { "", "<qemu-migration/>", "\x80", "\x81\xa6troupe\x02" };
    for (size_t i = 0; i < sizeof cookies / sizeof *cookies; i++) {
        error_t err;
        pack_t args;
        daemon_t self;
        daemon_open (&self, "11111111", NULL);
        pack_init (&args);
        pack_map (&args);
        pack_key (&args, "cookie_in");
        pack_bin (&args, cookies[i], strlen (cookies[i]));
        pack_end (&args);
        self.call.document = document_parse (args.bytes, args.size, VALUE_MAX_BYTES, &err);
        self.call.args = document_root (self.call.document);
        pack_close (&args);
        assert_null (rpc_cookie_read (&self.call, &err));
        assert_non_null (strstr (err.message, "no troupe daemon"));
        document_destroy (&self.call.document);
    }
}

static void test_peers (void **state)
{
    (void) state;
    static const char *const uris[][2] = {
        { "tcp://host:16510", "tcp://host:16510" },
        { "qemu+unix://host/system?socket=/run/x/libvirt-sock", "ipc:///run/x/troupe.sock" },
        { "qemu+unix://host/system?socket=libvirt-sock", NULL },
        { "qemu+ssh://host/system", NULL },
        { "qemu+tls://host/system?socket=/run/x/libvirt-sock", NULL },
    };
    for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
        error_t err;
        autofree char *peer = rpc_peer_endpoint (uris[i][0], &err);
        if (uris[i][1])
            assert_string_equal (peer, uris[i][1]);
        else
            assert_null (peer);
    }
}

//  An address that the operator chose is also that of the hypervisor.
static void test_receive_at (void **state)
{
    (void) state;
    error_t err;
    daemon_t self;
    daemon_open (&self, "11111111", "tcp://[fd00::1]:16510");
    autofree char *uri = NULL, *listen = NULL;
    assert_int_equal (rpc_receive_at (&self.call, &uri, &listen, &err), 0);
    assert_string_equal (uri, "tcp://[fd00::1]");
    assert_null (listen);
    free (take (&uri));
    self.config.listen = "tcp://*:16510";
    assert_int_equal (rpc_receive_at (&self.call, &uri, &listen, &err), 0);
    assert_non_null (strstr (uri, "tcp://"));
    assert_null (strchr (uri, '*'));
    assert_string_equal (listen, "0.0.0.0");
    free (take (&uri));
    free (take (&listen));
    self.config.listen = NULL;
    assert_int_equal (rpc_receive_at (&self.call, &uri, &listen, &err), -1);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_same_host),  cmocka_unit_test (test_other_host),
        cmocka_unit_test (test_strange),    cmocka_unit_test (test_peers),
        cmocka_unit_test (test_receive_at),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
