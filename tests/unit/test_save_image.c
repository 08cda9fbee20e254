//  test_save_image.c: the file of a saved guest: written, read, changed, and refused when anything
//  about it is wrong.

#include "drivers/save_image.h"
#include "fake_job.h"
#include "unit_xml.h"
#include "util/file.h"
#include "util/text.h"

#include <fcntl.h>

#define STREAM "the guest's memory"
#define TOKEN "00112233445566778899aabbccddeeff"

static save_image_t *make (void)
{
    save_image_t *image = memory_new (1, sizeof *image);
    image->running = true;
    snprintf (image->token, sizeof image->token, TOKEN);
    image->live = unit_xml ("<domain id='3'><name>web</name></domain>");
    image->definition = unit_xml ("<domain><name>web</name></domain>");
    return image;
}

//  A saved guest, complete unless told otherwise.
static char *save (void **state, bool complete)
{
    char *path = text_format ("%s/web.save", (char *) *state);
    auto(save_image_t) image = make ();
    error_t err = { 0 };
    unlink (path);
    autoclose int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal (save_image_begin (image, fd, &err), 0);
    assert_int_equal (image->stream_at % 4096, 0);
    assert_int_equal (pwrite (fd, STREAM, strlen (STREAM), (off_t) image->stream_at),
                      strlen (STREAM));
    if (complete)
        assert_int_equal (save_image_finish (image, fd, &err), 0);
    return path;
}

static void change_byte (const char *path, off_t at)
{
    autoclose int fd = open (path, O_RDWR | O_CLOEXEC);
    char byte;
    assert_int_equal (pread (fd, &byte, 1, at), 1);
    byte ^= 0x20;
    assert_int_equal (pwrite (fd, &byte, 1, at), 1);
}

static void assert_refused (const char *path, const char *why)
{
    error_t err = { 0 };
    assert_null (save_image_open (path, &err));
    autofree char *message = text_format ("saved guest '%s': %s", path, why);
    assert_string_equal (err.message, message);
}

static void test_what_was_written_is_read (void **state)
{
    error_t err = { 0 };
    autofree char *path = save (state, true);
    auto(save_image_t) image = save_image_open (path, &err);
    assert_non_null (image);
    assert_true (image->running);
    assert_string_equal (image->token, TOKEN);
    assert_string_equal (xml_string (xml_root (image->live), "@id"), "3");
    assert_string_equal (xml_string (xml_root (image->definition), "name"), "web");
    assert_int_equal (image->stream_size, strlen (STREAM));
    assert_true (save_image_is (path, TOKEN));
    assert_false (save_image_is (path, "ff112233445566778899aabbccddeeff"));
}

static void test_a_transient_guest_has_no_definition (void **state)
{
    error_t err = { 0 };
    autofree char *path = text_format ("%s/transient.save", (char *) *state);
    auto(save_image_t) image = make ();
    xml_destroy (&image->definition);
    autoclose int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal (save_image_begin (image, fd, &err), 0);
    assert_int_equal (pwrite (fd, "x", 1, (off_t) image->stream_at), 1);
    assert_int_equal (save_image_finish (image, fd, &err), 0);
    auto(save_image_t) read = save_image_open (path, &err);
    assert_non_null (read);
    assert_null (read->definition);
}

static void test_an_interrupted_saving_is_known_as_one (void **state)
{
    autofree char *path = save (state, false);
    assert_refused (path, "it is incomplete: its saving was interrupted; remove it");
    assert_false (save_image_is (path, TOKEN));
}

static void test_a_stream_that_is_empty_is_none (void **state)
{
    error_t err = { 0 };
    autofree char *path = text_format ("%s/empty.save", (char *) *state);
    auto(save_image_t) image = make ();
    autoclose int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal (save_image_begin (image, fd, &err), 0);
    assert_int_equal (save_image_finish (image, fd, &err), -1);
    assert_string_equal (err.message, "the hypervisor wrote no state of the guest");
}

static void test_other_files_are_refused (void **state)
{
    error_t err = { 0 };
    autofree char *path = text_format ("%s/other", (char *) *state);
    char bytes[4096] = "hello";
    assert_int_equal (file_write (path, bytes, 5, &err), 0);
    assert_refused (path, "it is no saved guest");
    assert_int_equal (file_write (path, bytes, sizeof bytes, &err), 0);
    assert_refused (path, "it is no saved guest");
    snprintf (bytes, sizeof bytes, "LibvirtQemudSave");
    assert_int_equal (file_write (path, bytes, sizeof bytes, &err), 0);
    assert_refused (path, "it was saved by libvirt, whose files troupe does not restore");
    assert_refused (*state, "it is no regular file");
    assert_null (save_image_open ("/no/such/file", &err));
    assert_string_equal (err.message,
                         "open the saved guest '/no/such/file': No such file or directory");
}

static void test_a_later_format_is_refused (void **state)
{
    autofree char *path = save (state, true);
    change_byte (path, 16);
    assert_refused (path, "it is of format 33, and this version of troupe reads format 1");
}

static void test_each_changed_byte_is_noticed (void **state)
{
    error_t err = { 0 };
    for (off_t at = 0; at < 112; at++) {
        autofree char *path = save (state, true);
        change_byte (path, at);
        assert_null (save_image_open (path, &err));
    }
    autofree char *path = save (state, true);
    change_byte (path, 4096 + 20);
    assert_refused (path, "it is damaged: its checksum is wrong");
}

static void test_each_length_is_noticed (void **state)
{
    autofree char *path = save (state, true);
    struct stat status;
    error_t err = { 0 };
    assert_int_equal (stat (path, &status), 0);
    assert_int_equal (truncate (path, status.st_size + 1), 0);
    assert_null (save_image_open (path, &err));
    assert_non_null (strstr (err.message, "it was cut or changed"));
    assert_int_equal (truncate (path, status.st_size - 1), 0);
    assert_null (save_image_open (path, &err));
    assert_non_null (strstr (err.message, "it was cut or changed"));
    for (off_t size = 0; size < 8192; size += 100) {
        assert_int_equal (truncate (path, size), 0);
        assert_null (save_image_open (path, &err));
    }
}

static void test_documents_are_replaced_again_and_again (void **state)
{
    error_t err = { 0 };
    autofree char *path = save (state, true);
    for (int i = 0; i < 5; i++) {
        autofree char *text = text_format ("<domain><name>web</name><title>%d</title></domain>", i);
        auto(xml_t) live = unit_xml (text);
        assert_int_equal (save_image_replace (path, live, i % 2, &err), 0);
        auto(save_image_t) image = save_image_open (path, &err);
        assert_non_null (image);
        assert_int_equal (image->running, i % 2);
        char number[2] = { (char) ('0' + i), 0 };
        assert_string_equal (xml_string (xml_root (image->live), "title"), number);
        assert_string_equal (xml_string (xml_root (image->definition), "name"), "web");
        assert_string_equal (image->token, TOKEN);
        assert_int_equal (image->stream_size, strlen (STREAM));
    }
}

static void test_documents_without_room_are_refused (void **state)
{
    error_t err = { 0 };
    autofree char *path = save (state, true);
    char *title = memory_new (200001, 1);
    memset (title, 'x', 200000);
    auto(xml_t) live = unit_xml ("<domain><name>web</name></domain>");
    xml_add_text (xml_root (live), "title", title);
    free (title);
    assert_int_equal (save_image_replace (path, live, true, &err), -1);
    assert_int_equal (err.code, ERR_OVERFLOW);
    auto(save_image_t) image = save_image_open (path, &err);
    assert_non_null (image);
    assert_null (xml_string (xml_root (image->live), "title"));
}

static void test_tokens_and_paths (void **state)
{
    (void) state;
    fake_job_t fake;
    fake_job_init (&fake, "/root");
    char one[SAVE_IMAGE_TOKEN_SIZE], two[SAVE_IMAGE_TOKEN_SIZE];
    save_image_make_token (&fake.job, one);
    save_image_make_token (&fake.job, two);
    assert_int_equal (strlen (one), 32);
    assert_string_not_equal (one, two);
    autofree char *path = save_image_managed_path (&fake.paths, "qemu", "1-2");
    assert_string_equal (path, "/root/qemu/save/1-2.save");
}

static int init (void **state)
{
    xml_init ();
    return unit_make_folder (state);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_what_was_written_is_read),
        cmocka_unit_test (test_a_transient_guest_has_no_definition),
        cmocka_unit_test (test_an_interrupted_saving_is_known_as_one),
        cmocka_unit_test (test_a_stream_that_is_empty_is_none),
        cmocka_unit_test (test_other_files_are_refused),
        cmocka_unit_test (test_a_later_format_is_refused),
        cmocka_unit_test (test_each_changed_byte_is_noticed),
        cmocka_unit_test (test_each_length_is_noticed),
        cmocka_unit_test (test_documents_are_replaced_again_and_again),
        cmocka_unit_test (test_documents_without_room_are_refused),
        cmocka_unit_test (test_tokens_and_paths),
    };
    return cmocka_run_group_tests (tests, init, unit_remove_folder);
}
