// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause

// Command apiserver says what kubectl and the API server make of manifests. Reading, decoding,
// defaulting and validation are Kubernetes' own packages.
//
//	apiserver random SEED COUNT   judges COUNT random texts, of SEED, SEED + 1, …
//	apiserver judge [FILE…]       judges each file, or stdin
//
// Each answer is a line "SEED VERDICT BYTES BYTES", the text, and what is said of it. VERDICT is
// "accepted", and then the objects follow as user/kube/object_text.c prints them; or "refused", and
// then the errors follow, each on a line: the field's path, a tab, the message.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"

	"k8s.io/klog/v2"
)

func main() {
	quiet()
	out := bufio.NewWriter(os.Stdout)
	err := run(os.Args[1:], out)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "apiserver:", err)
		os.Exit(1)
	}
}

// quiet drops what Kubernetes logs about its own checks.
func quiet() {
	var flags flag.FlagSet
	klog.InitFlags(&flags)
	for name, value := range map[string]string{"logtostderr": "false", "stderrthreshold": "FATAL"} {
		if err := flags.Set(name, value); err != nil {
			panic(err)
		}
	}
	klog.SetOutput(io.Discard)
}

func run(args []string, out io.Writer) error {
	if len(args) == 3 && args[0] == "random" {
		return answerRandom(args[1], args[2], out)
	}
	if len(args) > 0 && args[0] == "judge" {
		return answerFiles(args[1:], out)
	}
	return fmt.Errorf("usage: apiserver random SEED COUNT | judge [FILE…]")
}

func answerRandom(seedText, countText string, out io.Writer) error {
	seed, err := strconv.ParseUint(seedText, 0, 64)
	if err != nil {
		return err
	}
	count, err := strconv.ParseUint(countText, 0, 64)
	if err != nil {
		return err
	}
	for i := range count {
		if err := answer(seed+i, randomText(seed+i), out); err != nil {
			return err
		}
	}
	return nil
}

func answerFiles(files []string, out io.Writer) error {
	if len(files) == 0 {
		files = []string{"/dev/stdin"}
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := answer(0, text, out); err != nil {
			return err
		}
	}
	return nil
}

func answer(seed uint64, text []byte, out io.Writer) error {
	verdict, said := judgeText(text)
	_, err := fmt.Fprintf(out, "%d %s %d %d\n%s%s", seed, verdict, len(text), len(said), text, said)
	return err
}
