//  iothreads.h: which I/O threads a guest has. A document says how many, which are then numbered
//  from 1, or lists them besides, by numbers that the user chose:
//
//      <iothreads>2</iothreads>
//      <iothreadids>
//        <iothread id='1'/>
//        <iothread id='5' thread_pool_max='32'><poll max='0' grow='2' shrink='0'/></iothread>
//      </iothreadids>
//
//  (libvirt's "Domain XML format" page, "IOThreads Allocation").

#ifndef TROUPE_IOTHREADS_H
#define TROUPE_IOTHREADS_H

#include "util/error.h"
#include "util/xml.h"

#define IOTHREAD_MOST 1024 //  of a guest; also the largest number of one

//  What can be set of one: its path below the listed element, as libvirt's parameters call it, and
//  QEMU.
typedef struct {
    const char *path, *field, *property;
    uint64_t max;
} iothread_setting_t;

extern const iothread_setting_t iothread_settings[]; //  path NULL at the end

int iothreads_count (const xml_node_t *domain);
bool iothreads_has (const xml_node_t *domain, int id);
//  The one with the next number above ID; 0: there is none.
int iothreads_next (const xml_node_t *domain, int id);
//  What the list says of it; NULL: nothing.
xml_node_t *iothreads_find (const xml_node_t *domain, int id);

//  Checks a definition's, and adds what it leaves out. ERR_XML_ERROR.
int iothreads_complete (xml_node_t *domain, error_t *err);

//  ERR_INVALID_ARG: there is one already; there is none; a device uses it.
int iothreads_add (xml_node_t *domain, int id, error_t *err);
int iothreads_remove (xml_node_t *domain, int id, error_t *err);
//  The listed one, whose settings are to change; the list is made if there is none.
xml_node_t *iothreads_ensure (xml_node_t *domain, int id, error_t *err);

#endif
