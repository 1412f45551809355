# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# user/kube/schema.table to the two arrays that user/kube/schema.c includes. The build runs it.

BEGIN { n_types = n_fields = 0 }

/^#/ || !NF { next }

/^[^ ]/ {
	type[$1] = n_types
	name[n_types] = $1
	first[n_types++] = n_fields
	next
}

{
	for (i = 1; i <= NF; i++) {
		at = index($i, "=")
		field[n_fields] = at ? substr($i, 1, at - 1) : $i
		list[n_fields] = at && substr($i, at + 1, 1) == "["
		held[n_fields] = at ? substr($i, at + 1) : ""
		gsub(/[][]/, "", held[n_fields])
		n_fields++
	}
}

END {
	first[n_types] = n_fields
	print "static const struct schema_field fields[] = {"
	for (i = 0; i < n_fields; i++) {
		if (held[i] != "" && !(held[i] in type)) {
			print "schema.table: no type " held[i] > "/dev/stderr"
			exit 1
		}
		printf "\t{ \"%s\", %d, %d },\n", field[i], held[i] == "" ? -1 : type[held[i]], list[i]
	}
	print "};"
	print "static const struct schema_type types[] = {"
	for (i = 0; i < n_types; i++)
		printf "\t{ \"%s\", &fields[%d], %d },\n", name[i], first[i], first[i + 1] - first[i]
	print "};"
}
