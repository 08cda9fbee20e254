//  ini.h: a configuration file: sections, and settings NAME = VALUE. A line that begins with # or ;
//  is a comment.
//
//      [libvirt]
//      take_over = yes

#ifndef TROUPE_INI_H
#define TROUPE_INI_H

#include "util/error.h"

typedef enum {
    INI_BOOL, //  a bool: yes or no
    INI_TEXT  //  a char *, which the caller frees
} ini_type_t;

typedef struct {
    const char *section, *name; //  SECTION NULL: behind the last
    ini_type_t type;
    void *value; //  left as it is if the file does not say
} ini_setting_t;

//  Reads the file at PATH into SETTINGS; no file says nothing. -1 and
//  ERR_CONF_SYNTAX, with file and line: it is no such file, or a setting is not known.
int ini_read (const char *path, const ini_setting_t *settings, error_t *err);

#endif
