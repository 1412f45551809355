// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* CRC32c updated for a changed word, against CRC32c of the whole message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <weir/crc32c.h>

static uint32_t crc32c(const uint8_t *bytes, size_t len)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int k = 0; k < 8; k++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return ~crc;
}

static void the_reference_computes_crc32c(void **state)
{
	assert_int_equal(crc32c((const uint8_t *)"123456789", 9), 0xe3069283); /* its check value */
}

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed;
}

static void check(uint8_t *message, uint32_t len, uint32_t *seed)
{
	uint32_t old, new = next(seed), before = crc32c(message, len);

	memcpy(&old, message, 4);
	memcpy(message, &new, 4);
	assert_int_equal(before ^ weir_crc32c_shift(old ^ new, len), crc32c(message, len));
}

static void the_sum_is_updated_for_a_changed_first_word_at_every_length(void **state)
{
	uint8_t *message = malloc(WEIR_CRC32C_LEN_MAX);
	uint32_t seed = 1;

	for (uint32_t i = 0; i < WEIR_CRC32C_LEN_MAX; i++)
		message[i] = next(&seed) >> 16;
	for (uint32_t len = 4; len <= 300; len++)
		check(message, len, &seed);
	for (uint32_t bit = 8; bit < 16; bit++) {
		check(message, 1u << bit, &seed);
		check(message, (1u << bit) | (next(&seed) & ((1u << bit) - 1)), &seed);
	}
	check(message, WEIR_CRC32C_LEN_MAX, &seed);
	free(message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reference_computes_crc32c),
		cmocka_unit_test(the_sum_is_updated_for_a_changed_first_word_at_every_length),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
