package onnx

import (
	"fmt"
	"math"
)

// tensorAttention is an attention of heads in one operator, without a memory of earlier calls.
func tensorAttention(n *node) (ref, error) {
	var in [3]ref // queries, keys, values
	joined := false
	for i, count := range []string{"q_num_heads", "kv_num_heads", "kv_num_heads"} {
		x, err := n.floats(i)
		if err != nil {
			return x, err
		}
		if joined = len(x.dims()) == 3; joined {
			x, err = n.heads(x, int(n.intAttr(count, 0)))
		}
		if err != nil {
			return x, fmt.Errorf("input %d: %w", i, err)
		}
		if len(x.dims()) != 4 {
			return x, fmt.Errorf("input %d of shape %v has no heads%s", i, x.dims(), wayOut)
		}
		in[i] = x
	}
	for _, name := range []string{"softcap", "qk_matmul_output_mode", "softmax_precision"} {
		if a := n.attr(name); a != nil && (a.f != 0 || a.i > elemFloat) {
			return in[0], fmt.Errorf("attribute %s is not supported%s", name, wayOut)
		}
	}
	for i := 4; i < len(n.in); i++ {
		if n.in[i] != "" {
			return in[0], fmt.Errorf("input %d, of earlier calls, is not supported%s", i, wayOut)
		}
	}
	scores, err := n.attend(in[0], in[1], &in[2])
	if err != nil {
		return scores, err
	}
	d := scores.dims()
	weights, err := n.compute(&softmaxBody{n: d[3], step: 1}, d, scores)
	if err != nil {
		return weights, err
	}
	out, err := n.product(weights, in[2])
	if err != nil || !joined {
		return out, err
	}
	if out, err = n.transpose(out, []int64{0, 2, 1, 3}); err != nil {
		return out, err
	}
	d = out.dims()
	return reshaped(out, []int{d[0], d[1], d[2] * d[3]}), nil
}

// heads parts the last of three axes into heads, which go before the tokens.
func (n *node) heads(x ref, count int) (ref, error) {
	d := x.dims()
	if count < 1 || d[2]%count != 0 {
		return x, fmt.Errorf("%d heads do not divide it", count)
	}
	return n.transpose(reshaped(x, []int{d[0], d[1], count, d[2] / count}), []int64{0, 2, 1, 3})
}

// attend gives the products of queries and keys, scaled and masked. Where several heads
// of queries share one of keys and values, these are repeated.
func (n *node) attend(q, k ref, v *ref) (ref, error) {
	dq, dk := q.dims(), k.dims()
	if dk[1] < 1 || dq[1]%dk[1] != 0 || v.dims()[1] != dk[1] {
		return q, fmt.Errorf("%d heads of queries do not share %d of keys", dq[1], dk[1])
	}
	var err error
	if share := dq[1] / dk[1]; share > 1 {
		at := make([]int64, dq[1])
		for i := range at {
			at[i] = int64(i / share)
		}
		if k, err = n.pick(k, 1, at, []int{dq[1]}); err != nil {
			return k, err
		}
		if *v, err = n.pick(*v, 1, at, []int{dq[1]}); err != nil {
			return k, err
		}
	}
	if k, err = n.transpose(k, []int64{0, 1, 3, 2}); err != nil {
		return k, err
	}
	scores, err := n.product(q, k)
	if err != nil {
		return scores, err
	}
	scale := n.floatAttr("scale", float32(1/math.Sqrt(float64(dq[3]))))
	if scores, err = n.zip('*', nil, scores, number(scale)); err != nil {
		return scores, err
	}
	if n.intAttr("is_causal", 0) != 0 {
		if err := n.l.spend(dq[2] * dk[2]); err != nil {
			return scores, err
		}
		later := &constant{dims: []int{dq[2], dk[2]}, floats: make([]float32, dq[2]*dk[2])}
		for i := range later.floats {
			if i%dk[2] > i/dk[2] {
				later.floats[i] = -inf
			}
		}
		if scores, err = n.zip('+', nil, scores, ref{k: later}); err != nil {
			return scores, err
		}
	}
	mask, err := n.get(3)
	if err != nil || mask.k == nil && mask.v == nil {
		return scores, err
	}
	if mask.k == nil {
		return mask, fmt.Errorf("a mask that is computed is not supported%s", wayOut)
	}
	if mask.k.floats == nil { // truths: what is to be seen
		seen := mask.k.asFloats()
		for i, v := range seen.floats {
			seen.floats[i] = 0
			if v == 0 {
				seen.floats[i] = -inf
			}
		}
		mask = ref{k: seen}
	}
	return n.zip('+', nil, scores, mask)
}
