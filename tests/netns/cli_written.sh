#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The command is never silent about what was written and has no effect: unknown and unserved fields,
# misspelt kinds, files of kustomize and Helm. Loads nothing.
set -u

# shellcheck source=tests/lib/cli.sh disable=SC1091
. "$(dirname "$0")/../lib/cli.sh"

# told STATUS ARGUMENT...: weir ends with the status; stderr is what stdin says, DIR for the folder,
# without the notes of what was made and assigned
told() {
	local expected
	expected=$(cat)
	exits "$@" || return
	diff <(printf '%s\n' "$expected") <(grep -v '^note: ' "$dir/err" | sed "s|$dir|DIR|g")
}

refuses_nothing_but_warns() {
	told 0 compile -f "$dir/typo.yaml" <<-'END'
		DIR/typo.yaml:7:5: warning: NetworkPolicy default/db: spec.ingress[0].port: no such field, ignored; did you mean spec.ingress[0].ports[].port?
		DIR/typo.yaml:12:7: warning: ignored: Kubernetes has no kind Servce in v1; did you mean Service?
	END
}

quiet_keeps_warnings() {
	cat "$dir/typo.yaml" - >"$dir/notes.yaml" <<-'END'
		---
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: c}
	END
	exits 0 compile -f "$dir/notes.yaml" && grep -q ': note: ' "$dir/err" &&
		exits 0 compile -q -f "$dir/notes.yaml" && ! grep ': note: ' "$dir/err" &&
		[ "$(grep -c ': warning: ' "$dir/err")" = 2 ] &&
		exits 0 compile -q -f /dev/null && grep -q 'weir: warning: the manifests have no object' "$dir/err"
}

strict_makes_errors() {
	local verb
	for verb in compile report load 'why a/b c/d' 'sandbox up'; do
		# shellcheck disable=SC2086
		exits 4 $verb -q --strict -f "$dir/typo.yaml" && [ ! -s "$dir/out" ] &&
			grep -q '^.*typo.yaml:7:5: error E037: NetworkPolicy default/db: spec.ingress\[0\].port: no such field' "$dir/err" &&
			grep -q 'weir: 2 errors in the manifests; nothing was done' "$dir/err" || return
	done
	exits 0 compile --strict -f "$dir/fine.yaml"
}

# Warnings that come up only when nothing was read or the plan is made.
strict_means_every_warning() {
	told 4 compile --strict -f /dev/null <<-'END' || return
		weir: error: the manifests have no object of a kind that Weir reads
	END
	exits 4 compile --strict --node other -f "$dir/fine.yaml" && grep -q 'weir: error: the manifests name no node' "$dir/err"
}

many_are_one_line() {
	local i
	mkdir -p "$dir/many"
	for i in $(seq 100 599); do
		sed "s/NAME/d$i/" >"$dir/many/$i.yaml" <<-'END'
			apiVersion: apps/v1
			kind: Deployment
			metadata: {name: NAME}
			spec:
			  replica: 0
			  selector: {matchLabels: {app: NAME}}
			  template:
			    metadata: {labels: {app: NAME}}
			    spec: {containers: [{name: c, image: i}]}
		END
	done
	told 0 compile -f "$dir/many" <<-'END'
		DIR/many/100.yaml:5:3: warning: Deployment default/d100: spec.replica: no such field, ignored; did you mean replicas? (also at DIR/many/101.yaml:5:3, DIR/many/102.yaml:5:3 and 497 more)
	END
}

# A folder that is also a kustomization, and one that has a chart: their manifests are read.
other_files_are_passed_over() {
	mkdir -p "$dir/tree/base" "$dir/tree/chart/charts/sub"
	cp "$dir/fine.yaml" "$dir/tree/base"
	printf 'resources: [fine.yaml]\n' >"$dir/tree/base/kustomization.yaml"
	printf 'resources: [base]\nnamespace: n\n' >"$dir/tree/kustomization.yml"
	printf 'kind: Component\n' >"$dir/tree/chart/Kustomization"
	printf 'apiVersion: v2\nname: c\nversion: 1.0.0\n' >"$dir/tree/chart/Chart.yaml"
	printf 'replicas: 3\nkind: StatefulSet\n' >"$dir/tree/chart/values.yaml"
	printf 'replicas: 3\n' >"$dir/tree/chart/prod-values.yml"
	printf '{"$schema": "x"}\n' >"$dir/tree/chart/values.schema.json"
	printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: values}\n' >"$dir/tree/values-of-ours.yaml"
	told 0 report --ports 80 -f "$dir/tree" <<-'END'
		DIR/tree/base/kustomization.yaml: note: passed over: a kustomization; to read what it makes: kubectl kustomize DIR/tree/base | weir VERB -f - (also at DIR/tree/chart/Kustomization and DIR/tree/kustomization.yml)
		DIR/tree/chart/Chart.yaml: note: passed over: part of a Helm chart; to read what it makes: helm template DIR/tree/chart | weir VERB -f - (also at DIR/tree/chart/prod-values.yml, DIR/tree/chart/values.schema.json and 1 more)
	END
	exits 0 compile -q -f "$dir/tree" --node node && [ ! -s "$dir/err" ]
}

other_files_by_name_are_refused() {
	printf 'resources: [fine.yaml]\n' >"$dir/kustomization.yaml"
	told 4 compile -f "$dir/fine.yaml" -f "$dir/kustomization.yaml" <<-'END'
		weir: DIR/kustomization.yaml: is a kustomization, not a manifest: run kubectl kustomize DIR | weir VERB -f -
	END
	rm "$dir/kustomization.yaml"
}

a_chart_is_one_error() {
	mkdir -p "$dir/shop/templates"
	printf 'apiVersion: v2\nname: shop\nversion: 1.0.0\n' >"$dir/shop/Chart.yaml"
	printf 'replicas: 3\n' >"$dir/shop/values.yaml"
	printf 'questions: [{default: "{{host}}"}]\n' >"$dir/shop/questions.yaml"
	cat >"$dir/shop/templates/a.yaml" <<-'END'
		apiVersion: v1
		kind: Service
		metadata:
		  name: {{ .Release.Name }}-web
		spec:
		  {{- if .Values.ports }}
		  ports: {{ toYaml .Values.ports | nindent 4 }}
		  {{- end }}
	END
	cat >"$dir/shop/templates/b.yaml" <<-'END'
		apiVersion: v1
		kind: Service
		metadata: {name: "{{ .Release.Name }}"}
		spec: {ports: [{port: 80}], selectr: {}}
	END
	printf '{{- range $i := until 3 }}\n---\napiVersion: v1\nkind: Pod\n{{- end }}\n' >"$dir/shop/templates/c.yaml"
	told 4 compile -f "$dir/shop" <<-'END'
		DIR/shop/Chart.yaml: note: passed over: part of a Helm chart; to read what it makes: helm template DIR/shop | weir VERB -f - (also at DIR/shop/questions.yaml and DIR/shop/values.yaml)
		DIR/shop/templates/a.yaml:4:9: error E005: a Helm template that is not rendered: run helm template DIR/shop | weir VERB -f - (also at DIR/shop/templates/b.yaml:3:19 and DIR/shop/templates/c.yaml:1:1)
		weir: 1 error in the manifests; nothing was done
	END
}

# A policy that was passed over would not be enforced.
objects_in_a_chart_are_read_however_they_are_written() {
	local folder=$dir/objects group=networking.k8s.io/v1 policy
	policy="apiVersion: $group
kind: NetworkPolicy
metadata: {name: a}
spec: {podSelector: {}}"
	mkdir -p "$folder"
	printf 'apiVersion: v2\nname: c\nversion: 1.0.0\n' >"$folder/Chart.yaml"
	printf 'extra:\n  - {apiVersion: v1, kind: Pod}\n' >"$folder/values.yaml"
	printf '\xef\xbb\xbf%s\n' "$policy" >"$folder/mark.yaml"
	iconv -t UTF-16 <<<"$policy" >"$folder/utf16.yaml"
	tr '\n' '\r' <<<"$policy" >"$folder/lines.yaml"
	printf "%s\n" "$policy" | sed 's/^/  /' >"$folder/indented.yaml"
	printf '{%s}\n' "$(tr '\n' ',' <<<"$policy")" >"$folder/flow.yaml"
	sed '1s/apiVersion/? &\n/' <<<"$policy" >"$folder/question.yaml"
	sed '1s/.*/"api\\u0056ersion": x/' <<<"$policy" | sed "1s|x|$group|" >"$folder/escaped.yaml"
	printf "%s\n" "$policy" | sed 's/^apiVersion/\&a &/' >"$folder/values-anchor.yaml"
	exits 0 compile -f "$folder" &&
		grep -q "passed over: .* (also at $folder/values.yaml)$" "$dir/err"
}

# Text in braces that is only data, and an error that has nothing to do with it.
braces_in_data_are_no_template() {
	cat "$dir/fine.yaml" - >"$dir/data.yaml" <<-'END'
		---
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: c}
		data:
		  alerts: |
		    {{ range .Alerts }}{{ .Labels.job }}
		    {{ end }}
	END
	exits 0 compile -q -f "$dir/data.yaml" && [ ! -s "$dir/err" ] || return
	sed 's/port: 80/port: 99999/' "$dir/data.yaml" >"$dir/data-bad.yaml"
	exits 4 compile -q -f "$dir/data-bad.yaml" && grep -q 'error E023' "$dir/err"
}

field_names_are_those_of_kubernetes() {
	"$fields" | diff user/kube/schema.table -
}

cat >"$dir/typo.yaml" <<'END'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db}
spec:
  podSelector: {}
  ingress:
  - port: 5432
---
apiVersion: v1
metadata: {name: db}
spec: {selector: {app: db}, ports: [{port: 5432}]}
kind: Servce
END
cat >"$dir/fine.yaml" <<'END'
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.96.0.1, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: c, image: i}]}
status: {phase: Running, podIP: 10.244.0.1}
END

check "unknown fields and misspelt kinds are warnings, with positions (PARSE-10)" refuses_nothing_but_warns
check "-q silences notes, not warnings" quiet_keeps_warnings
check "--strict makes warnings errors, in every verb that reads manifests" strict_makes_errors
check "--strict counts warnings that are not about a line" strict_means_every_warning
check "the mistake of 500 files is one line" many_are_one_line
check "files of kustomize and Helm beside manifests are passed over, with one note each" other_files_are_passed_over
check "a kustomization that -f names is refused, with the command to run" other_files_by_name_are_refused
check "a chart that is not rendered is one error" a_chart_is_one_error
check "objects in a chart are read, however they are written" objects_in_a_chart_are_read_however_they_are_written
check "braces in data are no template" braces_in_data_are_no_template
fields=${BUILD:-build}/apiserver/fields # made by make apiserver
if [ -x "$fields" ]; then
	check "the field names are those of Kubernetes' own types" field_names_are_those_of_kubernetes
else
	n=$((n + 1))
	echo "ok $n - the field names are those of Kubernetes' own types # SKIP make apiserver has not built $fields"
fi

finish
