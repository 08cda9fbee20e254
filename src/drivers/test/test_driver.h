//  test_driver.h: domains of type 'test': simulated guests, without any process, for those who have
//  no hypervisor, for tests and for simulation. A guest takes the time and fails as its definition
//  says (test_behaviour.h).
//
//  What there is of a running guest are its files RUN/test/UUID.{marker,devices,console}, which its
//  start makes one by one, each with an undo, and its record:
//
//      <driver><guest boot='BOOTID' ran='0' resumed='123456' ending='123999'/></driver>
//
//  and, as save_image_recorded reads it, <save>; <used path='...'/> is a file that it was restored
//  from, to be removed.
//
//  boot: of the host's start in which it began. Times are ms on the host's monotonic clock. ran:
//  for how long it ran before `resumed`, which is absent while it is paused. ending: when it is
//  done with shutting down; absent unless it was asked to.

#ifndef TROUPE_TEST_DRIVER_H
#define TROUPE_TEST_DRIVER_H

#include "drivers/driver.h"

extern const driver_t test_driver;

//  Its parts, for driver_t.
int test_complete (job_t *job, xml_t *document, error_t *err);
int test_start (job_t *job, unsigned flags, error_t *err);
int test_save (job_t *job, const char *path, const save_options_t *options, error_t *err);
int test_restore (job_t *job, const char *path, const restore_options_t *options, error_t *err);
int test_image_define (job_t *job, const char *path, const char *xml, go_on_t go_on, error_t *err);
int test_snapshot_create (job_t *job, xml_node_t *snapshot, unsigned flags, error_t *err);
int test_snapshot_check (job_t *job, const xml_node_t *snapshot, error_t *err);
int test_snapshot_apply (job_t *job, const xml_node_t *snapshot, error_t *err);
int test_snapshot_start (job_t *job, const xml_node_t *snapshot, const xml_t *document,
                         error_t *err);
int test_snapshot_delete (job_t *job, snapshot_tree_t *tree, const char *name, bool last,
                          error_t *err);
int64_t test_guest_ends_in (const xml_t *live, const xml_t *record, int64_t now,
                            guest_change_t *change);
void test_console_boot (const xml_t *live, text_t *output);
bool test_console_input (const xml_t *live, console_line_t *line, const void *bytes, size_t size,
                         text_t *output);

//  A start of DOCUMENT's guest, which has run for RAN ms before.
int test_start_from (job_t *job, const xml_t *document, bool running, int64_t ran, error_t *err);
//  For how long it has run, and whether it is not paused.
int test_how_it_runs (job_t *job, int64_t *ran, bool *running, error_t *err);
//  What its start made. Twice is once.
int test_remove_files (job_t *job, error_t *err);
//  The file that the record says it was restored from, for good.
int test_drop_used (job_t *job, error_t *err);

//  RUN/test/UUID.SUFFIX; the caller frees it. The suffixes, in the order in which a start makes the
//  files, NULL at the end.
char *test_path (const job_t *job, const char *suffix);
extern const char *const test_files[];

#endif
