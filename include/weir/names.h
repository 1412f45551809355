/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Names: the number that each named content has, so that the next writer reuses it. */
#pragma once

#include <weir/addr.h>

enum weir_name_kind {
	WEIR_NAME_IDENTITY = 1,
	WEIR_NAME_POLICY_SET,
	WEIR_NAME_PORT_SET, /* id is the offset of its extent, len its length */
	WEIR_NAME_RULE,
	WEIR_NAME_SERVICE,
	WEIR_NAME_BACKEND, /* not in the map: see struct weir_backend */
	WEIR_NAME_BACKEND_EXTENT, /* not in the map: see struct weir_service */
	WEIR_NAME_POD, /* of an attachment record; id is the slot */
	_WEIR_NAME_MAX,
};

/* Key of names: the hash of the content. */
struct weir_name {
	__u32 kind; /* enum weir_name_kind */
	__u8 hash[16];
};
WEIR_ASSERT_SIZE(struct weir_name, 20);

struct weir_name_id {
	__u32 id;
	__u32 len;
};
WEIR_ASSERT_SIZE(struct weir_name_id, 8);
