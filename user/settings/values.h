/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The types of settings: a field of a document to a value, and a value to text. */
#pragma once

#include "kube/field.h"
#include "settings/settings.h"

/*
 * Reads a field that is not absent into value, the member that info describes; texts and lists are
 * copied to the decoder's arena. False: wrong, reported, and value is as before.
 */
bool setting_value_read(const struct field *f, const struct setting_info *info, void *value);
/* As setting_text(). */
char *setting_value_text(const struct setting_info *info, const void *value);
