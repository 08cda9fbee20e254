//  xml_path.h: taking the paths of xml.h apart; for xml_read.c and xml_edit.c.

#ifndef TROUPE_XML_PATH_H
#define TROUPE_XML_PATH_H

#include "util/xml.h"

#define XML_STEP_MAX 64

//  Cuts the next element name off *PATH into STEP. False when none is left: *PATH is then "" or the
//  attribute's name, without its '@'. "." is skipped.
bool xml_path_step (const char **path, char step[XML_STEP_MAX]);

//  Whether PATH ends in an attribute.
bool xml_path_has_attribute (const char *path);

#endif
