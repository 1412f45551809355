/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Whole files into memory. */
#pragma once

/* The whole file, ended by a zero; NULL when it cannot be read. The caller's. */
char *file_text(const char *path);
