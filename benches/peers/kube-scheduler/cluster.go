package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	ktesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/profile"
)

var pods = v1.SchemeGroupVersion.WithResource("pods")

func key(p *v1.Pod) string { return p.Namespace + "/" + p.Name }

// Cluster is a fake API server with the objects, and the scheduler that watches it.
type cluster struct {
	ctx     context.Context
	stop    context.CancelFunc
	client  *fake.Clientset
	sched   *scheduler.Scheduler
	fw      framework.Framework
	pending []*v1.Pod
	leftOut []string
	evicted []string
	version atomic.Int64
}

func newCluster(raw []json.RawMessage) (*cluster, error) {
	admitted, err := admit(raw)
	if err != nil {
		return nil, err
	}
	c := &cluster{client: fake.NewSimpleClientset(), leftOut: admitted.leftOut}
	c.ctx, c.stop = context.WithCancel(context.Background())
	for _, o := range admitted.objects {
		c.number(o)
		if err := c.client.Tracker().Add(o); err != nil {
			return nil, err
		}
		if p, ok := o.(*v1.Pod); ok && p.Spec.NodeName == "" && p.DeletionTimestamp == nil {
			c.pending = append(c.pending, p)
		}
	}
	for _, verb := range []string{"create", "update"} {
		c.client.PrependReactor(verb, "*", func(a ktesting.Action) (bool, runtime.Object, error) {
			c.number(a.(interface{ GetObject() runtime.Object }).GetObject())
			return false, nil, nil
		})
	}
	c.client.PrependReactor("create", "pods", c.onBinding)
	c.client.PrependReactor("delete", "pods", func(a ktesting.Action) (bool, runtime.Object, error) {
		c.evicted = append(c.evicted, a.GetNamespace()+"/"+a.(ktesting.DeleteAction).GetName())
		return false, nil, nil
	})
	factory := informers.NewSharedInformerFactory(c.client, 0)
	record := func(string) events.EventRecorder { return events.NewFakeRecorder(1 << 12) }
	c.sched, err = scheduler.New(c.ctx, c.client, factory, nil, profile.RecorderFactory(record),
		scheduler.WithPodInitialBackoffSeconds(1), scheduler.WithPodMaxBackoffSeconds(1),
		scheduler.WithPercentageOfNodesToScore(new(int32(100))))
	if err != nil {
		return nil, err
	}
	c.fw = c.sched.Profiles[v1.DefaultSchedulerName]
	factory.Start(c.ctx.Done())
	factory.WaitForCacheSync(c.ctx.Done())
	return c, c.sched.WaitForHandlersSync(c.ctx)
}

// Number gives an object the next version. The fake API server does not, and without one the
// scheduler's caches of claims and volumes drop what they hear.
func (c *cluster) number(o runtime.Object) {
	if meta, ok := o.(metav1.Object); ok {
		meta.SetResourceVersion(strconv.FormatInt(c.version.Add(1), 10))
	}
}

// The fake API server does not know what a binding does.
func (c *cluster) onBinding(a ktesting.Action) (bool, runtime.Object, error) {
	if a.GetSubresource() != "binding" {
		return false, nil, nil
	}
	b := a.(ktesting.CreateAction).GetObject().(*v1.Binding)
	o, err := c.client.Tracker().Get(pods, b.Namespace, b.Name)
	if err != nil {
		return true, nil, err
	}
	bound := o.(*v1.Pod).DeepCopy()
	bound.Spec.NodeName = b.Target.Name
	return true, b, c.client.Tracker().Update(pods, bound, b.Namespace)
}

// Look is what the filters said about a pod, with the state from which it can be bound.
type look struct {
	state    fwk.CycleState
	verdicts map[string]string
}

func (c *cluster) filters(p *v1.Pod) look {
	l := look{state: framework.NewCycleState(), verdicts: map[string]string{}}
	snapshot := c.fw.SnapshotSharedLister().(*cache.Snapshot)
	if err := c.sched.Cache.UpdateSnapshot(klog.FromContext(c.ctx), snapshot); err != nil {
		panic(err)
	}
	nodes, err := snapshot.NodeInfos().List()
	if err != nil {
		panic(err)
	}
	for _, plugin := range c.fw.PreEnqueuePlugins() {
		if st := plugin.PreEnqueue(c.ctx, p); !st.IsSuccess() {
			for _, n := range nodes {
				l.verdicts[n.Node().Name] = plugin.Name() + ": " + st.Message()
			}
			return l
		}
	}
	left, st, _ := c.fw.RunPreFilterPlugins(c.ctx, l.state, p)
	for _, n := range nodes {
		name := n.Node().Name
		switch {
		case !st.IsSuccess():
			l.verdicts[name] = st.Plugin() + ": " + st.Message()
		case left != nil && !left.AllNodes() && !left.NodeNames.Has(name):
			l.verdicts[name] = "PreFilter: not among the nodes left"
		default:
			if on := c.fw.RunFilterPluginsWithNominatedPods(c.ctx, l.state, p, n); on.IsSuccess() {
				l.verdicts[name] = ""
			} else {
				l.verdicts[name] = on.Plugin() + ": " + on.Message()
			}
		}
	}
	return l
}

// Bind does the second half of the scheduling cycle: what is reserved and written before binding
// (volumes, claims) counts for the next pod.
func (c *cluster) bind(l look, pod *v1.Pod, node string) error {
	p := pod.DeepCopy() // as the scheduler assumes it
	p.Spec.NodeName = node
	if st := c.fw.RunReservePluginsReserve(c.ctx, l.state, p, node); !st.IsSuccess() {
		return st.AsError()
	}
	done := make(chan *fwk.Status, 1)
	go func() { done <- c.fw.RunPreBindPlugins(c.ctx, l.state, p, node) }()
	for wait := true; wait; {
		select {
		case st := <-done:
			if !st.IsSuccess() {
				return st.AsError()
			}
			wait = false
		case <-time.After(5 * time.Millisecond):
			c.bindVolumes()
		}
	}
	if st := c.fw.RunBindPlugins(c.ctx, l.state, p, node); !st.IsSuccess() {
		return st.AsError()
	}
	return c.until(func() bool { return c.has(p, node) })
}

func (c *cluster) has(p *v1.Pod, node string) bool {
	info := c.sched.Cache.Dump().Nodes[node]
	return info != nil && slices.ContainsFunc(info.GetPods(), func(q fwk.PodInfo) bool { return key(q.GetPod()) == key(p) })
}

func (c *cluster) until(true_ func() bool) error {
	for range 2000 {
		if true_() {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
	return fmt.Errorf("the scheduler does not see what was written")
}

// BindAll binds pods to nodes, each when the filters agree, until nothing more is accepted. Those of
// `first` are tried before the others.
func (c *cluster) bindAll(plan map[string]string, first []string) (map[string]string, map[string]string, error) {
	placed, refused := map[string]string{}, map[string]string{}
	left := slices.Clone(first)
	for _, name := range slices.Sorted(maps.Keys(plan)) {
		if !slices.Contains(first, name) {
			left = append(left, name)
		}
	}
	for progress := true; progress; {
		progress = false
		for _, name := range slices.Clone(left) {
			at := slices.IndexFunc(c.pending, func(p *v1.Pod) bool { return key(p) == name })
			if at < 0 {
				return nil, nil, fmt.Errorf("no pod %s waits", name)
			}
			l := c.filters(c.pending[at])
			why, known := l.verdicts[plan[name]]
			if !known {
				return nil, nil, fmt.Errorf("there is no node %s", plan[name])
			}
			if why != "" {
				refused[name] = why
				continue
			}
			if err := c.bind(l, c.pending[at], plan[name]); err != nil {
				return nil, nil, err
			}
			left = slices.DeleteFunc(left, func(n string) bool { return n == name })
			delete(refused, name)
			placed[name] = plan[name]
			progress = true
		}
	}
	return placed, refused, nil
}

// BindVolumes stands in for the volume controllers: what the scheduler chose becomes bound.
func (c *cluster) bindVolumes() {
	core := c.client.CoreV1()
	write := func(claim *v1.PersistentVolumeClaim, volume string) {
		claim.Spec.VolumeName = volume
		claim.Status.Phase = v1.ClaimBound
		metav1.SetMetaDataAnnotation(&claim.ObjectMeta, "pv.kubernetes.io/bind-completed", "yes")
		_, _ = core.PersistentVolumeClaims(claim.Namespace).Update(c.ctx, claim, metav1.UpdateOptions{})
	}
	volumes, _ := core.PersistentVolumes().List(c.ctx, metav1.ListOptions{})
	for _, volume := range volumes.Items {
		ref := volume.Spec.ClaimRef
		if ref == nil || volume.Status.Phase == v1.VolumeBound {
			continue
		}
		if claim, err := core.PersistentVolumeClaims(ref.Namespace).Get(c.ctx, ref.Name, metav1.GetOptions{}); err == nil {
			volume.Status.Phase = v1.VolumeBound
			_, _ = core.PersistentVolumes().Update(c.ctx, &volume, metav1.UpdateOptions{})
			write(claim, volume.Name)
		}
	}
	claims, _ := core.PersistentVolumeClaims("").List(c.ctx, metav1.ListOptions{})
	for _, claim := range claims.Items {
		node, chosen := claim.Annotations["volume.kubernetes.io/selected-node"]
		if !chosen || claim.Spec.VolumeName != "" {
			continue
		}
		name := "made-" + claim.Namespace + "-" + claim.Name
		term := v1.NodeSelectorTerm{MatchExpressions: []v1.NodeSelectorRequirement{{Key: v1.LabelHostname, Operator: v1.NodeSelectorOpIn, Values: []string{node}}}}
		volume := &v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1.PersistentVolumeSpec{
			AccessModes: claim.Spec.AccessModes, StorageClassName: *claim.Spec.StorageClassName, Capacity: claim.Spec.Resources.Requests,
			ClaimRef:               &v1.ObjectReference{Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID},
			NodeAffinity:           &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{term}}},
			PersistentVolumeSource: v1.PersistentVolumeSource{CSI: &v1.CSIPersistentVolumeSource{Driver: "made", VolumeHandle: name}},
		}, Status: v1.PersistentVolumeStatus{Phase: v1.VolumeBound}}
		if _, err := core.PersistentVolumes().Create(c.ctx, volume, metav1.CreateOptions{}); err == nil || apierrors.IsAlreadyExists(err) {
			write(&claim, name)
		}
	}
}

// Queue lets the scheduler run until no pod is being looked at and nothing changes.
func (c *cluster) queue(a *answer) error {
	go c.sched.Run(c.ctx)
	calm, since, last := time.Now(), time.Now(), ""
	for started := time.Now(); time.Since(started) < time.Minute; time.Sleep(20 * time.Millisecond) {
		c.bindVolumes()
		now := answer{Placed: map[string]string{}, Waiting: map[string]string{}}
		for _, p := range c.pending {
			o, err := c.client.Tracker().Get(pods, p.Namespace, p.Name)
			if apierrors.IsNotFound(err) {
				continue
			}
			if err != nil {
				return err
			}
			current := o.(*v1.Pod)
			if current.Spec.NodeName != "" {
				now.Placed[key(p)] = current.Spec.NodeName
				continue
			}
			now.Waiting[key(p)] = ""
			for _, cond := range current.Status.Conditions {
				if cond.Type == v1.PodScheduled {
					now.Waiting[key(p)] = cond.Message
				}
			}
		}
		now.Evicted = slices.Sorted(slices.Values(c.evicted))
		_, summary := c.sched.SchedulingQueue.PendingPods()
		text, _ := json.Marshal(now)
		if string(text) != last {
			last, since = string(text), time.Now()
		}
		if !strings.Contains(summary, "activeQ:0; backoffQ:0;") {
			calm = time.Now()
		}
		// A pod whose attempts end in errors is tried again for ever.
		if time.Since(calm) > 400*time.Millisecond && time.Since(since) > 400*time.Millisecond || time.Since(since) > 8*time.Second {
			a.Placed, a.Waiting, a.Evicted = now.Placed, now.Waiting, now.Evicted
			return nil
		}
	}
	return fmt.Errorf("the queue does not come to rest")
}

// Waves evicts pods and lets others of the same kind start where the plan says, one wave after the
// other. A wave's evictions come first; all that a budget allows at that moment may be away.
func (c *cluster) waves(waves []map[string]string, a *answer) error {
	a.Placed, a.Refused = map[string]string{}, map[string]string{}
	for k, wave := range waves {
		away := map[types.UID]int{}
		next := []*v1.Pod{}
		for _, name := range slices.Sorted(maps.Keys(wave)) {
			namespace, short, _ := strings.Cut(name, "/")
			o, err := c.client.Tracker().Get(pods, namespace, short)
			if err != nil {
				return err
			}
			p := o.(*v1.Pod)
			if why, err := c.mayGo(p, away); err != nil {
				return err
			} else if why != "" {
				a.Refused[name] = fmt.Sprintf("wave %d: %s", k+1, why)
				return nil
			}
			again := p.DeepCopy()
			again.Spec.NodeName, again.UID = "", p.UID+types.UID(fmt.Sprintf("-%d", k))
			again.Status = v1.PodStatus{ResourceClaimStatuses: p.Status.ResourceClaimStatuses}
			next = append(next, again)
		}
		for _, p := range next {
			was, _ := c.client.Tracker().Get(pods, p.Namespace, p.Name)
			if err := c.client.Tracker().Delete(pods, p.Namespace, p.Name); err != nil {
				return err
			}
			if err := c.until(func() bool { return !c.has(p, was.(*v1.Pod).Spec.NodeName) }); err != nil {
				return err
			}
			if err := c.client.Tracker().Add(p); err != nil {
				return err
			}
			a.Evicted = append(a.Evicted, key(p))
		}
		c.pending = next
		placed, refused, err := c.bindAll(wave, nil)
		if err != nil {
			return err
		}
		maps.Copy(a.Placed, placed)
		for name, why := range refused {
			a.Refused[name] = fmt.Sprintf("wave %d: %s", k+1, why)
		}
		if len(refused) > 0 {
			return nil
		}
	}
	return nil
}

// MayGo is the eviction API's arithmetic: one budget at most, and what it allows beyond those that
// are away already.
func (c *cluster) mayGo(p *v1.Pod, away map[types.UID]int) (string, error) {
	budgets, err := c.client.PolicyV1().PodDisruptionBudgets(p.Namespace).List(c.ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	var mine []policyv1.PodDisruptionBudget
	for _, b := range budgets.Items {
		selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
		if err != nil {
			return "", err
		}
		if selector.Matches(labels.Set(p.Labels)) {
			mine = append(mine, b)
		}
	}
	if len(mine) == 0 {
		return "", nil
	}
	if len(mine) > 1 {
		return "more than one disruption budget", nil
	}
	b := mine[0]
	selector, _ := metav1.LabelSelectorAsSelector(b.Spec.Selector)
	all, err := c.client.CoreV1().Pods(p.Namespace).List(c.ctx, metav1.ListOptions{LabelSelector: selector.String()})
	if err != nil {
		return "", err
	}
	total, healthy := 0, 0 // what is being deleted has been replaced by its controller
	for _, q := range all.Items {
		if q.DeletionTimestamp == nil {
			total++
			if q.Spec.NodeName != "" {
				healthy++
			}
		}
	}
	wanted := 0
	switch {
	case b.Spec.MaxUnavailable != nil:
		n, err := intstr.GetScaledValueFromIntOrPercent(b.Spec.MaxUnavailable, total, true)
		if err != nil {
			return "", err
		}
		wanted = max(total-n, 0)
	case b.Spec.MinAvailable != nil:
		if wanted, err = intstr.GetScaledValueFromIntOrPercent(b.Spec.MinAvailable, total, true); err != nil {
			return "", err
		}
	}
	if healthy-wanted-away[b.UID] <= 0 {
		return fmt.Sprintf("budget %s: %d healthy, %d wanted, %d away", b.Name, healthy, wanted, away[b.UID]), nil
	}
	away[b.UID]++
	return "", nil
}
