//  test_qemu_words.c: what a QEMU wrote to its log.

#include "drivers/qemu/qemu_words.h"
#include "drivers/qemu/qemu_sockets.h"

#include "tree.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define OLD "QEMU waiting for connection on: disconnected:unix:/old,server=on\n"
#define CHARDEV "2026-11-22T11:12:39Z qemu: -chardev socket,id=charmonitor,fd=3,server=on,wait=on: "
#define MONITOR                                                                                    \
    CHARDEV "info: QEMU waiting for connection on: disconnected:unix:/monitor,server=on\n"
#define WAITS "qemu: -chardev x: info: QEMU waiting for connection on: disconnected:"

static void test_words_are_those_of_this_start (void **state)
{
    error_t err = { 0 };
    autofree char *log = text_format ("%s/log", (char *) *state);
    tree_put (*state, "/log", OLD "qemu: no such thing\n");
    error_set (&err, ERR_OPERATION_FAILED, "closed");
    qemu_words_add (log, (off_t) strlen (OLD), "at its start", &err);
    assert_string_equal (err.message,
                         "QEMU ended at its start; its last words are: qemu: no such thing");
    error_set (&err, ERR_OPERATION_FAILED, "closed");
    qemu_words_add (log, qemu_words_mark (log), "at its start", &err);
    assert_string_equal (err.message, "closed");
}

//  That QEMU waited for the daemon, as it is to, is no word of its end, and of no peer.
static void test_waiting_for_the_daemon_is_no_word (void **state)
{
    static const char waits[] = "QEMU waiting for connection on: disconnected:";
    error_t err = { 0 };
    autofree char *log = text_format ("%s/log", (char *) *state);
    tree_put (*state, "/log", OLD MONITOR);
    error_set (&err, ERR_OPERATION_TIMEOUT, "no answer");
    qemu_words_add (log, (off_t) strlen (OLD), "at its start", &err);
    assert_string_equal (err.message, "no answer");
    assert_null (qemu_words_last (log, (off_t) strlen (OLD), waits));
    tree_put (*state, "/log", OLD "a warning\n" MONITOR "qemu: b\nqemu: c\nqemu: d\n");
    qemu_words_add (log, (off_t) strlen (OLD), "at its start", &err);
    assert_string_equal (err.message, "QEMU ended at its start; its last words are: a warning "
                                      "qemu: b qemu: c qemu: d");
    tree_put (*state, "/log", OLD CHARDEV "File descriptor '3' is not a socket\n");
    qemu_words_add (log, (off_t) strlen (OLD), "at its start", &err);
    assert_non_null (strstr (err.message, "File descriptor '3' is not a socket"));
}

//  The first one's peer came; and a line of another thing does not hide which one did not.
static void test_the_last_peer_that_is_waited_for (void **state)
{
    static const char waits[] = "QEMU waiting for connection on: disconnected:";
    error_t err = { 0 };
    autofree char *log = text_format ("%s/log", (char *) *state);
    tree_put (*state, "/log",
              OLD WAITS "unix:/a,server=on\n" WAITS "unix:/b,server=on\nqemu: a\nqemu: b\n"
                        "qemu: c\nqemu: d\nqemu: e\n");
    autofree char *socket = qemu_words_last (log, (off_t) strlen (OLD), waits);
    assert_string_equal (socket, "unix:/b,server=on");
    qemu_sockets_no_peer (socket, 30999, &err);
    assert_non_null (strstr (err.message, "within 30 s (unix:/b,server=on); start the peer first"));
    assert_null (qemu_words_last (log, qemu_words_mark (log), waits));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (test_words_are_those_of_this_start),
        unit_test_in_folder (test_waiting_for_the_daemon_is_no_word),
        unit_test_in_folder (test_the_last_peer_that_is_waited_for),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
