//  test_driver.h: domains of type 'test': simulated guests, without any process, for those who have
//  no hypervisor, for tests and for simulation. A guest takes the time and fails as its definition
//  says (test_behaviour.h).
//
//  What there is of a running guest are its files RUN/test/UUID.{marker,devices,console}, which its
//  start makes one by one, each with an undo, and its record:
//
//      <driver><guest boot='BOOTID' ran='0' resumed='123456' ending='123999'/></driver>
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
int64_t test_guest_ends_in (const xml_t *live, const xml_t *record, int64_t now,
                            guest_change_t *change);
void test_console_boot (const xml_t *live, text_t *output);
bool test_console_input (const xml_t *live, console_line_t *line, const void *bytes, size_t size,
                         text_t *output);

//  RUN/test/UUID.SUFFIX; the caller frees it. The suffixes, in the order in which a start makes the
//  files, NULL at the end.
char *test_path (const job_t *job, const char *suffix);
extern const char *const test_files[];

#endif
