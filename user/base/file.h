/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Whole files: read into memory, written by rename, so that a reader sees a whole file or none. */
#pragma once

#include <sys/stat.h>

#include "base/diag.h"

/* The whole file, ended by a zero; NULL when it cannot be read. The caller's. */
char *file_text(const char *path);
/*
 * mode: as for open(), from the file's first byte on. After an error the old file is still there.
 */
int file_write(const char *path, mode_t mode, const char *text, size_t len, struct weir_err *err);
/* mkdir -p for one level; 0 also when it is there. */
int file_mkdir(const char *path, struct weir_err *err);
