//  test_queries_networks.c: what is answered about networks from their snapshots.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "actors/gateway/queries.h"
#include "util/text.h"

#include <string.h>

#define UUID_A "11111111-2222-4333-8444-555555555555"
#define UUID_B "99999999-2222-4333-8444-555555555555"
#define NOW_S 2000

static void add_lease (pack_t *pack, const char *mac, const char *address, uint64_t expiry)
{
    pack_map (pack);
    pack_key_u64 (pack, "expiry", expiry);
    pack_key_str (pack, "mac", mac);
    pack_key_str (pack, "address", address);
    pack_end (pack);
}

static document_t *facts (const char *name, bool active, bool persistent)
{
    pack_t pack;
    error_t err;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_str (&pack, "name", name);
    pack_key_bool (&pack, "active", active);
    pack_key_bool (&pack, "persistent", persistent);
    pack_key_str (&pack, "xml", "<live/>");
    pack_key_str (&pack, "xml_inactive", "<config/>");
    pack_key_array (&pack, "leases");
    add_lease (&pack, "52:54:00:00:00:0a", "10.0.0.1", NOW_S + 1);
    add_lease (&pack, "52:54:00:00:00:0b", "10.0.0.2", NOW_S);
    add_lease (&pack, "52:54:00:00:00:0c", "10.0.0.3", 0);
    pack_end (&pack);
    pack_end (&pack);
    document_t *doc = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
    assert_non_null (doc);
    pack_close (&pack);
    return doc;
}

static networks_t *two_networks (void)
{
    networks_t *networks = networks_new ();
    auto(document_t) red = facts ("red", true, false);
    auto(document_t) blue = facts ("blue", false, true);
    networks_apply (networks, UUID_A, document_root (red));
    networks_apply (networks, UUID_B, document_root (blue));
    return networks;
}

//  Asks VERB with one argument; TEXT NULL: a flag.
static document_t *ask (const networks_t *networks, const char *verb, const char *key,
                        const char *text, const char *network, error_t *err)
{
    pack_t args, result;
    pack_init (&args);
    pack_init (&result);
    pack_map (&args);
    if (key && text)
        pack_key_str (&args, key, text);
    else if (key)
        pack_key_bool (&args, key, true);
    if (network)
        pack_key_str (&args, "network", network);
    pack_end (&args);
    auto(document_t) doc = document_parse (args.bytes, args.size, VALUE_MAX_BYTES, err);
    query_t query = { .networks = networks,
                      .verb = verb_find (verb),
                      .args = document_root (doc),
                      .now_us = NOW_S * 1000000ll };
    document_t *answer = NULL;
    if (query_answer (&query, &result, err) == 0)
        answer = document_parse (result.bytes, result.size, VALUE_MAX_BYTES, err);
    pack_close (&args);
    pack_close (&result);
    return answer;
}

static void test_lists (void **state)
{
    (void) state;
    static const struct {
        const char *filter, *names;
    } cases[] = { { NULL, "red," },          { "all", "blue,red," },  { "inactive", "blue," },
                  { "persistent", "" },      { "transient", "red," }, { "autostart", "" },
                  { "no_autostart", "red," } };
    networks_t *networks = two_networks ();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_t err;
        auto(document_t) doc = ask (networks, "network.list", cases[i].filter, NULL, NULL, &err);
        auto(text_t) names = text_new ();
        const value_t *list = document_root (doc);
        for (size_t k = 0; k < value_count (list); k++)
            text_addf (names, "%s,", value_get_str (value_at (list, k), "name"));
        assert_string_equal (names->data, cases[i].names);
    }
    networks_destroy (&networks);
}

static void test_one (void **state)
{
    (void) state;
    error_t err;
    networks_t *networks = two_networks ();
    auto(document_t) info = ask (networks, "network.info", NULL, NULL, UUID_A, &err);
    assert_string_equal (value_get_str (document_root (info), "name"), "red");
    auto(document_t) config = ask (networks, "network.xml", "inactive", NULL, "red", &err);
    assert_string_equal (value_get_str (document_root (config), "xml"), "<config/>");
    assert_null (ask (networks, "network.info", NULL, NULL, "green", &err));
    assert_int_equal (err.code, ERR_NO_NETWORK);
    assert_non_null (strstr (err.message, "'green'"));
    networks_forget (networks, UUID_A);
    assert_null (ask (networks, "network.info", NULL, NULL, "red", &err));
    networks_destroy (&networks);
}

//  What is over is not shown, whether dnsmasq has said so or not.
static void test_leases (void **state)
{
    (void) state;
    error_t err;
    networks_t *networks = two_networks ();
    auto(document_t) all = ask (networks, "network.leases", NULL, NULL, "red", &err);
    assert_int_equal (value_count (document_root (all)), 2);
    auto(document_t) one =
        ask (networks, "network.leases", "mac", "52:54:00:00:00:0C", "red", &err);
    assert_int_equal (value_count (document_root (one)), 1);
    networks_destroy (&networks);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_lists),
        cmocka_unit_test (test_one),
        cmocka_unit_test (test_leases),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
