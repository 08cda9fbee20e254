//  udev_facts.h: what udev knows of devices, by its library (libudev(3)): the names of vendors and
//  products, from its hardware database (hwdb.bin, which the package udev brings; Debian makes it
//  of the lists of pci.ids and usb.ids), and what its rules found out when a device came (the files
//  in /run/udev/data). Where there is no udev, none of it is known.

#ifndef TROUPE_UDEV_FACTS_H
#define TROUPE_UDEV_FACTS_H

#include "util/text.h"

//  Property NAME ("ID_SERIAL") of the device whose folder in sysfs is PATH; NULL: not known. The
//  caller frees it.
char *udev_fact (const char *path, const char *name);
//  The links to its special file; none if there are none. The caller owns the result.
strings_t *udev_links (const char *path);

//  Words for the ids of a bus ("pci", "usb"); NULL: not known. The caller frees them.
char *udev_vendor (const char *bus, unsigned vendor);
char *udev_product (const char *bus, unsigned vendor, unsigned product);

//  Does a udev look at devices before others hear of them?
bool udev_runs (void);
//  A socket on which udev says which block devices it has looked at; the caller passes it to the
//  functions below.
typedef struct udev_news udev_news_t;
//  NULL: there can be none.
udev_news_t *udev_news_open (void);
void udev_news_close (udev_news_t **self_p);
int udev_news_fd (const udev_news_t *self);
//  The next device's folder in sysfs; NULL: no more now. The caller frees it.
char *udev_news_next (udev_news_t *self);

#endif
