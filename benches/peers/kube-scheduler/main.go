// Kube-judge asks the real kube-scheduler about clusters that exist only on paper.
//
// It reads one question a line from standard input and answers each with one line, in the same
// order. A question is a JSON object:
//
//	objects  the cluster: API objects, each with apiVersion and kind
//	ask      "filters": of each waiting pod and node, what the first filter that says no says ("" where none does)
//	         "queue":   the default scheduler runs until nothing more happens: who is bound where, who waits and why, who was evicted
//	         "bind":    the pods of `plan` are bound as it says, each only if the filters agree at that moment, in any order that works
//	         "waves":   the moves of `waves` are made, one wave after the other: evictions as disruption budgets allow, then `bind`
//	plan     of "bind": namespace/pod to node
//	waves    of "waves": lists of such objects
//
// What is not understood about a question is its answer's `error`; objects of unknown kinds are in `left_out`.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"

	"k8s.io/klog/v2"
)

type question struct {
	Ask     string              `json:"ask"`
	Objects []json.RawMessage   `json:"objects"`
	Plan    map[string]string   `json:"plan"`
	Waves   []map[string]string `json:"waves"`
}

type answer struct {
	Filters map[string]map[string]string `json:"filters,omitempty"`
	Placed  map[string]string            `json:"placed,omitempty"`
	Waiting map[string]string            `json:"waiting,omitempty"`
	Evicted []string                     `json:"evicted,omitempty"`
	Refused map[string]string            `json:"refused,omitempty"`
	LeftOut []string                     `json:"left_out,omitempty"`
	Error   string                       `json:"error,omitempty"`
}

func reply(line []byte) (a answer) {
	defer func() {
		if r := recover(); r != nil {
			a.Error = fmt.Sprint(r)
		}
	}()
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return answer{Error: err.Error()}
	}
	c, err := newCluster(q.Objects)
	if err != nil {
		return answer{Error: err.Error()}
	}
	defer c.stop()
	a.LeftOut = c.leftOut
	switch q.Ask {
	case "filters":
		a.Filters = map[string]map[string]string{}
		for _, p := range c.pending {
			a.Filters[key(p)] = c.filters(p).verdicts
		}
	case "queue":
		err = c.queue(&a)
	case "bind":
		a.Placed, a.Refused, err = bindInSomeOrder(c, q)
	case "waves":
		err = c.waves(q.Waves, &a)
	default:
		err = fmt.Errorf("ask %q: filters, queue, bind or waves", q.Ask)
	}
	if err != nil {
		a.Error = err.Error()
	}
	return a
}

// BindInSomeOrder binds what the plan says; where pods are refused, it begins anew with these first.
func bindInSomeOrder(c *cluster, q question) (placed, refused map[string]string, err error) {
	first := []string{}
	for range 8 {
		placed, refused, err = c.bindAll(q.Plan, first)
		if err != nil || len(refused) == 0 {
			break
		}
		late := slices.Sorted(maps.Keys(refused))
		first = append(late, slices.DeleteFunc(first, func(name string) bool { return slices.Contains(late, name) })...)
		if c, err = newCluster(q.Objects); err != nil {
			break
		}
		defer c.stop()
	}
	return placed, refused, err
}

func main() {
	klog.InitFlags(nil)
	for name, value := range map[string]string{"logtostderr": "false", "alsologtostderr": "false", "stderrthreshold": "FATAL"} {
		_ = flag.Set(name, value)
	}
	klog.SetOutput(io.Discard)
	jobs := flag.Int("jobs", 4, "questions that are answered at the same time")
	flag.Parse()

	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	slots := make(chan chan answer, *jobs)
	var written sync.WaitGroup
	written.Add(1)
	go func() {
		defer written.Done()
		for slot := range slots {
			if err := encoder.Encode(<-slot); err != nil {
				fmt.Fprintln(os.Stderr, "kube-judge:", err)
				os.Exit(1)
			}
			_ = out.Flush()
		}
	}()
	for {
		line, err := in.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			slot := make(chan answer, 1)
			slots <- slot
			go func() { slot <- reply(line) }()
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "kube-judge:", err)
			os.Exit(2)
		}
	}
	close(slots)
	written.Wait()
}
