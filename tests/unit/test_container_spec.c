//  test_container_spec.c: what a supervisor reads of its container, and what it refuses.

#include "container/container_idmap.h"
#include "container/container_spec.h"
#include "unit.h"
#include "util/text.h"

#include <sched.h>
#include <sys/capability.h>

#define HEAD                                                                                       \
    "'name':'web1','uuid':'u','folder':'/','identity':'/i','user':'0','group':'','network':true,"  \
    "'restart':false,'argv':['/bin/sh','-c'],'env':['A=b'],'consoles':['console0'],"
#define ROOT "{'type':'mount','source':'/r','target':'/','readonly':true,'bytes':0}"
#define MAPS SHARED ("")
#define SHARED(list)                                                                               \
    "'shared':[" list "],"                                                                         \
    "'devices':[{'path':'/dev/x','block':true,'major':7,'minor':1}],'uid_map':'0 1000 "            \
    "10','gid_map':'0 7 2\\n5 90 1',"
#define TAIL MAPS "'cgroups':[],'links':['eth0'],'given':['up0'],'keep':['cap_chown','cap_kill']"

//  With ' instead of ", to be read by people.
static json_t *parse (const char *text)
{
    autofree char *quoted = text_copy (text);
    for (char *at = quoted; *at; at++)
        if (*at == '\'')
            *at = '"';
    json_t *json = json_loads (quoted, 0, NULL);
    assert_non_null (json);
    return json;
}

static void reads_all_parts (void **state)
{
    (void) state;
    container_spec_t spec;
    error_t err = { 0 };
    json_t *json = parse ("{" HEAD TAIL ",'filesystems':[" ROOT ",{'type':'ram','source':'',"
                          "'target':'/run','readonly':false,'bytes':4096}]}");
    assert_int_equal (container_spec_read (&spec, json, &err), 0);
    json_decref (json);
    assert_string_equal (spec.name, "web1");
    assert_string_equal (spec.argv[1], "-c");
    assert_null (spec.argv[2]);
    assert_string_equal (spec.consoles[0], "console0");
    assert_null (spec.cgroups[0]);
    assert_string_equal (spec.given[0], "up0");
    assert_true (spec.network && !spec.restart);
    assert_int_equal (spec.keep, (1u << CAP_CHOWN) | (1u << CAP_KILL));
    assert_int_equal (spec.device_count, 1);
    assert_true (spec.devices[0].block && spec.devices[0].major == 7 && spec.devices[0].minor == 1);
    assert_int_equal (spec.filesystem_count, 2);
    assert_true (spec.filesystems[0].readonly);
    assert_int_equal (spec.filesystems[1].kind, CONTAINER_RAM);
    assert_int_equal (spec.filesystems[1].bytes, 4096);
    container_spec_close (&spec);
}

static void refuses_what_it_does_not_know (void **state)
{
    (void) state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "{}", "describe a container: " },
        { "{" HEAD TAIL ",'filesystems':[" ROOT "],'more':1}", "more" },
        { "{" HEAD TAIL ",'filesystems':[]}", "no file systems" },
        { "{" HEAD TAIL ",'filesystems':[{'type':'ram','source':'','target':'/','readonly':false,"
          "'bytes':1}]}",
          "no root" },
        { "{" HEAD TAIL ",'filesystems':[{'type':'nfs','source':'/','target':'/','readonly':false,"
          "'bytes':1}]}",
          "not as it has to be" },
        { "{" HEAD TAIL
          ",'filesystems':[{'type':'mount','source':'r','target':'/','readonly':false,"
          "'bytes':1}]}",
          "not as it has to be" },
        { "{" HEAD MAPS "'cgroups':[1],'links':[],'given':[],'keep':[],'filesystems':[" ROOT "]}",
          "no list of texts" },
        { "{" HEAD MAPS
          "'cgroups':[],'links':['eth0'],'given':[],'keep':['cap_none'],'filesystems':[" ROOT "]}",
          "no capability 'cap_none'" },
        { "{" HEAD
          "'shared':[],'devices':[{'path':'/x','block':true,'major':7,'minor':1}],'uid_map':'',"
          "'gid_map':'','cgroups':[],'links':[],'given':[],'keep':[],'filesystems':[" ROOT "]}",
          "a device of it" },
        { "{" HEAD "'shared':[],'devices':[],'uid_map':'','gid_map':'0 7 "
          "2','cgroups':[],'links':[],'given':[],'keep':[],"
          "'filesystems':[" ROOT "]}",
          "its root is nobody" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        container_spec_t spec;
        error_t err = { 0 };
        json_t *json = parse (cases[i].text);
        assert_int_equal (container_spec_read (&spec, json, &err), -1);
        if (!strstr (err.message, cases[i].message))
            fail_msg ("%s: '%s'", cases[i].text, err.message);
        assert_null (spec.json);
        json_decref (json);
    }
}

#define PROCESS "7:12:01234567-89ab-cdef-0123-456789abcdef"
#define REST "'cgroups':[],'links':[],'given':[],'keep':[],'filesystems':[" ROOT "]}"
#define SHARE(space, path, process)                                                                \
    "{'space':'" space "','what':'w','path':'" path "','process':'" process "'}"

static void reads_what_is_shared (void **state)
{
    (void) state;
    container_spec_t spec;
    error_t err = { 0 };
    json_t *json =
        parse ("{" HEAD SHARED (SHARE ("ipc", "", PROCESS) "," SHARE ("uts", "/run/x", "")) REST);
    assert_int_equal (container_spec_read (&spec, json, &err), 0);
    json_decref (json);
    assert_int_equal (spec.share_count, 2);
    assert_int_equal (spec.shared, CLONE_NEWIPC | CLONE_NEWUTS);
    assert_int_equal (spec.shares[0].flag, CLONE_NEWIPC);
    assert_int_equal (spec.shares[0].process.pid, 7);
    assert_int_equal (spec.shares[0].process.start_time, 12);
    assert_string_equal (spec.shares[1].path, "/run/x");
    container_spec_close (&spec);
}

static void refuses_to_share (void **state)
{
    (void) state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "{" HEAD SHARED ("{'space':'uts'}") REST, "not as it has to be" },
        { "{" HEAD SHARED (SHARE ("uts", "", "7")) REST, "not as it has to be" },
        { "{" HEAD SHARED (SHARE ("uts", "x", "")) REST, "not as it has to be" },
        { "{" HEAD SHARED (SHARE ("pid", "/x", "")) REST, "of an unknown kind" },
        { "{" HEAD SHARED (SHARE ("uts", "/x", "") "," SHARE ("uts", "/y", "")) REST,
          "two namespaces of a kind" },
        { "{" HEAD SHARED (SHARE ("net", "/x", "")) REST, "two namespaces of a kind" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        container_spec_t spec;
        error_t err = { 0 };
        json_t *json = parse (cases[i].text);
        assert_int_equal (container_spec_read (&spec, json, &err), -1);
        if (!strstr (err.message, cases[i].message))
            fail_msg ("%s: '%s'", cases[i].text, err.message);
        json_decref (json);
    }
}

static void finds_ids (void **state)
{
    (void) state;
    const char *map = "0 1000 10\n  20   4294967290    4\n";
    assert_int_equal (container_idmap_find (map, 0), 1000);
    assert_int_equal (container_idmap_find (map, 9), 1009);
    assert_int_equal (container_idmap_find (map, 10), -1);
    assert_int_equal (container_idmap_find (map, 23), 4294967293);
    assert_int_equal (container_idmap_find (map, 24), -1);
    assert_int_equal (container_idmap_find ("", 0), -1);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (reads_all_parts),
        cmocka_unit_test (refuses_what_it_does_not_know),
        cmocka_unit_test (reads_what_is_shared),
        cmocka_unit_test (refuses_to_share),
        cmocka_unit_test (finds_ids),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
