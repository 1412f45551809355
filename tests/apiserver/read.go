// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// readBuffer is how far kubectl looks for the { that begins JSON.
const readBuffer = 4096

// readObjects reads a file as kubectl does: each object as JSON, those of lists one by one.
func readObjects(text []byte) ([][]byte, error) {
	decoded := transform.NewReader(bytes.NewReader(text), unicode.BOMOverride(unicode.UTF8.NewDecoder()))
	decoder := yaml.NewYAMLOrJSONDecoder(decoded, readBuffer)
	var objects [][]byte
	for {
		var document runtime.RawExtension
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		raw := bytes.TrimSpace(document.Raw)
		if len(raw) == 0 || string(raw) == "null" {
			continue
		}
		if objects, err = addObjects(objects, raw); err != nil {
			return nil, err
		}
	}
}

func addObjects(objects [][]byte, raw []byte) ([][]byte, error) {
	// kubectl's validation wants both of the document, also of a list.
	var head metav1.TypeMeta
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, err
	}
	if head.Kind == "" || head.APIVersion == "" {
		return nil, fmt.Errorf("apiVersion or kind is not set")
	}
	object, _, err := unstructured.UnstructuredJSONScheme.Decode(raw, nil, nil)
	if err != nil {
		return nil, err
	}
	// Lists may be items of lists.
	items := []runtime.Object{object}
	for i := 0; i < len(items); i++ {
		item := items[i]
		if meta.IsListType(item) {
			inner, err := meta.ExtractList(item)
			if err != nil {
				return nil, err
			}
			items = append(items, inner...)
			continue
		}
		kind := item.GetObjectKind().GroupVersionKind()
		if kind.Kind == "" || kind.Version == "" {
			return nil, fmt.Errorf("apiVersion or kind is not set")
		}
		encoded, err := runtime.Encode(unstructured.UnstructuredJSONScheme, item)
		if err != nil {
			return nil, err
		}
		objects = append(objects, encoded)
	}
	return objects, nil
}
