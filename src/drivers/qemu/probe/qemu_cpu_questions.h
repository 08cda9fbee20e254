//  qemu_cpu_questions.h: questions about processors that users have: can this host give a guest
//  that one, and what do several have in common?

#ifndef TROUPE_QEMU_CPU_QUESTIONS_H
#define TROUPE_QEMU_CPU_QUESTIONS_H

#include "drivers/driver.h"

//  Each runs the emulator of KIND once, without a guest; the job's monitor is to be free.

//  XML is a <cpu>. RELATION gets "incompatible", "identical" or "superset", which is what the
//  host's processor is to it, and WHY is filled if it is the first. ERR_CPU_INCOMPATIBLE only with
//  QUESTION->fail.
int qemu_compare_cpu (job_t *job, const guest_kind_t *kind, const cpu_question_t *question,
                      const char **relation, text_t *why, error_t *err);
//  XML is a <cpu>, or an element with several of them. Adds to CPU, an empty <cpu>, the best model
//  that is no more than any of them, and the features that they all have besides.
int qemu_baseline_cpu (job_t *job, const guest_kind_t *kind, const cpu_question_t *question,
                       xml_node_t *cpu, error_t *err);

//  The same with the emulator's monitor open already, for these and tests. ARCH is the guest's.
int qemu_compare_ask (job_t *job, const char *accel, const char *arch, const xml_node_t *asked,
                      const char **relation, text_t *why, error_t *err);
int qemu_baseline_ask (job_t *job, const char *accel, const cpu_question_t *question,
                       const xml_node_t *asked, xml_node_t *cpu, error_t *err);

#endif
