//  test_link_record.c: what is on record of links, and by what a link is known to be the one.

#include "unit.h"

#include "drivers/net/link_record.h"

#define BOOT "11111111-2222-3333-4444-555555555555"

static const link_record_t pair = { .owner = "domain/1",
                                    .key = "net0",
                                    .kind = LINK_VETH,
                                    .ifindex = 12,
                                    .made = true,
                                    .mac = "02:00:00:00:00:01",
                                    .peer_mac = "02:00:00:00:00:02",
                                    .own_mac = "52:54:00:00:00:01",
                                    .alias = "a link with blanks" };
static const link_record_t tap = { .owner = "network/2",
                                   .key = "a:b/c.d-e_f@g",
                                   .kind = LINK_TAP,
                                   .mac = "02:00:00:00:00:03",
                                   .away = true };

typedef struct {
    link_record_t records[4];
    size_t count;
} records_t;

static void keep (void *arg, const link_record_t *record)
{
    records_t *self = arg;
    assert_true (self->count < 4);
    self->records[self->count++] = *record;
}

static char *file_text (void)
{
    auto(text_t) text = text_new ();
    link_records_begin (text, BOOT, 77);
    link_record_add (text, &pair);
    link_record_add (text, &tap);
    return text_finish (&text);
}

static int read_records (const char *text, const char *boot, uint64_t netns, records_t *records,
                         bool *stale)
{
    error_t err = { 0 };
    memset (records, 0, sizeof *records);
    int rc = link_records_read (text, boot, netns, keep, records, stale, &err);
    assert_int_equal (err.code, rc ? ERR_PARSE_FAILED : ERR_OK);
    return rc;
}

static void test_records_are_read_as_they_were_written (void **state)
{
    (void) state;
    records_t records;
    bool stale;
    autofree char *text = file_text ();
    assert_int_equal (read_records (text, BOOT, 77, &records, &stale), 0);
    assert_false (stale);
    assert_int_equal (records.count, 2);
    assert_memory_equal (&records.records[0], &pair, sizeof pair);
    assert_memory_equal (&records.records[1], &tap, sizeof tap);
    assert_int_equal (read_records ("", BOOT, 77, &records, &stale), 0);
    assert_int_equal (records.count, 0);
}

static void test_ifindexes_of_another_boot_or_namespace_say_nothing (void **state)
{
    (void) state;
    records_t records;
    bool stale;
    autofree char *text = file_text ();
    assert_int_equal (read_records (text, "another", 77, &records, &stale), 0);
    assert_true (stale && records.count == 0);
    assert_int_equal (read_records (text, BOOT, 78, &records, &stale), 0);
    assert_true (stale && records.count == 0);
}

static void test_a_damaged_file_is_an_error (void **state)
{
    (void) state;
    records_t records;
    bool stale;
    autofree char *text = file_text ();
    const size_t size = strlen (text);
    for (size_t cut = 1; cut < size; cut++) {
        autofree char *part = text_copy_bytes (text, cut);
        if (part[cut - 1] != '\n')
            assert_int_equal (read_records (part, BOOT, 77, &records, &stale), -1);
    }
    static const char *const bad[] = {
        "troupe-links 2 b 7\n",
        "troupe-links 1 " BOOT " 77\nveth\n",
        "troupe-links 1 " BOOT " 77\nwire 1 made here - - - domain/1 net0 \n",
        "troupe-links 1 " BOOT " 77\nveth 1 made here - - - domain/1 \n",
        "troupe-links 1 " BOOT " 77\nveth 1 made here - - - domain;1 net0 \n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal (read_records (bad[i], BOOT, 77, &records, &stale), -1);
}

static link_news_t news_of (const char *kind, uint32_t ifindex, const char *mac, const char *alias)
{
    link_news_t news = { .link.ifindex = ifindex };
    snprintf (news.link.kind, sizeof news.link.kind, "%s", kind);
    snprintf (news.link.mac, sizeof news.link.mac, "%s", mac);
    snprintf (news.alias, sizeof news.alias, "%s", alias);
    return news;
}

static void test_a_link_is_ours_by_more_than_its_number (void **state)
{
    (void) state;
    const struct {
        const char *kind;
        uint32_t ifindex;
        const char *mac, *alias;
        bool ours;
    } cases[] = {
        { "veth", 12, "02:00:00:00:00:01", "", true },
        { "veth", 12, "52:54:00:00:00:01", "", true },
        { "veth", 12, "02:00:00:00:00:09", "a link with blanks", true },
        { "veth", 12, "02:00:00:00:00:09", "", false },
        { "veth", 12, "", "", false },
        { "veth", 13, "02:00:00:00:00:01", "a link with blanks", false },
        { "bridge", 12, "02:00:00:00:00:01", "a link with blanks", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        link_news_t news = news_of (cases[i].kind, cases[i].ifindex, cases[i].mac, cases[i].alias);
        assert_int_equal (link_record_fits (&pair, &news), cases[i].ours);
    }
    //  While it is being made there is only the MAC.
    link_news_t news = news_of ("tun", 3, "02:00:00:00:00:03", "");
    assert_true (link_record_fits (&tap, &news));
    news = news_of ("tun", 3, "02:00:00:00:00:04", "");
    assert_false (link_record_fits (&tap, &news));
    news = news_of ("tun", 3, "", "");
    assert_false (link_record_fits (&tap, &news));
}

static void test_names_of_owners_and_keys (void **state)
{
    (void) state;
    link_record_t record;
    char longer[LINK_KEY_MAX + 1];
    memset (longer, 'k', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    assert_true (link_record_name (&record, "domain/1", "net0"));
    assert_false (link_record_name (&record, "domain/1", longer));
    assert_false (link_record_name (&record, "domain/1", ""));
    assert_false (link_record_name (&record, "domain/1", "net 0"));
    assert_false (link_record_name (&record, NULL, "net0"));
    assert_false (link_record_name (&record, "domain\n1", "net0"));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_records_are_read_as_they_were_written),
        cmocka_unit_test (test_ifindexes_of_another_boot_or_namespace_say_nothing),
        cmocka_unit_test (test_a_damaged_file_is_an_error),
        cmocka_unit_test (test_a_link_is_ours_by_more_than_its_number),
        cmocka_unit_test (test_names_of_owners_and_keys),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
