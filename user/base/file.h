/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Whole files: read into memory; written by rename, so that no reader sees part of a file. */
#pragma once

#include <stdio.h>
#include <sys/stat.h>

#include "base/diag.h"

/*
 * Opens a regular file for reading. NULL with errno: EINVAL for anything else, such as a FIFO,
 * which would block.
 */
FILE *file_open(const char *path);
/* The file's text, NUL-terminated, for the caller to free; NULL as file_open(). */
char *file_text(const char *path);
/* The file is created with mode (as for open()). After an error the old file is unchanged. */
int file_write(const char *path, mode_t mode, const char *text, size_t len, struct weir_err *err);
/* Removes what file_write() of processes that are gone left in a folder. */
void file_remove_unfinished(const char *folder);
/* One level; 0 also when the folder exists: then permissions that mode lacks are taken away. */
int file_mkdir(const char *path, mode_t mode, struct weir_err *err);
/*
 * A folder and all that is in it, except for other file systems; 0 also when there is none. Goes on
 * after an error, and returns the first one. before: called before each removal; may be NULL.
 */
int file_remove_tree(const char *path, void (*before)(const char *path), struct weir_err *err);
/* A folder and the files in it; 0 also when there is none. */
int file_remove_folder(const char *path, struct weir_err *err);
