/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Whole files: read into memory; written by rename, so that no reader sees part of a file. */
#pragma once

#include <sys/stat.h>

#include "base/diag.h"

/* The file's text, NUL-terminated, for the caller to free; NULL when it cannot be opened. */
char *file_text(const char *path);
/* The file is created with mode (as for open()). After an error the old file is unchanged. */
int file_write(const char *path, mode_t mode, const char *text, size_t len, struct weir_err *err);
/* One level; 0 also when the folder exists. */
int file_mkdir(const char *path, struct weir_err *err);
/* A folder and the files in it; 0 also when there is none. */
int file_remove_folder(const char *path, struct weir_err *err);
