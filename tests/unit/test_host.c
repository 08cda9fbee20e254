//  test_host.c: start and end of the house: what the files of an earlier daemon lead to, and who
//  gets which name.

#include "house.h"

static paths_t *paths;
static config_t config;

static void open_house (actor_t *self)
{
    house_open (self, &config, &paths);
}

static void close_house (actor_t *self)
{
    house_close (self, &paths);
}

static void put_file (const char *name, const char *text)
{
    error_t err;
    autofree char *path = house_path (name);
    autofree char *folder = file_folder (path);
    check_equal (file_make_folders (folder, 0755, &err), 0);
    check_equal (file_write (path, text, strlen (text), &err), 0);
}

static bool is_there (const char *name)
{
    autofree char *path = house_path (name);
    return access (path, F_OK) == 0;
}

//  A guest lives through the end of a daemon.
static int64_t first_id;

static void scene_before (actor_t *self)
{
    open_house (self);
    check_equal (house_define (self, ""), 0);
    check_equal (house_do (self, "domain.create", NULL, NULL), 0);
    first_id = seen.id;
    close_house (self);
}

static void scene_after (actor_t *self)
{
    open_house (self);
    house_until (self, seen.there && seen.state == STATE_RUNNING);
    check_equal (seen.id, first_id);
    check_text (seen.events, "");
    //  Ids go on behind those that are in use.
    check_equal (house_bring (self, "domain.create_xml", UUID_B, "mail", ""), 0);
    check_equal (house_do (self, "domain.destroy", NULL, NULL), 0);
    close_house (self);
}

static void adoption (void **state)
{
    house_folder = *state;
    scene_run (scene_before);
    scene_run (scene_after);
}

static void scene_autostart (actor_t *self)
{
    autofree char *xml = house_xml (UUID_A, "web", "");
    put_file ("etc/troupe/test/" UUID_A ".xml", xml);
    put_file ("etc/troupe/test/autostart/" UUID_A, "");
    open_house (self);
    house_until (self, seen.state == STATE_RUNNING);
    check (is_there ("run/troupe/autostarted"));
    close_house (self);
}
house_scene (autostart)

//  What was half done is undone before anybody hears of the domain.
static void scene_unfinished_start (actor_t *self)
{
    autofree char *xml = house_xml (UUID_A, "web", "");
    autofree char *status = text_format ("<domstatus state='5' reason='0' id='3' job='start'>"
                                         "<undo><effect kind='file' argument='%s/left'/></undo>"
                                         "<record><driver/></record><live>%s</live></domstatus>",
                                         house_folder, xml);
    put_file ("etc/troupe/test/" UUID_A ".xml", xml);
    put_file ("run/troupe/test/" UUID_A ".status", status);
    put_file ("run/troupe/test/" UUID_B ".status", status);
    put_file ("left", "");
    open_house (self);
    house_until (self, seen.there);
    check (seen.state == STATE_SHUTOFF && seen.reason == SHUTOFF_FAILED);
    check (!is_there ("left"));
    house_until (self, house_count_files () == 0);
    close_house (self);
}
house_scene (unfinished_start)

//  What was half done with a guest that ran already is undone, and the guest goes on.
static void scene_unfinished_job (actor_t *self)
{
    process_t us;
    error_t err;
    check_equal (process_identify (getpid (), &us, &err), 0);
    autofree char *xml = house_xml (UUID_A, "web", "");
    autofree char *status = text_format (
        "<domstatus state='1' reason='1' id='3' job='save' ran='yes'>"
        "<undo><effect kind='file' argument='%s/left'/></undo>"
        "<record><driver><guest boot='%s' resumed='1'/></driver></record><live>%s</live>"
        "</domstatus>",
        house_folder, us.boot_id, xml);
    put_file ("etc/troupe/test/" UUID_A ".xml", xml);
    put_file ("run/troupe/test/" UUID_A ".status", status);
    put_file ("left", "");
    open_house (self);
    house_until (self, seen.there && seen.state == STATE_RUNNING && seen.id == 3);
    house_until (self, !is_there ("left"));
    house_until (self, !seen.busy && seen.state == STATE_RUNNING);
    check_equal (house_do (self, "domain.destroy", NULL, NULL), 0);
    close_house (self);
}
house_scene (unfinished_job)

//  Two files have one name: neither domain is lost.
static void scene_one_name_twice (actor_t *self)
{
    autofree char *xml = house_xml (UUID_A, "web", "");
    autofree char *other = house_xml (UUID_B, "web", "");
    put_file ("etc/troupe/test/" UUID_A ".xml", xml);
    put_file ("etc/troupe/test/" UUID_B ".xml", other);
    open_house (self);
    house_until (self, seen.there && seen.persistent);
    check (strcmp (seen.name, "web") == 0 || strcmp (seen.name, UUID_A) == 0);
    //  Whichever of the two came later is known by its uuid.
    check (house_bring (self, "domain.define", UUID_B,
                        strcmp (seen.name, "web") == 0 ? UUID_B : "web", "") == 0);
    close_house (self);
}
house_scene (one_name_twice)

//  A file that is broken does not stand in the way of the rest.
static void scene_broken_files (actor_t *self)
{
    autofree char *xml = house_xml (UUID_A, "web", "");
    put_file ("etc/troupe/test/" UUID_A ".xml", xml);
    put_file ("etc/troupe/test/" UUID_B ".xml", "<domain><name>mail</name>");
    put_file ("run/troupe/test/" UUID_A ".status", "nothing");
    open_house (self);
    house_until (self, seen.there && seen.persistent);
    check (!is_there ("run/troupe/test/" UUID_A ".status"));
    check_equal (house_bring (self, "domain.define", UUID_B, "mail", ""), 0);
    close_house (self);
}
house_scene (broken_files)

//  Until the files can be read nobody says what they hold.
static void scene_unreadable_file (actor_t *self)
{
    autofree char *xml = house_xml (UUID_A, "web", "");
    autofree char *status = house_path ("run/troupe/test/" UUID_A ".status");
    put_file ("etc/troupe/test/" UUID_A ".xml", xml);
    put_file ("run/troupe/test/" UUID_A ".status", "");
    check (unlink (status) == 0 && symlink (status, status) == 0);
    open_house (self);
    house_until (self, seen.there && seen.loading && seen.state == STATE_NOSTATE);
    check_equal (unlink (status), 0);
    house_until (self, seen.persistent && !seen.loading && seen.state == STATE_SHUTOFF);
    close_house (self);
}
house_scene (unreadable_file)

//  An edited file may have what a definition from outside may not.
static void scene_edited_file (actor_t *self)
{
    put_file ("etc/troupe/test/" UUID_A ".xml",
              "<domain type='test'><name>web</name><uuid>" UUID_A "</uuid>"
              "<metadata><a xmlns='u'/><b xmlns='u'/></metadata></domain>");
    open_house (self);
    house_until (self, seen.there && seen.persistent);
    check_equal (house_do (self, "domain.undefine", NULL, NULL), 0);
    close_house (self);
}
house_scene (edited_file)

//  A job that nobody waits for any more asks too late.
static void scene_reserve_without_job (actor_t *self)
{
    open_house (self);
    msg_t *request = msg_request ("host.reserve");
    pack_key_str (msg_args (request), "uuid", UUID_A);
    pack_key_str (msg_args (request), "name", "web");
    pack_key_str (msg_args (request), "driver", "test");
    auto(msg_t) answer = scene_call (self, "host", &request, CALL_MS);
    check_equal (scene_code (answer), ERR_OPERATION_ABORTED);
    check_equal (house_define (self, ""), 0);
    close_house (self);
}
house_scene (reserve_without_job)

//  Many at once under one name: one gets it.
static int winners;

static void count_winner (actor_t *self, const msg_t *reply, void *arg)
{
    winners += scene_code (reply) == 0;
    scene_keep (self, reply, arg);
}

static void scene_race_for_a_name (actor_t *self)
{
    open_house (self);
    scene_reset ();
    winners = 0;
    for (int i = 0; i < 10; i++) {
        msg_t *request = house_xml_request ("domain.define", i % 2 ? UUID_A : UUID_B, "web", "");
        actor_request (self, "host", &request, CALL_MS, count_winner, NULL);
    }
    auto(msg_t) last = scene_await (self, 10);
    check_equal (winners, 5); //  those with the uuid of the first
    close_house (self);
}
house_scene (race_for_a_name)

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (adoption),         unit_test_in_folder (autostart),
        unit_test_in_folder (unfinished_start), unit_test_in_folder (broken_files),
        unit_test_in_folder (unfinished_job),   unit_test_in_folder (one_name_twice),
        unit_test_in_folder (edited_file),      unit_test_in_folder (reserve_without_job),
        unit_test_in_folder (race_for_a_name),  unit_test_in_folder (unreadable_file),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
