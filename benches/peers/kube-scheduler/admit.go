package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	v1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/node/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	_ "k8s.io/kubernetes/pkg/apis/resource/install"
	_ "k8s.io/kubernetes/pkg/apis/scheduling/install"
	_ "k8s.io/kubernetes/pkg/apis/storage/install"
)

// Admitted objects are as the API server and the controllers would have left them.
type admitted struct {
	objects []runtime.Object
	leftOut []string
}

// Admit decodes objects and does what stands between a manifest and the scheduler: the defaults of
// the API, the admission of priorities, runtime classes and `matchLabelKeys`, the taints of the node
// controller, and the claims made from templates.
func admit(raw []json.RawMessage) (admitted, error) {
	var a admitted
	classes := map[string]*schedulingv1.PriorityClass{}
	runtimes := map[string]*nodev1.RuntimeClass{}
	templates := map[string]*resourcev1.ResourceClaimTemplate{}
	for k, r := range raw {
		o, kind, err := legacyscheme.Codecs.UniversalDeserializer().Decode(r, nil, nil)
		if runtime.IsNotRegisteredError(err) {
			a.leftOut = append(a.leftOut, kind.Kind)
			continue
		}
		if err != nil {
			return a, fmt.Errorf("object %d: %w", k, err)
		}
		legacyscheme.Scheme.Default(o)
		meta, ok := o.(metav1.Object)
		if !ok {
			return a, fmt.Errorf("object %d: a %s is no single object", k, kind.Kind)
		}
		meta.SetUID(types.UID(fmt.Sprintf("uid-%d", k)))
		if meta.GetNamespace() == "" && namespaced[kind.Kind] {
			meta.SetNamespace("default")
		}
		switch x := o.(type) {
		case *schedulingv1.PriorityClass:
			classes[x.Name] = x
			if x.GlobalDefault {
				classes[""] = x
			}
		case *nodev1.RuntimeClass:
			runtimes[x.Name] = x
		case *resourcev1.ResourceClaimTemplate:
			templates[x.Namespace+"/"+x.Name] = x
		case *v1.Node:
			taint(x)
		case *v1.Pod:
			if x.Status.Phase == v1.PodSucceeded || x.Status.Phase == v1.PodFailed {
				continue
			}
			// The fake API server drops a pod that is being deleted and that nothing holds.
			if x.DeletionTimestamp != nil {
				x.Finalizers = append(x.Finalizers, "stowplan/held")
			}
		}
		a.objects = append(a.objects, o)
	}
	for _, o := range slices.Clone(a.objects) {
		p, ok := o.(*v1.Pod)
		if !ok {
			continue
		}
		if err := prioritise(p, classes); err != nil {
			return a, err
		}
		if err := useRuntime(p, runtimes); err != nil {
			return a, err
		}
		mergeLabelKeys(p)
		for _, c := range claimsOf(p, templates) {
			a.objects = append(a.objects, c)
		}
	}
	return a, nil
}

var namespaced = map[string]bool{"Pod": true, "PersistentVolumeClaim": true, "PodDisruptionBudget": true,
	"ResourceClaim": true, "ResourceClaimTemplate": true, "Deployment": true, "ReplicaSet": true, "StatefulSet": true,
	"Job": true, "Service": true, "CSIStorageCapacity": true, "ReplicationController": true}

// Taint does what the node lifecycle controller does about conditions and cordons.
func taint(n *v1.Node) {
	add := func(key string) {
		for _, t := range n.Spec.Taints {
			if t.Key == key && t.Effect == v1.TaintEffectNoSchedule {
				return
			}
		}
		n.Spec.Taints = append(n.Spec.Taints, v1.Taint{Key: key, Effect: v1.TaintEffectNoSchedule})
	}
	pressures := map[v1.NodeConditionType]string{v1.NodeMemoryPressure: v1.TaintNodeMemoryPressure,
		v1.NodeDiskPressure: v1.TaintNodeDiskPressure, v1.NodePIDPressure: v1.TaintNodePIDPressure,
		v1.NodeNetworkUnavailable: v1.TaintNodeNetworkUnavailable}
	for _, c := range n.Status.Conditions {
		if key, ok := pressures[c.Type]; ok && c.Status == v1.ConditionTrue {
			add(key)
		}
		if c.Type == v1.NodeReady && c.Status == v1.ConditionFalse {
			add(v1.TaintNodeNotReady)
		}
		if c.Type == v1.NodeReady && c.Status == v1.ConditionUnknown {
			add(v1.TaintNodeUnreachable)
		}
	}
	if n.Spec.Unschedulable {
		add(v1.TaintNodeUnschedulable)
	}
}

var systemClasses = map[string]int32{"system-node-critical": 2000001000, "system-cluster-critical": 2000000000}

func prioritise(p *v1.Pod, classes map[string]*schedulingv1.PriorityClass) error {
	if p.Spec.Priority != nil {
		return nil
	}
	value := systemClasses[p.Spec.PriorityClassName]
	if class, ok := classes[p.Spec.PriorityClassName]; ok {
		value = class.Value
		if p.Spec.PreemptionPolicy == nil {
			p.Spec.PreemptionPolicy = class.PreemptionPolicy
		}
	} else if p.Spec.PriorityClassName != "" && value == 0 {
		return fmt.Errorf("pod %s: there is no PriorityClass %s", key(p), p.Spec.PriorityClassName)
	}
	p.Spec.Priority = &value
	return nil
}

func useRuntime(p *v1.Pod, classes map[string]*nodev1.RuntimeClass) error {
	if p.Spec.RuntimeClassName == nil {
		return nil
	}
	class, ok := classes[*p.Spec.RuntimeClassName]
	if !ok {
		return fmt.Errorf("pod %s: there is no RuntimeClass %s", key(p), *p.Spec.RuntimeClassName)
	}
	if class.Overhead != nil {
		p.Spec.Overhead = class.Overhead.PodFixed
	}
	if s := class.Scheduling; s != nil {
		merged := maps.Clone(s.NodeSelector)
		if merged == nil {
			merged = map[string]string{}
		}
		maps.Copy(merged, p.Spec.NodeSelector)
		p.Spec.NodeSelector = merged
		p.Spec.Tolerations = append(p.Spec.Tolerations, s.Tolerations...)
	}
	return nil
}

// MergeLabelKeys writes the values of `matchLabelKeys` into the selectors, as the API server does
// when a pod is created.
func mergeLabelKeys(p *v1.Pod) {
	merge := func(selector *metav1.LabelSelector, keys []string, op metav1.LabelSelectorOperator) *metav1.LabelSelector {
		if selector == nil {
			return nil
		}
		full := selector.DeepCopy()
		for _, k := range keys {
			if value, ok := p.Labels[k]; ok {
				full.MatchExpressions = append(full.MatchExpressions,
					metav1.LabelSelectorRequirement{Key: k, Operator: op, Values: []string{value}})
			}
		}
		return full
	}
	for k := range p.Spec.TopologySpreadConstraints {
		c := &p.Spec.TopologySpreadConstraints[k]
		c.LabelSelector = merge(c.LabelSelector, c.MatchLabelKeys, metav1.LabelSelectorOpIn)
	}
	term := func(t *v1.PodAffinityTerm) {
		t.LabelSelector = merge(t.LabelSelector, t.MatchLabelKeys, metav1.LabelSelectorOpIn)
		t.LabelSelector = merge(t.LabelSelector, t.MismatchLabelKeys, metav1.LabelSelectorOpNotIn)
	}
	if a := p.Spec.Affinity; a != nil && a.PodAffinity != nil {
		for k := range a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution {
			term(&a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution[k])
		}
	}
	if a := p.Spec.Affinity; a != nil && a.PodAntiAffinity != nil {
		for k := range a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution {
			term(&a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution[k])
		}
	}
}

// ClaimsOf makes the claims of a pod whose templates are there, as the claim controller does.
func claimsOf(p *v1.Pod, templates map[string]*resourcev1.ResourceClaimTemplate) (made []runtime.Object) {
	for _, c := range p.Spec.ResourceClaims {
		if c.ResourceClaimTemplateName == nil {
			continue
		}
		has := slices.ContainsFunc(p.Status.ResourceClaimStatuses, func(s v1.PodResourceClaimStatus) bool { return s.Name == c.Name })
		t := templates[p.Namespace+"/"+*c.ResourceClaimTemplateName]
		if has || t == nil {
			continue
		}
		name := p.Name + "-" + c.Name
		owner := *metav1.NewControllerRef(p, v1.SchemeGroupVersion.WithKind("Pod"))
		meta := metav1.ObjectMeta{Name: name, Namespace: p.Namespace, UID: types.UID("claim-" + p.UID + "-" + types.UID(c.Name)), OwnerReferences: []metav1.OwnerReference{owner}}
		made = append(made, &resourcev1.ResourceClaim{ObjectMeta: meta, Spec: t.Spec.Spec})
		p.Status.ResourceClaimStatuses = append(p.Status.ResourceClaimStatuses, v1.PodResourceClaimStatus{Name: c.Name, ResourceClaimName: &name})
	}
	return made
}
